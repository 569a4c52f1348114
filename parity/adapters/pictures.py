"""Pictures as a network may take them, one or two at once, and labels for them. Needs NumPy alone."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters.network_data import COLUMN, ROW, ROWS, VECTOR, Data, labels_of
from parity.adapters.sources import tree_of_source

Array = NDArray[Any]
SIDES = (28, 32, 8, 16, 64)
MOST_SIDE, LEAST_SIDE = 128, 6
CHANNELS = (1, 3)
PAIR = 2  # pictures at once
PICTURE, PICTURES = "one picture", "pictures"
BYTE = 255  # that a network divides its pixels by


@dataclass(frozen=True)
class Shape:
    """The shape of what goes in, how many pictures that are, and whether its numbers are bytes."""

    shape: tuple[int, ...]
    rows: int
    bytes: bool

    def inputs(self, case: int) -> Array:
        """The pictures of that case."""
        x = np.random.default_rng([case, *self.shape, 1]).standard_normal(self.shape)
        return x * 64 + 128 if self.bytes else x


@dataclass(frozen=True)
class Picture(Data):
    """One batch of pictures."""

    of: Shape = Shape((), 1, False)
    label_form: str = ROWS

    @property
    def rows(self) -> int:
        return self.of.rows

    def of_case(self, case: int, few: int = 0) -> Data:
        """Another batch of the same form."""
        known = labels_for(self.label_form, self.of.rows, self.outputs, case)
        t = next(t for name, t in known if name == self.labels and np.shape(t) == np.shape(self.t))
        return replace(self, x=self.of.inputs(case), t=t)


def shapes_of(cls: type) -> Iterator[Shape]:
    """The shapes that are tried, those of the numbers in its source first."""
    tree = tree_of_source(cls)
    found = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)] if tree is not None else []
    numbers = [n for n in found if type(n) is int]
    given = BYTE in [*numbers, *(n for n in found if isinstance(n, float))]
    for shape in _shapes_by_default(cls):
        yield Shape(shape, 1, given)
        yield Shape((PAIR, *shape), PAIR, given)
    own = [n for n in numbers if LEAST_SIDE <= n <= MOST_SIDE and n in SIDES]
    one = takes_one(cls)
    for side in dict.fromkeys([*own, *SIDES]):
        for channels in CHANNELS:
            single: list[tuple[int, ...]] = [(channels, side, side), (side, side, channels)]
            single = [(side, side), *single] if channels == 1 else single
            both = [(Shape(s, 1, given), Shape((PAIR, *s), PAIR, given)) for s in single]
            yield from (pair[0 if one else 1] for pair in both)
            yield from (pair[1 if one else 0] for pair in both)


def _shapes_by_default(cls: type) -> Iterator[tuple[int, ...]]:
    """`input_shape=(1, 28, 28)`"""
    with suppress(TypeError, ValueError):
        for p in inspect.signature(cls).parameters.values():
            whole = isinstance(p.default, tuple) and all(type(n) is int for n in p.default)
            if whole and len(p.default) in (2, 3) and max(p.default) >= LEAST_SIDE:
                yield p.default


def takes_one(cls: type) -> bool:
    """Whether a method of it takes one picture by its name."""
    tree = tree_of_source(cls)
    args = [a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)] if tree is not None else []
    return bool({"image", "img", "im", "label"} & {*args})


def label_form_of(out: Any, rows: int) -> str:
    """The form of labels for such outputs."""
    if rows > 1:
        return ROWS
    if np.ndim(out) == PAIR:
        return ROW if np.shape(out)[0] == 1 else COLUMN
    return VECTOR


def labels_for(form: str, rows: int, outputs: int, case: int) -> list[tuple[str, Any]]:
    """Labels of so many outputs, those of the outputs' own shape first; of one picture also its class."""
    found = labels_of(form, outputs, case)
    if rows > 1:
        return [(name, t[:rows].copy()) for name, t in found]
    if form != VECTOR and outputs > 1:
        found += [(name, t) for name, t in labels_of(VECTOR, outputs, case) if isinstance(t, int)]
    return found


def width_of_outputs(out: Any, rows: int) -> int:
    """How many numbers come out of one picture."""
    return int(np.size(out) // rows)
