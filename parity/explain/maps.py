"""Small maps of one array: its axes reversed, reordered, shifted, its numbers repeated, dropped, multiplied.

A map keeps the array's shape but where it says otherwise. It is tried on what goes into the reference and on
what comes out of it (`parity.explain.search`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from scratchcnn.typing import Array


@dataclass(frozen=True)
class View:
    """An array's axes: their sizes and letters; the shape may be finer than the array's own."""

    shape: tuple[int, ...]
    letters: tuple[str, ...]


@dataclass(frozen=True)
class Map:
    """`says` completes "x ..."; `apply` takes an array and its view."""

    says: str
    apply: Callable[[Array, View], Array]


def listed(words: Sequence[str]) -> str:
    """`FH, FW and C`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def maps_of(letters: tuple[str, ...]) -> Iterator[Map]:
    """Every map of an array with these axes, the simplest first."""
    axes = range(len(letters))
    yield Map("taken as zero", lambda a, v: np.zeros_like(a))
    yield Map("with the sign flipped", lambda a, v: -a)
    yield Map("without its sign", lambda a, v: np.abs(a))
    yield from _reversed(letters)
    yield from _orders(letters)
    for axis in axes:
        yield from _along(letters[axis], axis)


def _reversed(letters: tuple[str, ...]) -> Iterator[Map]:
    for count in (1, 2):
        for axes in combinations(range(len(letters)), count):
            names = listed([letters[i] for i in axes])

            def turned(a: Array, v: View, axes: tuple[int, ...] = axes) -> Array:
                return np.flip(a.reshape(v.shape), axes).reshape(a.shape)

            yield Map(f"reversed along {names}", turned)


def _orders(letters: tuple[str, ...]) -> Iterator[Map]:
    """Transposed where it must not be, or reshaped where it must be transposed."""
    own = f"({', '.join(letters)})"
    for order in sorted(permutations(range(len(letters))), key=_moved):
        if _moved(order) == 0 or ("groups" in letters and _moved(order) > 2):
            continue
        other = f"({', '.join(letters[i] for i in order)})"

        def transposed(a: Array, v: View, order: tuple[int, ...] = order) -> Array:
            return a.reshape(v.shape).transpose(order)

        def forward(a: Array, v: View, order: tuple[int, ...] = order) -> Array:
            return a.reshape(v.shape).transpose(order).reshape(a.shape)

        def backward(a: Array, v: View, order: tuple[int, ...] = order) -> Array:
            lies = a.reshape([v.shape[i] for i in order])
            return lies.transpose(np.argsort(order)).reshape(a.shape)

        yield Map(f"transposed to {other}", transposed)
        yield Map(f"in the order {other}, reshaped to {own} without being transposed", forward)
        yield Map(f"read as if its numbers lay in the order {other}", backward)


def _moved(order: tuple[int, ...]) -> int:
    return sum(i != j for i, j in enumerate(order))


def _along(letter: str, axis: int) -> Iterator[Map]:
    """Maps along one axis."""

    def on(change: Callable[[Array], Array]) -> Callable[[Array, View], Array]:
        def apply(a: Array, v: View) -> Array:
            rows = np.moveaxis(a.reshape(v.shape), axis, 0)
            return np.moveaxis(change(rows), 0, axis).reshape(a.shape)

        return apply

    def kept(part: slice) -> Callable[[Array], Array]:
        def change(rows: Array) -> Array:
            found = np.zeros_like(rows)
            found[part] = rows[part]
            return found

        return change

    def moved(by: int) -> Callable[[Array], Array]:
        def change(rows: Array) -> Array:
            found = np.zeros_like(rows)
            found[max(by, 0) : len(rows) + min(by, 0)] = rows[max(-by, 0) : len(rows) + min(-by, 0)]
            return found

        return change

    def same(rows: Array, value: Array) -> Array:
        return np.broadcast_to(value, rows.shape).copy()

    yield Map(f"with the first along {letter} for all", on(lambda rows: same(rows, rows[:1])))
    yield Map(f"with the last along {letter} for all", on(lambda rows: same(rows, rows[-1:])))
    yield Map(f"of the first along {letter} only", on(kept(slice(0, 1))))
    yield Map(f"of the last along {letter} only", on(kept(slice(-1, None))))
    yield Map(f"without the first along {letter}", on(kept(slice(1, None))))
    yield Map(f"without the last along {letter}", on(kept(slice(0, -1))))
    yield Map(f"shifted by one along {letter}", on(moved(1)))
    yield Map(f"shifted by minus one along {letter}", on(moved(-1)))
    yield Map(f"rolled by one along {letter}", on(lambda rows: np.roll(rows, 1, 0)))
    yield Map(f"rolled by minus one along {letter}", on(lambda rows: np.roll(rows, -1, 0)))
    yield Map(f"summed over {letter}", on(lambda rows: same(rows, rows.sum(0, keepdims=True))))
    yield Map(f"averaged over {letter}", on(lambda rows: same(rows, rows.mean(0, keepdims=True))))


# -- factors --------------------------------------------------------------------------------------
def factor(found: Sequence[Array], right: Sequence[Array], sizes: Sequence[dict[str, float]]) -> str:
    """The one number that all of `right` is multiplied by, in words; empty where there is none.

    It is a constant, or a size of the input or its reciprocal, the same one in every case.
    """
    ratios = []
    for a, b in zip(found, right, strict=True):
        scale = np.abs(b).max(initial=0.0)
        if a.shape != b.shape or (not scale and np.abs(a).max(initial=0.0)):
            return ""
        if not scale:  # zero times anything
            ratios.append(math.nan)
            continue
        at = np.unravel_index(int(np.abs(b).argmax()), b.shape)
        ratio = float(a[at] / b[at])
        if not np.isfinite(ratio) or np.abs(a - ratio * b).max() > 1e-9 * max(scale, abs(ratio) * scale):
            return ""
        ratios.append(ratio)
    sizes = [size for size, ratio in zip(sizes, ratios, strict=True) if not math.isnan(ratio)]
    ratios = [ratio for ratio in ratios if not math.isnan(ratio)]
    if not ratios or all(abs(r - 1) < 1e-9 for r in ratios):
        return ""
    for name in sizes[0]:
        values = [size.get(name, 0.0) for size in sizes]
        if all(value and abs(r / value - 1) < 1e-9 for r, value in zip(ratios, values, strict=True)):
            return f"multiplied by {name}"
        if all(value and abs(r * value - 1) < 1e-9 for r, value in zip(ratios, values, strict=True)):
            return f"divided by {name}"
    if all(abs(r - ratios[0]) < 1e-9 * max(1, abs(ratios[0])) for r in ratios):
        return constant(ratios[0])
    return ""


def constant(ratio: float) -> str:
    """`multiplied by 2`, `divided by 3`, `with the sign flipped`."""
    if abs(ratio + 1) < 1e-9:
        return "with the sign flipped"
    if ratio and abs(1 / ratio - round(1 / ratio)) < 1e-9 and abs(round(1 / ratio)) > 1:
        return f"divided by {round(1 / ratio)}"
    return f"multiplied by {ratio:.10g}"
