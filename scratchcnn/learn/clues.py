"""What the numbers of a wrong answer say of the mistake, where it is none of the usual ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np

from scratchcnn.learn.exercise import Difference, Results
from scratchcnn.typing import Array

Clue = tuple[str, dict[str, Any]]  # the key of a message, and what is put into it
MOST_DENOMINATOR = 150  # of a factor that is written as a fraction
MOST_WRONG = 0.75  # of the numbers, where counting them says something


def clues(first: Difference, found: Mapping[str, Results | Exception]) -> list[Clue]:
    """What is to be said of the first wrong result, the most telling first; empty if nothing is plain."""
    return [*_of(first), *_right_elsewhere(first, found)]


def _of(first: Difference) -> Iterator[Clue]:
    ours, wanted = np.asarray(first.ours), np.asarray(first.wanted)
    if first.error is not None:
        yield from _of_error(first.error)
    elif first.ours is None:
        yield _of_none(first.tensor), {"tensor": first.tensor}
    elif ours.dtype.kind not in "fiub":
        yield "clue_type", {"type": type(first.ours).__name__}
    elif ours.shape != wanted.shape:
        yield _of_shapes(ours.shape, wanted.shape)
    elif isinstance(first.wanted, bool):
        what = first.tensor if ", " in first.tensor else first.case
        yield "clue_answer", {"what": what, "ours": bool(ours), "wanted": first.wanted}
    elif isinstance(first.wanted, int):
        off = float(ours - wanted)
        if ours.dtype.kind == "f":
            yield "clue_fraction", {"ours": first.ours}
        if off:
            yield "clue_too_large" if off > 0 else "clue_too_small", {"off": f"{abs(off):g}"}
    else:
        yield from _of_values(first.tensor, ours.astype(float), wanted.astype(float))


def _of_none(tensor: str) -> str:
    if tensor in ("dW", "db"):
        return "clue_unset"
    return "clue_not_reached" if tensor.startswith(("dW", "db")) else "clue_none"


def _of_error(error: Exception) -> Iterator[Clue]:
    if isinstance(error, TypeError | AttributeError) and "NoneType" in str(error):
        yield "clue_none_inside", {}
    elif "array element with a sequence" in str(error):
        yield "clue_sequence", {}
    elif isinstance(error, ValueError | IndexError):
        yield "clue_shapes", {}
    else:
        yield "clue_line", {}


def _of_shapes(ours: tuple[int, ...], wanted: tuple[int, ...]) -> Clue:
    if not (ours and wanted):
        return "clue_one_number" if wanted else "clue_one_answer", {"shape": ours or wanted}
    if tuple(n for n in ours if n != 1) == tuple(n for n in wanted if n != 1):
        return "clue_ones", {}
    if len(ours) == len(wanted) and sorted(ours) == sorted(wanted):
        order = next(p for p in permutations(range(len(ours))) if tuple(wanted[i] for i in p) == ours)
        return "clue_axes", {"order": order}
    if len(ours) != len(wanted):
        return "clue_dimensions", {"ours": len(ours), "wanted": len(wanted)}
    axis = next(i for i, (a, b) in enumerate(zip(ours, wanted, strict=True)) if a != b)
    return "clue_size", {"axis": axis, "ours": ours[axis], "wanted": wanted[axis]}


def _of_values(tensor: str, ours: Array, wanted: Array) -> Iterator[Clue]:
    """One thing that holds of all numbers, or where the wrong ones are."""
    off, many = ~np.isclose(ours, wanted, rtol=1e-9, atol=1e-9), ours.size > 1
    if not np.isfinite(ours).all():
        yield "clue_not_finite", {}
    elif not ours.any():
        yield "clue_zeros", {}
    elif many and (factor := _factor(ours, wanted)) is not None:
        yield ("clue_sign", {}) if factor == -1 else ("clue_factor", {"factor": factor})
    elif many and _constant(ours):
        yield "clue_same", {}
    elif many and (ours == np.round(ours)).all() and (wanted != np.round(wanted)).any():
        yield "clue_whole", {}
    elif not many and (factor := _simple(ours / wanted)):
        yield "clue_factor_one", {"factor": factor}
    elif many and _constant(ours - wanted):
        yield "clue_offset", {"offset": f"{float((ours - wanted).flat[0]):.4g}"}
    elif ours.ndim == 4 and _constant_per_channel(ours - wanted):
        yield "clue_channels", {}
    elif ours.ndim == 4 and (factor := _factor(_centred(ours), _centred(wanted))) is not None:
        yield "clue_factor_but_bias", {"factor": factor}
    elif many and np.allclose(np.sort(ours, axis=None), np.sort(wanted, axis=None)):
        yield "clue_places", {}
    elif off.sum() < off.size:
        where = _where(tensor, off)
        counted = {"wrong": int(off.sum()), "all": off.size}
        if where:
            yield "clue_some", counted | {"where": where}
        elif off.mean() <= MOST_WRONG:
            yield "clue_scattered", counted


def _centred(a: Array) -> Array:
    """Each channel without its mean."""
    centred: Array = a - a.mean(axis=(0, 2, 3), keepdims=True)
    return centred


def _factor(ours: Array, wanted: Array) -> str | int | None:
    """k as a fraction, where ours is k times what is wanted; -1 as a number; else None."""
    there = np.abs(wanted) > 1e-9
    if not there.any() or np.abs(ours[~there]).max(initial=0) > 1e-9:
        return None
    ratios = ours[there] / wanted[there]
    k = float(ratios[0])
    if not np.allclose(ratios, k, rtol=1e-6):
        return None
    if math.isclose(k, -1, rel_tol=1e-6):
        return -1
    fraction = Fraction(k).limit_denominator(MOST_DENOMINATOR)
    return str(fraction) if math.isclose(float(fraction), k, rel_tol=1e-6) else f"{k:.4g}"


def _simple(ratio: Array) -> str:
    """4 or 1/4 as a text; "" for a factor that says nothing."""
    k = float(ratio)
    for value, text in ((k, "{}"), (1 / k if k else 0.0, "1/{}")):
        if 1 < value < MOST_DENOMINATOR and math.isclose(value, round(value), rel_tol=1e-9):
            return text.format(round(value))
    return ""


def _constant(a: Array) -> bool:
    """Whether all numbers are the same."""
    return bool(np.allclose(a, a.flat[0], rtol=1e-9, atol=1e-9))


def _constant_per_channel(a: Array) -> bool:
    return a.shape[1] > 1 and all(_constant(a[:, c]) for c in range(a.shape[1]))


def _where(tensor: str, off: Array) -> str:
    """`dx[:, :, 0, :]` or `dx[:, [0, 5], :, :]`: what the wrong places have in common; "" for nothing."""
    parts = []
    for axis, size in enumerate(off.shape):
        wrong = sorted({int(i) for i in np.nonzero(off)[axis]})
        parts.append(":" if len(wrong) == size else str(wrong if len(wrong) > 1 else wrong[0]))
    return f"{tensor}[{', '.join(parts)}]" if set(parts) != {":"} else ""


def _right_elsewhere(first: Difference, found: Mapping[str, Results | Exception]) -> Iterator[Clue]:
    """The input before it, on which all was right."""
    before = list(found)[: list(found).index(first.case)]
    if before:
        yield "clue_right_on", {"right": before[-1], "wrong": first.case}
