"""tools/speed_parts.py: what belongs to which part, and what bounds it."""

import importlib.util
from pathlib import Path

import pytest
import torch

from parity.reference.machine import Peaks
from parity.timing import clock
from parity.timing.costs import Cost


@pytest.fixture(scope="module")
def tool():
    path = Path(__file__).parents[3] / "tools/speed_parts.py"
    spec = importlib.util.spec_from_file_location("speed_parts", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def small_peaks(tool, monkeypatch):
    monkeypatch.setattr(tool.machine, "GEMM", 64)
    monkeypatch.setattr(tool.machine, "COPY_MB", 1)


@pytest.mark.parametrize(
    ("operator", "part"),
    [
        ("aten::mkldnn_convolution", "convolution"),
        ("aten::native_batch_norm_backward", "batch normalization"),
        ("aten::max_pool2d_with_indices_backward", "pooling"),
        ("aten::threshold_backward", "activations"),
        ("aten::addmm", "fully connected and loss"),
        ("Optimizer.step#SGD.step", "optimizer"),
        ("aten::cat", "the rest"),
    ],
)
def test_an_operator_of_pytorchs_belongs_to_a_part(operator, part, tool):
    assert tool.part_of(operator) == part


def test_the_larger_share_of_a_peak_bounds_a_part(tool):
    peaks = Peaks(100.0, 10.0)
    assert tool.bound(1.0, Cost(80_000_000, 1_000_000), peaks) == ("80%", "10%", "products")
    assert tool.bound(1.0, Cost(0, 5_000_000), peaks) == ("", "50%", "memory traffic")
    assert tool.bound(9.0, Cost(0, 5_000_000), peaks)[2] == "calls and passes beyond the least"


def test_every_part_has_a_row_for_both_sides(tool, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(clock, "others_seconds", lambda: 0.0)
    assert tool.main(["lenet:2", "--rounds", "1", "--threads", "1", "--out", str(tmp_path / "parts.md")]) == 0
    text = capsys.readouterr().out
    for part in (
        "convolution",
        "pooling",
        "optimizer",
        "the rest",
        "convolution with what follows it",
        "all",
    ):
        assert f"| {part} | " in text
    assert (tmp_path / "parts.md").read_text() == text


def test_all_that_runs_inside_the_optimizer_is_its_time(tool):
    weights = torch.nn.Parameter(torch.zeros(1_000_000))
    weights.grad = torch.ones_like(weights)
    found = tool.timed_torch(torch.optim.SGD([weights], lr=0.1).step, predicting=False)
    assert found["optimizer"] > found["the rest"]


def test_disturbed_rounds_give_no_table(tool, monkeypatch, capsys):
    growing = iter(range(0, 10**12, 10**6))
    monkeypatch.setattr(clock, "others_seconds", lambda: float(next(growing)))
    assert tool.main(["lenet:2", "--rounds", "1", "--threads", "1"]) == 0
    text = capsys.readouterr().out
    assert text.count("disturbed, other processes used up to ") == 2 and "| part |" not in text


def test_a_network_without_a_number_is_misuse(tool, capsys):
    assert tool.main(["lenet"]) == 2 and capsys.readouterr().err.startswith("error: ")
