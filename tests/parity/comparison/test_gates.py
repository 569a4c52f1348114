"""The gates: what never passes, what passes by how much, that large tensors are judged like small ones."""

import math

import numpy as np
import pytest
import torch
from helpers import draw

from parity.comparison import gates as compare
from parity.comparison.gates import difference, largest, logic_gate, precision_gate

R = draw(4, 5)
GATES = {
    "logic": lambda ours: logic_gate(ours, R),
    "precision": lambda ours: precision_gate(ours, R.astype(np.float32), R, floor=1.0),
}
DTYPES = {"logic": np.float64, "precision": np.float32}


def spoiled(value, dtype):
    a = R.astype(dtype)
    a[2, 3] = value
    return a


NEVER = {
    "missing": (lambda d: None, "missing"),
    "NaN": (lambda d: spoiled(np.nan, d), "not finite"),
    "Inf": (lambda d: spoiled(np.inf, d), "not finite"),
    "all NaN": (lambda d: np.full((4, 5), np.nan, d), "not finite"),
    "other shape": (lambda d: R.astype(d).T, r"shape (5, 4), expected (4, 5)"),
    "one axis more": (lambda d: R.astype(d)[None], r"shape (1, 4, 5), expected (4, 5)"),
    "broadcastable row": (lambda d: R[:1].astype(d), r"shape (1, 5), expected (4, 5)"),
    "broadcastable number": (lambda d: d(1.0), r"shape (), expected (4, 5)"),
    "empty": (lambda d: np.zeros((0, 5), d), r"shape (0, 5), expected (4, 5)"),
    "integers": (lambda d: np.round(R).astype(np.int64), "dtype int64, expected"),
    "float16": (lambda d: R.astype(np.float16), "dtype float16, expected"),
    "the other float": (lambda d: R.astype(np.float32 if d is np.float64 else np.float64), "expected float"),
    "a Python number": (lambda d: 1.0, "expected an array, got float"),
    "a list": (lambda d: R.tolist(), "expected an array, got list"),
    "a tensor": (lambda d: torch.tensor(R.astype(d)), "expected an array, got Tensor"),
}


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize(("make", "why"), NEVER.values(), ids=NEVER)
def test_what_never_passes(gate, make, why):
    result = GATES[gate](make(DTYPES[gate]))
    assert not result.ok and not result.exact and result.margin == math.inf
    assert why in result.why


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_reference_that_is_not_finite_passes_nothing_not_even_itself(value):
    bad = spoiled(value, np.float64)
    assert not logic_gate(bad.copy(), bad).ok
    assert logic_gate(bad.copy(), bad).why
    assert not precision_gate(bad.astype(np.float32), R.astype(np.float32), bad).ok
    refused = precision_gate(R.astype(np.float32), bad.astype(np.float32), R)
    assert not refused.ok and refused.why == "PyTorch's own result is not finite"


# -- the logic gate -------------------------------------------------------------------------------
@pytest.mark.parametrize(("share", "ok"), [(0.0, True), (0.9, True), (1.1, False), (1e6, False)])
def test_the_logic_gate_is_1e_9_of_the_largest_value(share, ok):
    ours = R.copy()
    ours[1, 2] += share * 1e-9 * np.abs(R).max()
    result = logic_gate(ours, R)
    assert result.ok is ok and result.exact is (share == 0)
    assert result.margin == pytest.approx(share, abs=1e-5, rel=1e-3)
    assert result.allowed == 1e-9 * np.abs(R).max() and result.max_abs == result.max_rel * np.abs(R).max()


def test_zeros_match_zeros_alone():
    zero = np.zeros((2, 3))
    assert logic_gate(zero.copy(), zero).ok
    result = logic_gate(np.full((2, 3), 1e-300), zero)
    assert not result.ok and result.margin == result.max_rel == math.inf


@pytest.mark.parametrize(
    "reference", [np.zeros((2, 3)), np.zeros((0, 3)), np.ones((2, 3))], ids=["zeros", "empty", "equal"]
)
def test_a_reference_that_any_tensor_would_match_proves_nothing(reference):
    """Zeros, nothing, and equal numbers, of which no exchange would show."""
    result = logic_gate(reference.copy(), reference)
    assert result.ok and not result.proves
    assert logic_gate(R.copy(), R).proves


def test_numpy_scalars_are_arrays():
    assert logic_gate(np.float64(2.5), np.asarray(2.5)).ok
    assert not logic_gate(np.float32(2.5), np.asarray(2.5)).ok


# -- the precision gate ---------------------------------------------------------------------------
def gemm(seed, convert):
    """A product of 300 terms in float32 by NumPy (through `convert`), by PyTorch, and in float64."""
    a, b = draw(60, 300, seed=seed, dtype=np.float32), draw(300, 40, seed=seed + 1, dtype=np.float32)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    floor = math.sqrt(300) * 2.0**-24 * (np.abs(a) @ np.abs(b)).max()
    return precision_gate(convert(a) @ convert(b), (torch.tensor(a) @ torch.tensor(b)).numpy(), exact, floor)


@pytest.mark.parametrize("seed", range(20))
def test_a_correct_float32_product_passes(seed):
    result = gemm(seed, lambda a: a)
    assert result.ok and result.margin < 0.5


ROUNDED = {
    "float16": lambda a: a.astype(np.float16).astype(np.float32),
    "TF32": lambda a: (np.round(a.view(np.uint32) / 2**13) * 2**13).astype(np.uint32).view(np.float32),
    "bfloat16": lambda a: torch.tensor(a).bfloat16().float().numpy(),
}


@pytest.mark.parametrize("convert", ROUNDED.values(), ids=ROUNDED)
@pytest.mark.parametrize("seed", range(5))
def test_a_product_of_rounded_numbers_does_not(seed, convert):
    result = gemm(seed, convert)
    assert not result.ok and not result.why and result.margin > 1.5


def test_ours_may_be_as_far_off_as_pytorch_times_c():
    exact, theirs = np.ones(4), np.ones(4, np.float32) + np.float32(1e-3)
    for share, ok in ((0.9, True), (1.1, False)):
        ours = (exact + share * compare.C * 1e-3).astype(np.float32)
        assert precision_gate(ours, theirs, exact).ok is ok
        assert precision_gate(ours, exact.astype(np.float32), exact, error=1e-3).ok is ok
        assert precision_gate(ours, exact.astype(np.float32), exact, floor=1e-3).ok is ok


def test_exact_is_the_same_bits_as_pytorchs():
    theirs = (R * (1 + 1e-7)).astype(np.float32)
    assert precision_gate(theirs.copy(), theirs, R).exact
    assert not precision_gate(np.nextafter(theirs, np.float32(9)), theirs, R).exact


# -- chunks ---------------------------------------------------------------------------------------
SHAPES = {
    "one chunk": (7, 5),
    "rows": (1000, 7),
    "one long row": (1, 5000),
    "images": (9, 3, 20, 10),
    "vector": (3001,),
}


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(compare, "CHUNK", 64)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_chunks_change_nothing(shape, small_chunks):
    a, b = draw(*shape), draw(*shape, seed=1)
    assert difference(a, b) == np.abs(a - b).max() and largest(a) == np.abs(a).max()
    b.flat[-1] = 1e9
    assert difference(a, b) == np.abs(a - b).max()


@pytest.mark.parametrize("place", [0, 3000, 5999], ids=["first", "middle", "last"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_seen_in_every_chunk(place, value, small_chunks):
    a, b = draw(2000, 3), draw(2000, 3)
    b.flat[place] = value
    assert not math.isfinite(difference(a, b)) and not math.isfinite(largest(b))
    assert not math.isfinite(difference(b, b))
    assert not logic_gate(b, a).ok and not logic_gate(a, b).ok


def test_float32_differences_are_taken_in_float64():
    a, b = np.float32([16777216.0]), np.float32([-16777217.0 - 2])
    assert difference(a, b) == 16777216.0 + 16777220.0
    big = np.full(3, 3e38, np.float32)
    assert difference(big, -big) == pytest.approx(6e38)


def test_scalars_and_empty_arrays():
    assert difference(np.asarray(1.5), np.asarray(1.0)) == 0.5
    assert difference(np.zeros((0, 3)), np.zeros((0, 3))) == largest(np.zeros(0)) == 0
