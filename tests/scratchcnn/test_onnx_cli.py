"""`python -m scratchcnn export`: weights of either kind into an ONNX file."""

import sys

import numpy as np
import onnxruntime
import pytest

import scratchcnn as sc


@pytest.fixture
def export(tmp_path, scratchcnn):
    """Export to net.onnx: exit status, stdout, stderr, path."""

    def run(network, weights):
        path = tmp_path / "net.onnx"
        return *scratchcnn("export", network, "--weights", weights, "--out", path), path

    return run


def scores(path, x):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["scores"], {"x": x})[0]


def images(network):
    return np.random.default_rng(0).random((3, *network.input_dim), dtype=np.float32)


def check(found, network):
    status, out, err, path = found
    assert (status, err) == (0, "")
    (C, H, W), classes = network.input_dim, network.output_size
    assert out == f"x (N, {C}, {H}, {W}) {network.dtype} -> scores (N, {classes}), written to {path}\n"
    x = images(network)
    np.testing.assert_allclose(scores(path, x), network.predict(x), rtol=1e-4, atol=1e-5)


def test_what_train_wrote(export, tmp_path, scratchcnn):
    weights = tmp_path / "w.safetensors"
    assert scratchcnn("train", "lenet", "--epochs", 0, "--out", weights).status == 0
    network = sc.LeNet()
    sc.load_weights(network, weights)
    check(export("lenet", weights), network)


def test_what_save_weights_wrote(export, tmp_path):
    network = sc.SimpleConvNet(rng=3)
    sc.save_weights(network, tmp_path / "w.safetensors")
    check(export("simple-conv-net", tmp_path / "w.safetensors"), network)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_pytorchs_names(export, tmp_path, suffix):
    network = sc.LeNet5(rng=3)
    sc.save_torch_weights(network, tmp_path / f"w{suffix}")
    check(export("lenet5", tmp_path / f"w{suffix}"), network)


def test_weights_of_another_network(export, tmp_path):
    sc.save_weights(sc.LeNet(), tmp_path / "w.safetensors")
    status, out, err, path = export("lenet5", tmp_path / "w.safetensors")
    assert (status, out, path.exists()) == (2, "", False)
    assert err == f"error: {tmp_path / 'w.safetensors'} holds the weights of LeNet, not of lenet5\n"


@pytest.mark.parametrize(
    ("network", "weights", "sentence"),
    [
        ("resnext", "w.pth", "there is no network 'resnext'; there are simple_conv_net, lenet,"),
        ("lenet", "none.safetensors", "there is no file"),
        ("lenet", "notes.txt", "{folder}/notes.txt is neither a .pth of PyTorch nor whole"),
    ],
)
def test_misuse_is_one_sentence_and_status_2(export, tmp_path, network, weights, sentence):
    (tmp_path / "notes.txt").write_text("hello")
    status, out, err, _ = export(network, tmp_path / weights)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: {sentence.format(folder=tmp_path)}")


def test_without_onnx_it_says_what_to_install(export, tmp_path, monkeypatch):
    sc.save_weights(sc.LeNet(), tmp_path / "w.safetensors")
    monkeypatch.setitem(sys.modules, "onnx", None)
    status, _, err, path = export("lenet", tmp_path / "w.safetensors")
    assert (status, path.exists()) == (2, False) and err.endswith(
        "not installed: pip install 'scratchcnn[onnx]' (in a clone: pip install '.[onnx]')\n"
    )
