"""The checks with PyTorch on a GPU, and what is said where there is none."""

import inspect

import pandas as pd
import pytest
import torch
from helpers import failed

from parity.checks.layer import check_kind
from parity.checks.network import Case, check_network
from parity.checks.reference_error import check_reference
from parity.kinds import KINDS, tensors
from parity.reference import devices
from parity.reference.networks import TORCH_NETWORKS
from scratchcnn.networks import NETWORKS


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["simple_conv_net", "lenet", "lenet5"])
def test_networks_match_on_the_gpu(name, dtype):
    devices.prepare("cuda")
    rows = list(check_network(Case(name, dtype, "cuda", steps=3)))
    assert failed(rows) == []
    assert {row.device for row in rows} == {"cuda"}


@pytest.mark.cuda
@pytest.mark.parametrize(("kind", "dtype"), [(k.name, dtype) for k in KINDS.values() for dtype in k.dtypes])
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


def test_every_mode_runs_on_a_gpu_and_tf32_in_float32_alone():
    both = ["float64", "float32"]
    assert devices.modes("cpu", both) == [("cpu", both)]
    assert devices.modes("cuda", both) == [
        ("cuda", both),
        ("cuda tf32", ["float32"]),
        ("cuda channels_last", both),
        ("cuda cudnn_benchmark", both),
    ]
    assert "cuda tf32" not in dict(devices.modes("cuda", ["float64"]))


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="'cuda fast' is no place to run; there are cpu, cuda, cuda tf32, "):
        devices.prepare("cuda fast")


@pytest.mark.parametrize("frozen", [False, True], ids=["as it is", "after disable_global_flags"])
@pytest.mark.parametrize("place", devices.PLACES[1:])
def test_a_mode_sets_its_switches_and_no_others(place, frozen, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    # PyTorch's own test modules freeze the switches at import, for the rest of the process
    monkeypatch.setattr(torch.backends, "__allow_nonbracketed_mutation_flag", not frozen)
    backends, mode = torch.backends, place.partition(" ")[2]
    before = (backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32)
    try:
        assert devices.prepare(place) == "cuda"
        assert backends.cuda.matmul.allow_tf32 is backends.cudnn.allow_tf32 is (mode == "tf32")
        assert backends.cudnn.benchmark is (mode == "cudnn_benchmark")
        assert backends.cudnn.deterministic is (mode != "cudnn_benchmark")
        assert tensors.channels_last() is (mode == "channels_last")
    finally:
        devices.prepare("cpu")
        devices.set_cudnn(allow_tf32=before[1], deterministic=False, benchmark=False)
        backends.cuda.matmul.allow_tf32 = before[0]
    assert not tensors.channels_last()


@pytest.mark.parametrize("name", TORCH_NETWORKS)
def test_a_network_keeps_nothing_on_another_device(name):
    shape = inspect.signature(NETWORKS[name]).parameters["input_dim"].default
    with torch.device("meta"):  # as torch_like builds it on CUDA
        module = TORCH_NETWORKS[name]()
        x, t = torch.empty((2, *shape)), torch.zeros(2, dtype=torch.int64)
    module.loss(module(x), t).backward()  # elementwise operations refuse a mixture
    assert {tensor.device.type for tensor in (*module.parameters(), *module.buffers())} == {"meta"}


@pytest.mark.cuda
def test_tf32_is_on_in_its_mode_alone():
    if torch.cuda.get_device_capability() < (8, 0):
        pytest.skip("this card has no TF32")
    a = torch.rand(512, 512, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).cuda()
    worst = {}
    for place in ("cuda", "cuda tf32"):
        devices.prepare(place)
        worst[place] = ((a.float() @ a.float()).double() - a @ a).abs().max() / (a @ a).max()
    devices.prepare("cuda")
    assert worst["cuda"] < 1e-5 < worst["cuda tf32"] < 2**-8


@pytest.mark.cuda
@pytest.mark.parametrize("place", devices.PLACES[1:])
def test_pytorch_on_the_gpu_is_as_right_as_its_rounding_allows(place):
    try:
        devices.prepare(place)
        for kind, dtype in ((k, d) for k in ("convolution", "affine") for d in ("float64", "float32")):
            rows = check_reference(kind, dtype, "cuda", tf32=place == "cuda tf32")
            assert [row for row in rows if not row.ok] == []
    finally:
        devices.prepare("cuda")


@pytest.mark.cuda
def test_transfers_are_timed_apart(parity, tmp_path):
    status, out, _ = parity(
        "time", "lenet", "--device", "cuda", "--quick", "--batch-size", 2, "--threads", 1, "--out", tmp_path
    )
    table = pd.read_parquet(tmp_path / "speed.parquet")
    assert status == 0 and "host_to_device" in out
    assert {"host_to_device", "device_to_host"} < set(table.loc[table["device"] == "cuda", "phase"])
    assert table.loc[table["device"] == "cuda", "gemm_share"].isna().all()


@pytest.mark.cuda
def test_every_mode_is_in_the_table(tmp_path, parity):
    status = parity("check", "lenet", "--device", "cuda", "--steps", 2, "--out", tmp_path).status
    table = pd.read_parquet(tmp_path / "check.parquet")
    assert status == 0
    assert set(devices.PLACES[1:]) == set(table["device"])
    assert set(table.loc[table["device"] == "cuda tf32", "dtype"]) == {"float32"}
