"""The checks with PyTorch on a GPU, and what is said where there is none."""

import pandas as pd
import pytest
import torch
from helpers import failed

from parity.checks.layer import check_kind
from parity.checks.network import Case, check_network
from parity.kinds import KINDS
from parity.reference import devices


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["simple_conv_net", "lenet", "lenet5"])
def test_networks_match_on_the_gpu(name, dtype):
    devices.prepare("cuda")
    rows = list(check_network(Case(name, dtype, "cuda", steps=3)))
    assert failed(rows) == []
    assert {row.device for row in rows} == {"cuda"}


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_layers_match_on_the_gpu(kind, dtype):
    devices.prepare("cuda")
    assert failed(check_kind(kind, dtype, "cuda")) == []


@pytest.mark.cuda
def test_the_command_runs_on_the_gpu(parity):
    status, out, _ = parity("check", "lenet", "convolution", "--device", "cuda", "--steps", 2)
    assert status == 0 and "MATCH" in out


@pytest.mark.cuda
def test_the_settings_of_the_gpu_are_recorded():
    devices.prepare("cuda")
    found = devices.settings("cuda")
    assert found["tf32_matmul"] is found["tf32_cudnn"] is found["cudnn_benchmark"] is False
    assert found["cudnn_deterministic"] is True and found["gpu"] and found["cudnn"]


@pytest.mark.parametrize(
    ("built", "reason"), [(True, "this PyTorch has CUDA"), (False, "this PyTorch is a CPU build")]
)
def test_no_gpu_is_one_sentence_and_status_2(built, reason, monkeypatch, parity):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: built)
    sentence = f"no CUDA device was found ({reason}); leave out --device cuda to run on the CPU"
    for command in ("check", "train"):
        assert parity(command, "lenet", "--device", "cuda") == (2, "", f"error: {sentence}\n")


def test_the_cpu_needs_no_preparation():
    devices.prepare("cpu")
    assert devices.settings("cpu").keys() == {"torch", "device", "threads"}


def test_float32_runs_with_and_without_tf32_on_a_gpu():
    assert devices.modes("cpu", ["float64", "float32"]) == [("cpu", ["float64", "float32"])]
    assert devices.modes("cuda", ["float64"]) == [("cuda", ["float64"])]
    assert devices.modes("cuda", ["float64", "float32"]) == [
        ("cuda", ["float64", "float32"]),
        ("cuda tf32", ["float32"]),
    ]


@pytest.mark.cuda
def test_both_modes_are_in_the_table(tmp_path, parity):
    status = parity("check", "lenet", "--device", "cuda", "--steps", 2, "--out", tmp_path).status
    table = pd.read_parquet(tmp_path / "check.parquet")
    assert status == 0
    assert {"cuda", "cuda tf32"} == set(table["device"])
    assert set(table.loc[table["device"] == "cuda tf32", "dtype"]) == {"float32"}
