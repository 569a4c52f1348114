"""The catalogue of known bugs: told in a sentence, wrong where it says, and no two the same bug."""

import re
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from helpers import failed

from parity.adapters.book import BookAdapter
from parity.checks.layer import check_kind, judge
from parity.faults import FAULTS, Fault, faults_of
from parity.faults.catalogue import activations, batch_norm, convolution, dropout, losses, lrn, pooling
from parity.kinds import ALL_KINDS, kind_of
from parity.kinds.probes import probes

KINDS = sorted(ALL_KINDS)
PLAIN = ("forward", "backward")


def results(fault: Fault, dtype: str = "float64"):
    """Every result of a fault on every probe; it may raise only where the exception is the bug."""
    protocol = BookAdapter()
    for probe in probes(fault.kind):
        cast = probe.cast(dtype)
        try:
            with np.errstate(all="ignore"):
                found = protocol.results(protocol.build(fault.make, cast), cast)
        except (TypeError, ValueError):
            if probe.needs & kind_of(fault.kind).may_refuse:
                continue
            if fault.name.endswith("ceil-mode-ignored") and "larger than" in probe.id:
                continue  # without ceil_mode that window does not fit
            assert fault.says.startswith("an exception"), fault.name
            found = {}
        yield probe, found


def wrong_values(fault: Fault, dtype: str) -> bool:
    found = results(fault, dtype)
    return any(not c.ok for probe, tensors in found for c in judge(probe, tensors, dtype).values())


def broken_contracts(fault: Fault) -> list[str]:
    rows = check_kind(fault.kind, factory=fault.make)
    return [row.phase for row in rows if row.phase not in PLAIN and not row.ok]


@cache
def numbers(name: str) -> dict:
    """All that a fault computes, (probe, tensor) -> array or None, copied."""
    return {
        (probe.id, tensor): None if a is None else np.array(a)
        for probe, tensors in results(FAULTS[name])
        for tensor, a in tensors.items()
    }


def same(a, b) -> bool:
    if a is None or b is None or a.shape != b.shape:
        return a is b
    scale = np.abs(b[np.isfinite(b)]).max(initial=0)
    with np.errstate(invalid="ignore"):
        return bool(np.allclose(a, b, rtol=1e-9, atol=1e-9 * scale, equal_nan=True))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_a_fault_is_told_in_one_sentence(fault):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", fault.name)
    assert fault.kind in ALL_KINDS
    assert fault.story.endswith(".") and ". " not in fault.story
    assert fault.says and not fault.says.endswith(".")


def test_names_are_unique_and_every_kind_has_several():
    families = {fault.name: fault for kind in KINDS for fault in faults_of(kind)}
    assert len(families) == len(FAULTS) == sum(len(faults_of(kind)) for kind in KINDS)
    assert all(len(faults_of(kind)) >= 4 for kind in KINDS)
    assert faults_of("no such kind") == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_faults_of_a_kind_are_called_the_same(kind):
    says = [fault.says for fault in faults_of(kind)]
    assert len(set(says)) == len(says)


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_shows_where_it_says(kind):
    for fault in faults_of(kind):
        wrong = wrong_values(fault, "float64")
        assert wrong == (fault.shows == "values" and not fault.equivalent), fault.name
        if fault.shows == "precision":
            assert wrong_values(fault, "float32"), fault.name
        if fault.shows == "contract":
            assert broken_contracts(fault), fault.name


@pytest.mark.parametrize("fault", [f for f in FAULTS.values() if f.equivalent], ids=lambda fault: fault.name)
def test_an_equivalent_fault_passes_everything(fault):
    for dtype in ("float64", "float32"):
        assert failed(check_kind(fault.kind, dtype, factory=fault.make)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_faults_of_a_kind_compute_the_same(kind):
    wrong = [f.name for f in faults_of(kind) if f.shows == "values" and not f.equivalent]
    for a, b in combinations(wrong, 2):
        x, y = numbers(a), numbers(b)
        assert x.keys() != y.keys() or not all(same(x[key], y[key]) for key in x), f"{a} and {b}"


@pytest.mark.parametrize(
    ("kind", "whole"),
    [
        ("convolution", convolution.Open),
        ("lrn", lrn.OpenLRN),
        ("batch_norm", batch_norm.Open),
        ("max_pooling", pooling.Open),
        ("dropout", dropout.Open),
        ("softmax", activations.OpenSoftmax),
        ("softmax_with_loss", losses.Open),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_layer_taken_apart_is_right_before_it_is_broken(kind, whole):
    for dtype in ("float64", "float32"):
        assert failed(check_kind(kind, dtype, factory=whole)) == []


def test_ours_has_none_of_them():
    for kind in KINDS:
        right = Fault("ours", kind, "", kind_of(kind).ours, "")
        assert not any(wrong_values(right, dtype) for dtype in kind_of(kind).dtypes)
