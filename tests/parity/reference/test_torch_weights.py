"""Checkpoints: PyTorch's files into our networks and ours into PyTorch's, and what is refused."""

import collections
import inspect
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch

import scratchcnn as sc
from parity.reference.googlenet import GoogLeNet
from parity.reference.vgg_resnet import VGG, ResNet, TorchvisionAlexNet
from scratchcnn.recognize import network_of
from scratchcnn.state_dict import read_pth, write_pth
from scratchcnn.torch_weights import torch_state

NETWORKS = {
    "alexnet": (
        lambda rng, dtype: sc.TorchvisionAlexNet((3, 67, 67), 6, hidden_size=16, rng=rng, dtype=dtype),
        lambda: TorchvisionAlexNet(6, hidden_size=16),
    ),
    "vgg16": (
        lambda rng, dtype: sc.VGG(16, False, (3, 40, 33), 6, width=8, hidden_size=16, rng=rng, dtype=dtype),
        lambda: VGG(16, False, 6, width=8, hidden_size=16),
    ),
    "vgg11_bn": (
        lambda rng, dtype: sc.VGG(11, True, (3, 40, 33), 6, width=8, hidden_size=16, rng=rng, dtype=dtype),
        lambda: VGG(11, True, 6, width=8, hidden_size=16),
    ),
    "googlenet": (
        lambda rng, dtype: sc.GoogLeNet(True, True, (3, 64, 70), 6, 8, 16, rng=rng, dtype=dtype),
        lambda: GoogLeNet(True, True, 6, 8, 16),
    ),
    "resnet18": (
        lambda rng, dtype: sc.ResNet(18, (3, 40, 33), 6, width=8, rng=rng, dtype=dtype),
        lambda: ResNet(18, 6, width=8),
    ),
    "resnet50": (
        lambda rng, dtype: sc.ResNet(50, (3, 40, 33), 6, width=4, rng=rng, dtype=dtype),
        lambda: ResNet(50, 6, width=4),
    ),
}
pairs = pytest.mark.parametrize(("ours", "theirs"), NETWORKS.values(), ids=NETWORKS)


def trained(theirs, seed=0):
    """A module with weights and statistics of its own."""
    torch.manual_seed(seed)
    module = theirs().double()
    for name, buffer in module.named_buffers():
        if "running" in name:
            buffer.copy_(torch.rand_like(buffer) + 0.5)
        elif "tracked" in name:
            buffer.fill_(7)
    return module.eval()


def logits(module, x):
    with torch.no_grad():
        return module(torch.tensor(x)).numpy()


def save(module, path):
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(module.state_dict(), path)
    else:
        torch.save(module.state_dict(), path)


@pairs
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_state_dict_of_pytorch_gives_the_same_logits(ours, theirs, suffix, tmp_path):
    module, network = trained(theirs), ours(1, np.float64)
    save(module, tmp_path / f"weights{suffix}")
    x = np.random.default_rng(0).random((2, *network.input_dim))
    wanted = logits(module, x)
    assert np.abs(network.predict(x) - wanted).max() > 1e-3 * np.abs(wanted).max()
    sc.load_torch_weights(network, tmp_path / f"weights{suffix}")
    assert np.abs(network.predict(x) - wanted).max() < 1e-12 * np.abs(wanted).max()


@pairs
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_pytorch_loads_what_we_write_strictly(ours, theirs, suffix, tmp_path):
    module, network = trained(theirs), ours(1, np.float64)
    rng = np.random.default_rng(3)
    for buffer in network.buffers.values():
        buffer += 0.1 * rng.random(buffer.shape)
    for array in network.params.values():
        array += 0.5 * rng.random(array.shape) * (array.ndim == 1)  # nothing is 0 for every image
    path = tmp_path / f"ours{suffix}"
    sc.save_torch_weights(network, path)
    state = (
        safetensors.torch.load_file(path) if suffix == ".safetensors" else torch.load(path, weights_only=True)
    )
    assert set(state) == set(module.state_dict())
    module.load_state_dict(state, strict=True)
    x = np.random.default_rng(0).random((2, *network.input_dim))
    wanted = network.predict(x)
    assert np.abs(logits(module, x) - wanted).max() < 1e-12 * np.abs(wanted).max()


def test_names_of_every_array_are_told_apart():
    state = torch_state(sc.LeNet(rng=0))
    assert set(state) == {
        f"{layer}.{key}"
        for layer in ("conv1", "conv2", "affine1", "affine2", "affine3")
        for key in ("weight", "bias")
    }
    assert state["affine1.weight"].array.shape == (120, 400) and state["affine1.weight"].ours == "affine1.W"
    book = torch_state(sc.SimpleConvNet(rng=0))
    assert book["Conv1.weight"].ours == "W1"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_other_precisions_are_widened(dtype, tmp_path):
    ours, theirs = NETWORKS["resnet18"]
    module, network = trained(theirs).to(dtype), ours(1, np.float64)
    save(module, tmp_path / "small.pth")
    sc.load_torch_weights(network, tmp_path / "small.pth")
    wanted = module.state_dict()["layer1.0.conv1.weight"].double().numpy()
    np.testing.assert_array_equal(network.params["layer1.0.add.body.conv1.W"], wanted)


def test_a_mismatch_lists_every_key_and_changes_nothing(tmp_path):
    ours, theirs = NETWORKS["resnet18"]
    module, network = trained(theirs), ours(1, np.float64)
    state = module.state_dict()
    del state["bn1.running_var"]
    state["fc.weight"] = torch.zeros(6, 3)
    state["conv1.weight"] = torch.zeros(8, 3, 7, 7, dtype=torch.int64)
    state["conv9.weight"] = torch.zeros(1)
    torch.save(state, tmp_path / "wrong.pth")
    before = {key: array.copy() for key, array in {**network.params, **network.buffers}.items()}
    with pytest.raises(sc.WeightMismatch) as caught:
        sc.load_torch_weights(network, tmp_path / "wrong.pth")
    assert caught.value.problems == [
        "conv1.weight (our conv1.W): expected floating-point numbers, the file has int64",
        "bn1.running_var (our bn1.running_var): missing from the file",
        "fc.weight (our fc.W): expected shape (6, 64), the file has (6, 3)",
        "conv9.weight: surplus in the file",
    ]
    assert all((array == before[key]).all() for key, array in {**network.params, **network.buffers}.items())


# -- the format -----------------------------------------------------------------------------------
TENSORS = {
    "scalar": torch.tensor(3.5),
    "empty": torch.zeros(0, 3),
    "transposed": torch.arange(6.0).reshape(2, 3).T,
    "every second": torch.arange(10.0)[1::2],
    "expanded": torch.arange(3.0).expand(2, 3),
    "half": torch.tensor([1.5, -2], dtype=torch.float16),
    "bfloat16": torch.tensor([[1.5, -2.25]], dtype=torch.bfloat16),
    "double": torch.rand(2, 2, dtype=torch.float64),
    "long": torch.tensor([2**40, -1]),
    "int": torch.tensor([7], dtype=torch.int32),
    "byte": torch.tensor([255, 0], dtype=torch.uint8),
    "bool": torch.tensor([True, False]),
}


def test_tensors_of_every_layout_and_dtype(tmp_path):
    shared = torch.arange(12.0)
    given = TENSORS | {"view a": shared[2:5], "view b": shared[4:8].reshape(2, 2)}
    given["parameter"] = torch.nn.Parameter(torch.rand(3))
    torch.save(collections.OrderedDict(given), tmp_path / "all.pth")
    found = read_pth(tmp_path / "all.pth")
    assert list(found) == list(given)
    for name, tensor in given.items():
        wanted = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().numpy()
        assert found[name].dtype == wanted.dtype and found[name].shape == wanted.shape
        np.testing.assert_array_equal(found[name], wanted, err_msg=name)
        assert found[name].flags.writeable and found[name].flags.owndata | (found[name].base is not None)


def test_what_is_written_is_read_by_pytorch_bit_for_bit(tmp_path):
    arrays = {n: t.numpy() for n, t in TENSORS.items() if t.dtype != torch.bfloat16}
    arrays["long name " * 30] = np.arange(300.0)
    write_pth(tmp_path / "all.pth", arrays)
    theirs = torch.load(tmp_path / "all.pth", weights_only=True)
    again = read_pth(tmp_path / "all.pth")
    assert list(theirs) == list(again) == list(arrays)
    for name, array in arrays.items():
        assert theirs[name].numpy().dtype == again[name].dtype == array.dtype
        np.testing.assert_array_equal(theirs[name].numpy(), array)
        np.testing.assert_array_equal(again[name], array)


def state(network):
    """The state dict that PyTorch's module with the network's weights has."""
    return {name: torch.from_numpy(entry.array.copy()) for name, entry in torch_state(network).items()}


PREFIXES = ["module.", "_orig_mod.", "model.", "net.", "module._orig_mod.", "_orig_mod.model."]


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_prefixes_of_wrappers_are_removed_and_returned(prefix, suffix, tmp_path):
    saved, loaded, path = sc.LeNet(rng=0), sc.LeNet(rng=1), tmp_path / f"w{suffix}"
    tensors = {prefix + name: tensor for name, tensor in state(saved).items()}
    safetensors.torch.save_file(tensors, path) if suffix == ".safetensors" else torch.save(tensors, path)
    assert sc.load_torch_weights(loaded, path) == prefix
    np.testing.assert_array_equal(loaded.params["conv1.W"], saved.params["conv1.W"])
    read = all(name in torch_state(saved) for name in sc.read_torch_weights(path))
    assert read == (prefix in ("module.", "_orig_mod.", "module._orig_mod."))


def test_what_is_beside_the_network_is_surplus_and_alone_is_named(tmp_path):
    tensors = {f"model.{name}": tensor for name, tensor in state(sc.LeNet(rng=0)).items()}
    torch.save({**tensors, "criterion.weight": torch.ones(3)}, tmp_path / "w.pth")
    with pytest.raises(sc.WeightMismatch, match=r"\n  criterion\.weight: surplus in the file$"):
        sc.load_torch_weights(sc.LeNet(rng=1), tmp_path / "w.pth")


CHECKPOINTS = {
    "a usual key": lambda tensors: {"net": tensors, "acc": 93.0, "epoch": 3},
    "two usual keys": lambda tensors: {"model": {"state_dict": tensors}, "epoch": 3},
    "another key": lambda tensors: {
        "ema_weights": tensors,
        "optimizer": {"state": {0: {}}, "param_groups": [1]},
    },
}


@pytest.mark.parametrize("wrap", CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_a_state_dict_is_found_beside_other_things(wrap, tmp_path):
    saved, loaded = sc.LeNet(rng=0), sc.LeNet(rng=1)
    torch.save(wrap(state(saved)), tmp_path / "run.ckpt")
    sc.load_torch_weights(loaded, tmp_path / "run.ckpt")
    np.testing.assert_array_equal(loaded.params["conv1.W"], saved.params["conv1.W"])


def test_two_state_dicts_are_not_guessed_between(tmp_path):
    torch.save({"generator": {"w": torch.ones(1)}, "critic": {"w": torch.ones(1)}}, tmp_path / "run.ckpt")
    with pytest.raises(ValueError, match=r"holds several state dicts \(generator, critic\)"):
        sc.load_torch_weights(sc.LeNet(rng=1), tmp_path / "run.ckpt")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_bfloat16_is_widened_bit_for_bit(suffix, tmp_path):
    saved, loaded, path = sc.LeNet(rng=0), sc.LeNet(rng=1), tmp_path / f"w{suffix}"
    tensors = {name: tensor.bfloat16() for name, tensor in state(saved).items()}
    safetensors.torch.save_file(tensors, path) if suffix == ".safetensors" else torch.save(tensors, path)
    sc.load_torch_weights(loaded, path)
    for name, entry in torch_state(loaded).items():
        np.testing.assert_array_equal(entry.array, tensors[name].float().numpy())


@pytest.mark.parametrize("given", ["part 1", "part 2", "index"])
def test_a_file_in_parts_is_read_whole(given, tmp_path):
    saved, loaded = sc.LeNet(rng=0), sc.LeNet(rng=1)
    items, index = list(state(saved).items()), {}
    for i, part in enumerate((items[:4], items[4:]), 1):
        name = f"model-0000{i}-of-00002.safetensors"
        safetensors.torch.save_file(dict(part), tmp_path / name)
        index |= {key: name for key, _ in part}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    name = (
        "model.safetensors.index.json" if given == "index" else f"model-0000{given[-1]}-of-00002.safetensors"
    )
    sc.load_torch_weights(loaded, tmp_path / name)
    np.testing.assert_array_equal(loaded.params["affine3.W"], saved.params["affine3.W"])
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"is one of 2 parts; model-00002-of-00002.safetensors is missing"
    ):
        sc.load_torch_weights(loaded, tmp_path / name)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"weight_map": {"w": "../w.safetensors"}}', '{"weight_map": {}}']
)
def test_an_index_that_is_none(text, tmp_path):
    (tmp_path / "model.index.json").write_text(text)
    with pytest.raises(ValueError, match=r"model\.index\.json is not an index of weights in parts"):
        sc.load_torch_weights(sc.LeNet(rng=0), tmp_path / "model.index.json")


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.complex64])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_numbers_that_numpy_cannot_hold_are_named(dtype, suffix, tmp_path):
    path, tensors = tmp_path / f"w{suffix}", {"weight": torch.ones(2, 3).to(dtype)}
    safetensors.torch.save_file(tensors, path) if suffix == ".safetensors" else torch.save(tensors, path)
    with pytest.raises(ValueError, match=r"holds .*numbers that NumPy cannot hold.*; convert") as caught:
        sc.load_torch_weights(sc.LeNet(rng=0), path)
    assert "\n" not in str(caught.value)


def test_a_file_of_another_number_of_classes_gets_the_argument_that_builds_its_network(tmp_path):
    sc.save_torch_weights(sc.LeNet(output_size=7, rng=0), tmp_path / "w.pth")
    with pytest.raises(sc.WeightMismatch, match=r"of 7 classes: build the network with output_size=7$"):
        sc.load_torch_weights(sc.LeNet(rng=0), tmp_path / "w.pth")
    sc.load_torch_weights(sc.LeNet(output_size=7, rng=0), tmp_path / "w.pth")


SMALL = {"width": 8, "hidden_size": 8}


@pytest.mark.parametrize("name", sc.NETWORKS)
def test_a_network_is_recognized_by_the_names_of_its_tensors(name):
    kind = sc.NETWORKS[name]
    arguments = inspect.signature(kind).parameters
    small = {key: value for key, value in SMALL.items() if key in arguments}
    names = [*torch_state(kind(rng=0, **small)), "layer1.0.bn1.num_batches_tracked"]
    assert network_of(names) == name
    assert network_of(names[1:]) is None


@pytest.mark.parametrize(
    ("asked", "meant"), [("alexnet", "alexnet_torchvision"), ("googlenet", "googlenet_bn")]
)
def test_torchvisions_files_name_the_network_that_they_belong_to(asked, meant, tmp_path, scratchcnn):
    small = {"aux": False} if "googlenet" in meant else {"hidden_size": 8}
    sc.save_torch_weights(sc.NETWORKS[meant](rng=0, **small), tmp_path / "w.pth")
    done = scratchcnn("predict", asked, tmp_path / "photo.png", "--weights", tmp_path / "w.pth")
    assert done == (2, "", f"error: {tmp_path}/w.pth holds the weights of {meant}, not of {asked}\n")


def test_a_training_checkpoint_and_a_wrapped_module(tmp_path):
    tensors = {f"module.{name}": tensor for name, tensor in torch.nn.Linear(2, 3).state_dict().items()}
    torch.save({"state_dict": tensors, "epoch": 3}, tmp_path / "run.pth")
    assert {name: a.shape for name, a in sc.read_torch_weights(tmp_path / "run.pth").items()} == {
        "weight": (3, 2),
        "bias": (3,),
    }


class Bomb:
    def __reduce__(self):
        return os.system, ("touch SHOULD_NOT_EXIST",)


def test_code_in_a_file_is_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": torch.zeros(2), "bomb": Bomb()}, "bomb.pth")
    with pytest.raises(
        ValueError, match=r"bomb.pth was not read: it names (posix|nt|os)\.system, which a state"
    ):
        read_pth("bomb.pth")
    assert not (tmp_path / "SHOULD_NOT_EXIST").exists()
    assert pickle.loads(pickle.dumps(Bomb())) == 0 and (tmp_path / "SHOULD_NOT_EXIST").exists()  # it is live


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("os", "system"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_tensor_v3"),
        ("collections", "OrderedDict.fromkeys"),
        ("numpy.lib.stride_tricks", "as_strided"),
        ("scratchcnn.state_dict", "read_pth"),
    ],
)
def test_every_name_but_the_few_is_refused(module, name, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("x/data.pkl", b"\x80\x02c" + f"{module}\n{name}\n".encode() + b".")
    with pytest.raises(ValueError, match=rf"(it names |float8 or complex ones \(){module}\.{name}"):
        read_pth(tmp_path / "x.pth")


def whole_module(path):
    torch.save(torch.nn.Linear(2, 2), path)


def truncated(path):
    torch.save({"weight": torch.zeros(2000)}, path)
    path.write_bytes(path.read_bytes()[:3000])


def beyond(path):
    """A tensor that reaches behind its storage."""
    write_pth(path, {"weight": np.zeros(3, np.float32)})
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["archive/data.pkl"] = files["archive/data.pkl"].replace(b"(\x8a\x01\x03t", b"(\x8a\x01\x05t")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def other_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")


def stride_zero(path):
    """400 MB in a file of a few hundred bytes."""
    torch.save({"weight": torch.zeros(1).expand(10**6, 100)}, path)


def compressed(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", b"")
        archive.writestr("x/data/0", bytes(2**27))


REFUSED = {
    "one number as 400 MB": (stride_zero, "its tensors unpack to many times the size of the file"),
    "a compressed bomb": (compressed, "it unpacks to many times its size"),
    "a whole model": (whole_module, "it names torch.nn.modules.linear.Linear, .* save model.state_dict"),
    "a pickle": (
        lambda path: path.write_bytes(pickle.dumps({"w": 1})),
        "is a pickle that torch.save did",
    ),
    "half a file": (truncated, "is neither a .pth of PyTorch nor whole; fetch or save it again"),
    "a tensor beyond its storage": (beyond, "a tensor lies outside of its storage"),
    "another zip": (other_zip, "it is a zip file and not a state dict"),
    "an empty file": (lambda path: path.touch(), "is empty"),
    "text": (lambda path: path.write_text("hello"), "is neither a .pth of PyTorch nor whole"),
    "a page": (
        lambda path: path.write_text("<!DOCTYPE html><html>"),
        "is an HTML page; .* download the file",
    ),
    "a pointer": (
        lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"),
        "`git lfs pull`",
    ),
    "a list": (lambda path: torch.save([torch.zeros(2)], path), "holds list, expected a state dict"),
    "more than tensors": (
        lambda path: torch.save({"w": torch.zeros(2), "epoch": 3}, path),
        r"holds more than tensors \(epoch\)",
    ),
}


@pytest.mark.parametrize(("write", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_in_one_sentence(write, message, tmp_path):
    write(tmp_path / "file.pth")
    with pytest.raises(ValueError, match=message) as caught:
        read_pth(tmp_path / "file.pth")
    assert "\n" not in str(caught.value) and "file.pth" in str(caught.value)


@pytest.mark.parametrize("name", ["checkpoint.pth.tar", "pytorch_model.bin", "last.ckpt", "weights"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_is_known_by_its_content(name, suffix, tmp_path):
    saved, loaded = sc.LeNet(rng=0), sc.LeNet(rng=1)
    sc.save_torch_weights(saved, tmp_path / f"w{suffix}")
    (tmp_path / f"w{suffix}").rename(tmp_path / name)
    sc.load_torch_weights(loaded, tmp_path / name)
    np.testing.assert_array_equal(loaded.params["conv1.W"], saved.params["conv1.W"])


def test_files_that_are_not_there_or_of_another_kind(tmp_path):
    network = sc.LeNet(rng=0)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        sc.load_torch_weights(network, tmp_path / "none.pth")
    with pytest.raises(ValueError, match=r"expected a file name ending in \.safetensors, \.pth, \.pt, got"):
        sc.save_torch_weights(network, tmp_path / "weights.h5")
    with pytest.raises(TypeError, match="weight: PyTorch's files cannot hold complex128"):
        write_pth(tmp_path / "x.pth", {"weight": np.zeros(2, complex)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("old", "new"), [("load_checkpoint", "load"), ("save_checkpoint", "save")])
def test_the_old_names_work_and_warn(old, new, tmp_path):
    saved, loaded, path = sc.LeNet(rng=0), sc.LeNet(rng=1), tmp_path / "lenet.pth"
    sc.save_torch_weights(saved, path)
    with pytest.warns(
        DeprecationWarning, match=f"scratchcnn.{old} is now called {new}_torch_weights"
    ) as said:
        getattr(sc, old)(loaded if new == "load" else saved, path)
    assert said[0].filename == __file__
    sc.load_torch_weights(loaded, path)
    np.testing.assert_array_equal(loaded.params["conv1.W"], saved.params["conv1.W"])
