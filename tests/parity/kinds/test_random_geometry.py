"""Random geometry finds what the fixed probes miss, shrinks it, and prints lines that run."""

import contextlib
import io

import numpy as np
import pytest
from helpers import failed
from rich.console import Console

import scratchcnn as sc
from parity import verify
from parity.checks.layer import check_kind
from parity.checks.random_search import search
from parity.cli.run_checks import wrong_geometry
from parity.kinds import kind_of
from parity.kinds.probes import probes
from parity.kinds.random_geometry import WINDOWS, draw, probe_named, random_geometry


class WrongAtStrideThree(sc.Convolution):
    """Wrong only where both strides are 3 and one row is padded: none of the fixed probes."""

    def backward(self, dout):
        dx = super().backward(dout)
        return 1.5 * dx if self.stride == (3, 3) and self.pad[0] == 1 else dx


class WrongOnOneRow(sc.Pooling):
    """Wrong only on wide images of a single row."""

    def forward(self, x):
        out = super().forward(x)
        return out + 1 if x.shape[2] == 1 and x.shape[3] > 3 else out


HIDDEN = {"convolution": WrongAtStrideThree, "max_pooling": WrongOnOneRow}


@pytest.mark.parametrize("kind", HIDDEN)
def test_finds_and_shrinks_what_no_fixed_probe_shows(kind):
    assert failed(check_kind(kind, factory=HIDDEN[kind])) == []
    found = search(kind, HIDDEN[kind]).probe
    assert found is not None
    assert found.inputs["x"].size <= 4  # (1, 1, 3, 1) and (1, 1, 1, 4)


@pytest.mark.parametrize("kind", WINDOWS)
def test_finds_nothing_wrong_with_ours(kind):
    found = search(kind, kind_of(kind).ours, examples=30)
    assert found.probe is None and found.tried == 30


@pytest.mark.parametrize("kind", WINDOWS)
def test_a_random_probe_is_made_again_from_its_name(kind):
    for seed in range(5):
        probe = draw(kind, seed)
        again = probe_named(kind, probe.id, seed)
        assert again.id == probe.id and again.needs == probe.needs
        for name, array in probe.inputs.items():
            np.testing.assert_array_equal(again.inputs[name], array)


def test_every_drawn_geometry_is_one_that_pytorch_takes_and_they_differ():
    rng = np.random.default_rng(0)
    drawn = [random_geometry(lambda a, b: int(rng.integers(a, b + 1)), "max_pooling") for _ in range(50)]
    assert len({g["stride"] for g in drawn}) == 9 and any(g["ceil_mode"] for g in drawn)
    assert any(g["H"] != g["W"] for g in drawn) and {g["N"] for g in drawn} == {1, 2, 3}


def test_verify_tries_random_geometry_and_its_reproduction_runs():
    verdict = verify(WrongOnOneRow, "max_pooling")
    assert not verdict.ok and verdict.diagnosis.fault == ""
    assert verdict.culprit.tensor == "out" and verdict.first.record.case not in {
        probe.id for probe in probes("max_pooling")
    }
    assert len(verdict.reproduction.splitlines()) <= 6
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(verdict.reproduction, {"WrongOnOneRow": WrongOnOneRow})
    ours, _, theirs = printed.getvalue().partition("PyTorch:")
    assert ours.strip() and theirs.strip() and ours.split() != theirs.split()


def test_check_prints_a_reproduction_for_a_wrong_layer_of_ours(as_ours):
    as_ours("convolution", WrongAtStrideThree)
    console = Console(file=io.StringIO(), soft_wrap=True)
    rows = wrong_geometry(console, "convolution")
    assert [row.tensor for row in rows if not row.ok] == ["dx"]
    text = console.file.getvalue()
    assert "reproduce backward dx" in text and "WrongAtStrideThree(" in text and "stride=3" in text
    assert wrong_geometry(console, "relu") == []
