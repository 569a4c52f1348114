"""`python -m parity check --against`: exit status, sentences, files."""

import sys

import pandas as pd
import pytest

import scratchcnn as sc
from scratchcnn import NETWORKS

ALL = "torch,jax,onnxruntime"


@pytest.fixture
def check(parity):
    """Run `parity check`: exit status, lines of stdout, stderr."""

    def run(*arguments):
        status, out, err = parity("check", *arguments)
        return status, out.splitlines(), err

    return run


class Wrong(sc.LeNet):
    def gradient(self, x, t):
        grads = super().gradient(x, t)
        return grads | {"affine1.b": -grads["affine1.b"]}


def test_all_agree(check, tmp_path):
    status, lines, err = check("lenet", "--against", ALL, "--steps", 0, "--out", tmp_path)
    assert (status, err) == (0, "")
    assert lines[-1] == "AGREE: ours, torch, jax and onnxruntime on everything compared"
    assert "MATCH: the same functions as PyTorch's on everything compared" in lines
    assert (
        "lenet            float64  tensors compared: ours 13, torch 13, jax 13, onnxruntime 2; 0 differ  ok"
        in lines
    )
    missing = [line for line in lines if line.startswith("lenet ") and "not compared" in line]
    assert [line.split("not compared: ")[1] for line in missing] == [
        "inference, onnxruntime: gradients (it computes none)",
        "inference, onnxruntime: float64 (no float64 kernel for Conv; compared in float32)",
        "inference, all: gradients (compared in float64 only)",
    ]
    table = pd.read_parquet(tmp_path / "referees.parquet")
    assert pd.read_csv(tmp_path / "referees.csv").shape == table.shape
    assert table["ok"].all() and set(table["left"]) | set(table["right"]) == {
        "ours",
        "torch",
        "jax",
        "onnxruntime",
    }
    wide = table[table["dtype"] == "float64"]
    assert len(wide) == 2 * 6 + 11 * 3 and (wide["compared_in"] == "float32").sum() == 2 * 3
    assert len(pd.read_csv(tmp_path / "not_compared.csv")) == 3


def test_ours_wrong_ends_with_1_and_is_named(check, monkeypatch):
    monkeypatch.setitem(NETWORKS, "lenet", Wrong)
    status, lines, _ = check("lenet", "--against", "torch,jax", "--dtype", "float64", "--steps", 0)
    assert status == 1
    assert lines[-1] == (
        "DISAGREE: ours is the outlier in 1 of 13 tensors; the first: lenet inference affine1.b float64"
    )
    (line,) = [line for line in lines if line.startswith("inference affine1.b")]
    assert "ours is the outlier, torch and jax agree: ours - torch: 2.0e+00 of scale" in line


def test_two_voices_are_undecided(check, monkeypatch):
    monkeypatch.setitem(NETWORKS, "lenet", Wrong)
    status, lines, _ = check("lenet", "--against", "jax", "--dtype", "float64")
    assert status == 1
    assert lines[-1].startswith(
        "DISAGREE: ours and jax differ, undecided which is wrong with only two voices; 1 of 13"
    )


def test_without_torch_only_the_referees_are_heard(check):
    status, lines, _ = check("simple_conv_net", "--against", "onnxruntime,jax", "--dtype", "float64", "-v")
    assert status == 0 and lines[-1] == "AGREE: ours, onnxruntime and jax on everything compared"
    assert not any("PyTorch" in line or line.startswith("alone") for line in lines)
    assert sum(line.startswith("inference W") for line in lines) == 3


def test_torch_alone_is_as_without(check):
    arguments = ("lenet", "--dtype", "float64", "--steps", 0)
    assert check(*arguments, "--against", "torch") == check(*arguments)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("lenet", "--against", "torch,caffe"), "no referee is named caffe; there are torch, jax"),
        (("lenet", "--against", ","), "no referee is named ','; there are torch, jax, onnxruntime"),
        (("relu", "--against", "jax"), "individual layers and training are compared with torch only"),
        (("lenet", "--train", "--against", "jax"), "individual layers and training are compared with"),
    ],
)
def test_misuse_is_one_sentence_and_status_2(check, arguments, sentence):
    status, lines, err = check(*arguments)
    assert (status, lines) == (2, []) and err.startswith(f"error: {sentence}") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("package", "referee", "what"),
    [
        ("jax", "jax", "jax cannot be used, since jax is not installed"),
        ("onnxruntime", "onnxruntime", "onnxruntime cannot be used, since onnxruntime is not installed"),
        ("onnx", "onnxruntime", "onnxruntime cannot be used, since onnx is not installed"),
    ],
)
def test_a_missing_extra_says_how_to_get_it(check, monkeypatch, package, referee, what):
    monkeypatch.setitem(sys.modules, package, None)
    status, lines, err = check("lenet", "--against", f"torch,{referee}")
    assert (status, lines, err) == (2, [], f"error: {what}: pip install '.[referees]'\n")
