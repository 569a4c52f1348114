"""Weights changed as an optimizer changes them: in place, in the array that an object shows.

Which array that is, is found by its numbers and its name. An object that keeps the weights that it was given
in another layout alone shows none; then the array that it was given is the one that its caller changes.
Needs NumPy alone.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters.arguments import plain
from parity.adapters.reach import Path, got, put, walk
from parity.adapters.updates import UPDATE
from parity.adapters.weight_names import NAMES, name_score


def change(root: Any, name: str, handed: NDArray[Any], new: NDArray[Any]) -> bool:
    """Write `new` over the weight of that name; whether the object is then to use it.

    `handed` is the array that it was built with, or that each call of a function is given. Nothing is written
    where neither shows that the object computes with it.
    """
    paths = shown(root, name, handed)
    known = bool(paths) or inspect.isroutine(root) or (_kept_otherwise(root, handed) and not _updates(root))
    if known:
        for path in paths:
            overwrite(root, path, new)
        handed[...] = new
    return known


def shown(root: Any, name: str, numbers: NDArray[Any]) -> list[Path]:
    """The paths of its arrays of these numbers, in this layout, that are named best for the weight.

    Of several the very array that was handed over, else the nearest: others are copies of them.
    """
    alike = [
        (path, a)
        for path, a in walk(root)
        if isinstance(a, np.ndarray) and a.shape == numbers.shape and np.array_equal(a, numbers)
    ]
    scored = [
        (name_score(((".", "object"), *path), name) if name in NAMES else 0, a is numbers, -len(path), path)
        for path, a in alike
    ]
    best = max((one[:3] for one in scored if one[0] >= 0), default=())
    return [path for *how, path in scored if tuple(how) == best or (best and best[1] and how[1])]


def overwrite(root: Any, path: Any, new: NDArray[Any]) -> None:
    """As `layer.W -= step` does it: the array is written over, then set once more, which a property sees."""
    held = got(root, path)
    if isinstance(held, np.ndarray) and held.shape == new.shape and held.flags.writeable:
        held[...] = new
        new = held
    with suppress(Exception):  # a property that cannot be set
        put(root, path, new)


def _kept_otherwise(root: Any, numbers: NDArray[Any]) -> bool:
    """Whether it holds these numbers in another shape or order."""
    in_order = np.sort(numbers, axis=None)
    return any(
        isinstance(a, np.ndarray)
        and a.size == numbers.size
        and np.array_equal(np.sort(a, axis=None), in_order)
        for _, a in walk(root)
    )


def _updates(root: Any) -> bool:
    """Whether it has a method that changes its weights, which may then lie as they like."""
    return any(plain(name) in UPDATE for name in dir(type(root)))
