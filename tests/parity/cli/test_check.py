"""`python -m parity`: its exit status, its sentences, its files."""

from dataclasses import replace

import pandas as pd
import pytest
from helpers import python

import scratchcnn as sc
from parity.checks import network as check
from parity.checks import training
from parity.kinds import KINDS
from scratchcnn.data import load


class Wrong(sc.Sigmoid):
    def backward(self, dout):
        return super().backward(dout) * 2


@pytest.fixture
def broken_lenet(monkeypatch):
    build_pair = check.build_pair

    def build(*args):
        network, module = build_pair(*args)
        network.layers["sigmoid2"].__class__ = Wrong
        return network, module

    monkeypatch.setattr(check, "build_pair", build)


# -- check ----------------------------------------------------------------------------------------
def test_a_network_that_matches_ends_with_0(parity):
    status, out, err = parity("check", "lenet", "--steps", 2)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[-1] == "MATCH: the same functions as PyTorch's on everything compared"
    assert "FAIL" not in out and "MISMATCH" not in out
    verdict = [line for line in lines if "tensors, 0 wrong" in line]
    assert [line.split()[:2] for line in verdict] == [["lenet", "float64"], ["lenet", "float32"]]
    assert any(line.startswith("forward") and "conv1" in line and "8x6x28x28" in line for line in lines)
    assert sum(line.startswith("step 2") for line in lines) == 2


def test_a_mismatch_ends_with_1_and_says_where(parity, broken_lenet):
    status, out, _ = parity("check", "lenet", "--dtype", "float64", "--steps", 1)
    assert status == 1
    assert "MISMATCH" in out.splitlines()[-1] and "the first: lenet sigmoid2 backward dx float64" in out
    failing = [line for line in out.splitlines() if line.endswith("FAIL")]
    assert any(line.startswith("alone") and "sigmoid2" in line for line in failing)


def test_one_dtype_one_seed_no_steps(parity):
    status, out, _ = parity(
        "check", "simple-conv-net", "--dtype", "float64", "--seed", 5, "--steps", 0, "--batch-size", 2
    )
    assert status == 0
    assert "seed 5" in out and "2x30x24x24" in out and "float32" not in out and "step 1" not in out


def test_individual_layers(parity):
    status, out, _ = parity("check", "convolution", "max_pooling", "--dtype", "float64")
    assert status == 0 and "individual layers" in out
    assert any(line.startswith("convolution") and "probes" in line for line in out.splitlines())


def test_verbose_names_every_probe(parity):
    status, out, _ = parity("check", "affine", "relu", "--dtype", "float64", "-v")
    assert status == 0
    for case in ("[one number]", "[square W]", "[zeros at the kink]"):
        assert case in out


def test_verbose_shows_every_tensor_of_a_step(parity):
    _, out, _ = parity("check", "lenet", "--dtype", "float64", "--steps", 1, "--verbose")
    assert sum(line.startswith("step 1") for line in out.splitlines()) > 20


def test_out_writes_csv_and_parquet(parity, tmp_path):
    status, out, _ = parity("check", "lenet", "relu", "--steps", 1, "--out", tmp_path / "found")
    assert status == 0 and "wrote" in out
    table = pd.read_parquet(tmp_path / "found" / "check.parquet")
    columns = [
        "network",
        "layer",
        "phase",
        "tensor",
        "dtype",
        "device",
        "shape",
        "max_abs",
        "max_rel",
        "allowed",
        "margin",
        "exact",
        "ok",
    ]
    assert [column for column in table.columns if column in columns] == columns
    assert table["ok"].all() and table["ok"].dtype == bool
    assert set(table["network"]) == {"lenet", ""} and set(table["dtype"]) == {"float64", "float32"}
    assert len(pd.read_csv(tmp_path / "found" / "check.csv")) == len(table)


def test_a_mismatch_is_written_too(parity, broken_lenet, tmp_path):
    assert parity("check", "lenet", "--steps", 0, "--out", tmp_path)[0] == 1
    table = pd.read_parquet(tmp_path / "check.parquet")
    wrong = table[~table["ok"]]
    assert not wrong.empty and (wrong["margin"] > 1).all()
    assert set(wrong.loc[wrong["phase"] == "alone", "layer"]) == {"sigmoid2"}


# -- train ----------------------------------------------------------------------------------------
def test_train(parity, monkeypatch, tmp_path):
    data = load()
    few = replace(data, x_train=data.x_train[:600], t_train=data.t_train[:600])
    monkeypatch.setattr(training, "load", lambda *args, **options: few)
    options = ("--epochs", 1, "--dtype", "float64", "--batch-size", 30, "--out", tmp_path)
    status, out, _ = parity("train", "simple_conv_net", *options)
    assert status == 0 and "100.00% of the predictions are the same" in out
    assert out.splitlines()[-1].startswith("MATCH")
    assert pd.read_parquet(tmp_path / "training.parquet")["epoch"].tolist() == [1]


def test_networks_that_learnt_nothing_are_undecided(parity, monkeypatch, tmp_path):
    data = load()
    few = replace(data, x_train=data.x_train[:60], t_train=data.t_train[:60])
    monkeypatch.setattr(training, "load", lambda *args, **options: few)
    status, out, _ = parity("train", "lenet", "--epochs", 1, "--dtype", "float64", "--out", tmp_path)
    assert status == 2 and "has not learnt, so that this proves nothing" in out
    assert out.splitlines()[-1].startswith("UNDECIDED: nothing differed, but the networks have not learnt")


# -- misuse ---------------------------------------------------------------------------------------
MISUSE = {
    "unknown network": (
        ("check", "resnet99"),
        "error: nothing is named resnet99; networks: simple_conv_net, lenet, lenet5, ",
    ),
    "two unknown": (("check", "lenet", "a", "b"), "error: nothing is named a, b; networks: "),
    "train a layer": (("train", "relu"), "error: relu is a layer; train takes a network"),
    "train an unknown": (("train", "x"), "error: nothing is named x; "),
}


@pytest.mark.parametrize(("arguments", "sentence"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_one_sentence_and_2(arguments, sentence, parity):
    status, _, err = parity(*arguments)
    assert status == 2
    assert err.startswith(sentence) and err.count("\n") == 1


def test_an_unknown_name_lists_all_layers(parity):
    assert all(kind in parity("check", "x")[2] for kind in KINDS)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "lenet", "--dtype", "float16"),
        ("check", "lenet", "--steps", -1),
        ("check", "--device", "tpu"),
        ("train", "lenet", "--data", "cifar"),
        ("check", "lenet", "--seed", "x"),
        ("check", "lenet", "--batch-size", 0),
        ("nonsense",),
    ],
    ids=lambda arguments: " ".join(map(str, arguments)),
)
def test_wrong_options_end_with_2(arguments, parity):
    status, _, err = parity(*arguments)
    assert status == 2 and "Traceback" not in err and err


def test_an_out_folder_that_is_a_file_is_refused(parity, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, err = parity("check", "relu", "--out", tmp_path / "file")
    assert status == 2 and err.startswith("error: ") and err.count("\n") == 1


@pytest.mark.parametrize("arguments", [(), ("check",), ("train",)], ids=["parity", "check", "train"])
def test_help_names_every_option_and_default(arguments):
    done = python("-m", "parity", *arguments, "-h")
    options = {(): ("check", "train"), ("check",): ("--steps", "10", "--dtype", "both", "--out")}
    assert (done.returncode, done.stderr) == (0, "") and "Usage" in done.stdout
    assert all(word in done.stdout for word in options.get(arguments, ("--epochs",)))
