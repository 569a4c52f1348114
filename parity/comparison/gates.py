"""How a match is judged: two gates, and what never passes.

Logic gate (float64): both sides compute the same numbers in float64, and the largest difference may be
1e-9 of the largest value of the reference tensor. A wrong formula is off by far more, a correct pair by
far less (about 1e-15), so this gate is the one that catches bugs. A result that is nothing but the
rounding of terms that cancel (the gradient of a bias before batch normalization) has no scale of its own:
C times its rounding floor is granted there too, and such a comparison is inconclusive.

Precision gate (float32): two correct float32 results differ from each other by an amount that no fixed
tolerance fits, so neither is the judge. Both are compared with the float64 result, and ours may be off by
C times the larger of PyTorch's own error and the rounding floor sqrt(K) * u * (|a| . |b|), K being the
length of the reduction and u the unit roundoff.

A missing tensor, another shape, another dtype, NaN or infinity never pass. Nothing broadcasts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchcnn.typing import Array

LOGIC = 1e-9  # of the reference tensor's largest value
C = 8.0  # the precision gate's one constant: see README, "How a match is judged"
SLIGHTLY = {"float32": 1e-2, "float64": 1e-6}  # a reference scaled by 1 plus this must fail
UNIT = {"float32": 2.0**-24, "float64": 2.0**-53}  # unit roundoff
CHUNK = 1 << 18  # elements compared at a time, so that they stay in the cache


@dataclass(frozen=True)
class Comparison:
    """The result of comparing one pair of tensors.

    max_abs  largest difference; max_rel that difference over the reference's largest value
    allowed  the largest difference that passes; margin = max_abs / allowed, at most 1 to pass
    exact    whether all bits are the same (reported, never required)
    proves   whether wrong tensors would have failed: zeros, the sign flipped, two elements exchanged, and
             everything scaled by 1 + SLIGHTLY. If one of them would pass, the comparison is inconclusive.
    why      why it cannot pass, where the reason is not the size of the difference
    """

    shape: tuple[int, ...]
    max_abs: float
    max_rel: float
    allowed: float
    margin: float
    exact: bool
    ok: bool
    why: str = ""
    proves: bool = True


def refusal(ours: Any, reference: Array, dtype: Any = None) -> str:
    """Why the pair cannot be compared at all, or an empty string."""
    if ours is None:
        return "missing"
    if not isinstance(ours, (np.ndarray, np.generic)):
        return f"expected an array, got {type(ours).__name__}"
    if ours.shape != reference.shape:
        return f"shape {ours.shape}, expected {reference.shape}"
    expected = np.dtype(reference.dtype if dtype is None else dtype)
    if ours.dtype != expected:
        return f"dtype {ours.dtype}, expected {expected}"
    return ""


def logic_gate(ours: Any, reference: Array, rtol: float = LOGIC, floor: float = 0.0) -> Comparison:
    """Float64 against float64: the difference may be `rtol` of the reference's largest value.

    `floor` is sqrt(K) * u * (|a| . |b|) in float64, where the caller knows it.
    """
    if why := refusal(ours, reference):
        return refused(reference, why)
    return _judge(ours, reference, max(rtol * largest(reference), C * floor), reference)


def precision_gate(
    ours: Any, theirs: Array, exact: Array, floor: float = 0.0, error: float = 0.0
) -> Comparison:
    """Float32 ours and theirs against the float64 result.

    `floor` is sqrt(K) * u * (|a| . |b|) where the caller knows it; u times the largest value is always
    granted. `error` is PyTorch's error if the caller has measured a larger one than `theirs` shows.
    """
    if why := refusal(ours, exact, theirs.dtype):
        return refused(exact, why)
    scale = largest(exact)
    error = _max(iter((error, difference(theirs, exact))))
    if not math.isfinite(error):
        return refused(exact, "PyTorch's own result is not finite")
    return _judge(ours, exact, C * max(error, floor, UNIT[theirs.dtype.name] * scale), theirs)


def refused(reference: Array, why: str) -> Comparison:
    return held(reference.shape, why)


def held(shape: tuple[int, ...], why: str = "") -> Comparison:
    """Of what is no matter of size: it holds, or `why` it does not."""
    if why:
        return Comparison(shape, math.nan, math.nan, math.nan, math.inf, False, False, why)
    return Comparison(shape, 0.0, 0.0, 0.0, 0.0, False, True)


def _judge(ours: Array, reference: Array, allowed: float, twin: Array) -> Comparison:
    worst, scale = difference(ours, reference), largest(reference)
    why = ""
    if not math.isfinite(scale):
        why = "the reference is not finite"
    elif not math.isfinite(worst):
        why = "not finite"
    ok = not why and worst <= allowed
    if worst == 0:
        margin = 0.0
    else:
        margin = worst / allowed if allowed > 0 and not why else math.inf
    relative = worst / scale if scale > 0 else (0.0 if worst == 0 else math.inf)
    exact = worst == 0 if twin is reference else _same(ours, twin)
    proves = discriminates(reference, allowed, SLIGHTLY[ours.dtype.name])
    return Comparison(ours.shape, worst, relative, allowed, margin, bool(exact), bool(ok), why, proves)


def discriminates(reference: Array, allowed: float, slightly: float) -> bool:
    """Whether zeros, the negated, a permuted and a slightly scaled reference would all fail.

    Zeros differ from the reference by its largest value, the negated one by twice that, the scaled one by
    `slightly` of it, and one with its extremes exchanged by their distance (a single element has no
    permutation).
    """
    scale = largest(reference)
    if not slightly * scale > allowed:  # the scaled reference passes, or zeros do, or there is a NaN
        return False
    return reference.size == 1 or float(reference.max()) - float(reference.min()) > allowed


def _chunks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """The arrays side by side, as many rows at a time as fit in the cache."""
    first = arrays[0]
    if first.size <= CHUNK or first.ndim == 0:
        yield arrays
        return
    rows = max(1, CHUNK * len(first) // first.size)
    for i in range(0, len(first), rows):
        yield tuple(a[i : i + rows] for a in arrays)


def largest(a: Array) -> float:
    """max |a|; 0 for an empty array, NaN if it contains one."""
    return _max(float(np.abs(part).max()) if part.size else 0.0 for (part,) in _chunks(a))


def difference(a: Array, b: Array) -> float:
    """max |a - b|, computed in float64; infinities are never equal."""
    with np.errstate(invalid="ignore", over="ignore"):
        return _max(
            float(np.abs(np.subtract(p, q, dtype=np.float64)).max()) if p.size else 0.0
            for p, q in _chunks(a, b)
        )


def _max(values: Iterator[float]) -> float:
    """The largest value, or NaN if there is one (Python's max would drop it)."""
    worst = 0.0
    for value in values:
        if math.isnan(value):
            return math.nan
        worst = max(worst, value)
    return worst


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool(np.array_equal(a, b))
