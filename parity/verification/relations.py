"""In what simple way two arrays that differ are the same after all: `equal to theirs with ...`.

Every sentence is printed only when the relation, applied to one array, gives the other within the
tolerance of its dtype; the remarks on reduced precision come from the size of the errors or from the grid
on which the numbers lie.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from parity.comparison.gates import UNIT, difference, largest
from scratchcnn.typing import Array

TOLERANCE = {"float32": 1e-5, "float64": 1e-9}
FEWEST = 16  # numbers from which the errors' statistics mean something
# Formats by the mantissa bits that a float32 keeps in them.
GRIDS = {"bfloat16": 7, "TF32 or float16": 10}
# Rounded operands give errors of this share of the results' root mean square (3e-4 and 2e-3 measured on
# sums of 147 to 4,096 terms).
PRODUCTS = {"TF32 or float16": (5e-5, 8e-4), "bfloat16": (8e-4, 8e-3)}


def relation(ours: Array, theirs: Array) -> str:
    """The sentence, or an empty string where no simple relation holds."""
    if ours.dtype.kind != "f" or theirs.dtype.kind != "f" or not ours.size:
        return ""
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return ""
    tolerance = max(TOLERANCE.get(a.dtype.name, 1e-3) for a in (ours, theirs))
    for sentence, candidate in _rearranged(theirs, ours.shape):
        if close(ours, candidate, tolerance):
            return sentence
    if ours.shape != theirs.shape:
        same = ours.size == theirs.size and close(ours.reshape(theirs.shape), theirs, tolerance)
        return "equal to theirs in another shape" if same else ""
    return _scaled(ours, theirs, tolerance) or reduced_precision(ours, theirs)


def close(a: Array, b: Array, tolerance: float) -> bool:
    return a.shape == b.shape and difference(a, b) <= tolerance * largest(b)


def _rearranged(theirs: Array, shape: tuple[int, ...]) -> Iterator[tuple[str, Array]]:
    """Theirs with its axes exchanged or reversed, or with flattened images in the other order."""
    if theirs.ndim <= 5:
        for axes in itertools.permutations(range(theirs.ndim)):
            if axes != tuple(range(theirs.ndim)):
                back = tuple(int(i) for i in np.argsort(axes))  # ours.transpose(back) is theirs
                yield f"equal to theirs with its axes in the order {back}", theirs.transpose(axes)
    if theirs.shape != shape:
        return
    if theirs.ndim >= 2:
        yield "equal to theirs turned by 180 degrees (its last two axes reversed)", theirs[..., ::-1, ::-1]
    for axis in range(theirs.ndim):
        if theirs.shape[axis] > 1:
            what = f"equal to theirs with axis {axis} reversed"
            if theirs.shape[axis] == 3 and theirs.ndim >= 3:
                what += " (its three channels in the order BGR for RGB)"
            yield what, np.flip(theirs, axis)
    yield from _flattened(theirs)


def _flattened(theirs: Array) -> Iterator[tuple[str, Array]]:
    """An axis of C*H*W numbers in the order H, W, C, or the other way round."""
    for axis, size in enumerate(theirs.shape):
        for C in (c for c in range(2, size // 2 + 1) if size % c == 0):
            split = (*theirs.shape[:axis], C, size // C, *theirs.shape[axis + 1 :])
            turned = np.swapaxes(theirs.reshape(split), axis, axis + 1).reshape(theirs.shape)
            yield (
                (
                    f"equal to theirs with axis {axis} flattened in the other layout: "
                    f"as ({size // C}, {C}) where theirs is ({C}, {size // C})"
                ),
                turned,
            )


def _scaled(ours: Array, theirs: Array, tolerance: float) -> str:
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    factor = float((a * b).sum()) / max(float((b * b).sum()), 1e-300)
    if factor and abs(factor - 1) > tolerance and close(a / factor, b, tolerance):
        return f"equal to theirs times {_factor(factor, tolerance)}"
    offset = float((a - b).mean())
    if a.size > 1 and abs(offset) > tolerance * largest(b) and close(a - offset, b, tolerance):
        return f"equal to theirs plus {offset:.6g} everywhere"
    return ""


def _factor(factor: float, tolerance: float) -> str:
    """8, 1/8 or 0.731."""
    for value, text in ((factor, "{}"), (1 / factor, "1/{}")):
        if abs(value - round(value)) <= 10 * tolerance * abs(value) and 2 <= abs(round(value)) <= 1e6:
            return text.format(round(value))
    return f"{factor:.6g}"


# -- rounding ---------------------------------------------------------------------------------------
def is_noise(ours: Array, theirs: Array) -> bool:
    """Whether the differences look like rounding: spread over the entries, around 0, unrelated to the values.

    A wrong factor correlates with the values, a wrong constant has a mean, a wrong entry stands out.
    False for fewer than 16 numbers, of which nothing can be said.
    """
    if not is_spread(ours, theirs):
        return False
    b = theirs.astype(np.float64).ravel()
    e = ours.astype(np.float64).ravel() - b
    size, values = float(np.sqrt((e**2).mean())), b - b.mean()
    norm = float(np.sqrt((values**2).sum()))
    related = abs(float((e * values).sum())) / norm if norm else 0.0
    return abs(float(e.mean())) * len(e) ** 0.5 <= 8 * size and related <= 8 * size


def is_spread(ours: Array, theirs: Array) -> bool:
    """Whether the differences lie on all entries, none far above their root mean square.

    Sums of different sizes in one array make the largest 11 times the root mean square (measured); a bug in
    one entry of n makes it sqrt(n) times.
    """
    e = ours.astype(np.float64).ravel() - theirs.ravel()
    size = float(np.sqrt((e**2).mean())) if len(e) >= FEWEST else 0.0
    return size > 0 and float(np.abs(e).max()) <= min(16.0, 0.85 * len(e) ** 0.5) * size


def reduced_precision(ours: Array, theirs: Array) -> str:
    """What the errors say of TF32, bfloat16 or float16 on the way, or an empty string."""
    if ours.shape != theirs.shape or ours.size < FEWEST or ours.dtype != np.float32:
        return ""
    for format_, bits in GRIDS.items():
        if _on_grid(ours, bits):
            return f"every number of ours has {bits + 1} significant bits, as {format_} has"
    size = float(np.sqrt((theirs.astype(np.float64) ** 2).mean()))
    error = float(np.sqrt(((ours.astype(np.float64) - theirs) ** 2).mean())) / size if size else 0.0
    for format_, (least, most) in PRODUCTS.items():
        if least <= error < most and is_spread(ours, theirs):
            return (
                f"its errors are noise of the size that products in {format_} make ({error:.0e} of the rms)"
            )
    return ""


def _on_grid(a: Array, bits: int) -> bool:
    """Whether all float32 numbers leave the mantissa's lower bits 0, and not only because they are round."""
    mantissa = np.ascontiguousarray(a).view(np.uint32) & 0x7FFFFF
    unused = np.uint32((1 << (23 - bits)) - 1)
    coarser = np.uint32((1 << (23 - bits + 3)) - 1)
    return not (mantissa & unused).any() and bool((mantissa & coarser).any())


def rounding_of_sums(terms: int) -> float:
    """sqrt(K) * u of float32: what rounding may cost a sum of K terms, as a share of its size."""
    return math.sqrt(terms) * UNIT["float32"]
