"""How the axes of an array are ordered, in letters: images NCHW, NHWC, CHW; weights OIHW, HWIO, O(IHW).

A layout is a word of the array's own letters, as `NHWC` is one of those of `NCHW`. A letter left out is an
axis of size 1 that is dropped, a `1` an axis of size 1 more, letters in parentheses are one axis together. A
layout of a batch that leaves N out is one image (or row) at a time. FH stands before FW and H before W in all
of them: exchanging the two is a bug and no layout. Needs NumPy alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]
BATCH = {4: "NCHW", 2: "NF"}  # by the number of axes; others have one layout only
WEIGHTS = {4: "OIHW", 2: "IO", 1: "O"}
ONE_EACH = "N"  # one number per row
NUMBER = "."  # of an array of any shape: one number at a time
KEEPS_AXES = {"NCHW": "NF11", "NHWC": "N11F", "CHW": "F11", "HWC": "11F"}  # of means over H and W
# The order is the one in which they are tried.
BATCHES = {4: ("NCHW", "NHWC", "CHW", "HWC", "HW", "CHWN", "NHW"), 2: ("NF", "FN", "F", "F1", "1F")}
STORED = {
    4: (
        *("OIHW", "HWIO", "IOHW", "OHWI", "IHWO", "HWOI", "OHW", "HWO", "HW"),
        *("O(IHW)", "(IHW)O", "1O(IHW)"),
    ),
    2: ("IO", "OI"),
    1: ("O", "1O", "O1", "O11", "1O11", "111O", "11O"),
}
PER_PIXEL = {"OHW": (1, 2), "HWO": (0, 1)}  # a bias of each pixel of the result: the axes of the pixels
CHANNELS_LAST = {
    "O(IHW)": "O(HWI)",
    "(IHW)O": "(HWI)O",
    "1O(IHW)": "1O(HWI)",
}  # flattened so where images are


def tokens(layout: str) -> list[str]:
    """`O(IHW)` -> ["O", "IHW"]; one text per axis."""
    return [token.strip("()") for token in re.findall(r"\([A-Z]+\)|[A-Z1]", layout)]


def laid_out(a: Array, letters: str, layout: str) -> Array:
    """An array of these letters in another layout, a view where that is possible.

    Raises NotImplementedError where an axis is to be dropped that has a size.
    """
    if letters == layout or not letters:
        return a
    axes = tokens(layout)
    order = [c for c in "".join(axes) if c in letters]
    for letter, size in zip(letters, a.shape, strict=True):
        if letter not in order and size != 1:
            raise NotImplementedError(f"{layout} has one {letter}")
    kept = tuple(i for i, c in enumerate(letters) if c in order)
    dropped = tuple(i for i in range(a.ndim) if i not in kept)
    moved = a.transpose(*(letters.index(c) for c in order), *dropped)
    sizes = dict(zip(letters, a.shape, strict=True))
    return moved.reshape([math.prod(sizes.get(c, 1) for c in axis) for axis in axes])


def restored(a: Array, letters: str, layout: str, shape: Sequence[int]) -> Array:
    """`laid_out` undone, for an array that should have had `shape`; one of no such shape as far as can be."""
    if letters == layout or not letters:
        return a
    axes = tokens(layout)
    sizes = dict(zip(letters, shape, strict=True))
    order = [c for c in "".join(axes) if c in letters]
    if a.shape == shape_in(shape, letters, layout):
        full = a.reshape([sizes[c] for c in order])
    elif a.ndim == len(axes) == len(letters) and all(len(axis) == 1 for axis in axes):
        full = a  # of the wrong size, and yet the axes are what they are
    else:
        return a
    missing = [c for c in letters if c not in order]
    full = full.reshape((*full.shape, *(1 for _ in missing)))
    names = [*order, *missing]
    return full.transpose([names.index(c) for c in letters])


def shape_in(shape: Sequence[int], letters: str, layout: str) -> tuple[int, ...] | None:
    """The shape that an array of these letters has in that layout; None where it cannot be had."""
    sizes = dict(zip(letters, shape, strict=True))
    spelled = "".join(tokens(layout))
    if any(size != 1 for letter, size in sizes.items() if letter not in spelled):
        return None
    return tuple(math.prod(sizes.get(c, 1) for c in axis) for axis in tokens(layout))


def one_at_a_time(layout: str) -> bool:
    """Whether a batch in that layout is handed over image by image."""
    return bool(layout) and "N" not in layout


def pieces(a: Array, layout: str) -> list[Any]:
    """What is handed over, call by call, for a batch in that layout."""
    if layout == NUMBER:
        return list(a.ravel().tolist())
    letters = BATCH.get(a.ndim, "")
    if not letters or not layout:
        return [a]
    if one_at_a_time(layout):
        return [laid_out(image, letters[1:], layout) for image in a]
    return [laid_out(a, letters, layout)]


def labels_of(t: Any, count: int, layout: str) -> list[Any]:
    """The labels of each call, for rows in that layout: one number, or one-hot numbers laid out as x."""
    if layout == NUMBER and isinstance(t, np.ndarray):
        return pieces(t, NUMBER)
    if layout in ("FN", ONE_EACH) and np.ndim(t) == 2:  # targets lie as x does
        return [laid_out(t, "NF", layout)]
    if not one_at_a_time(layout) or not isinstance(t, np.ndarray):
        return [t] * count
    return [label if t.ndim == 1 else laid_out(label, "F", layout) for label in t]


def joined(parts: Sequence[Array], layout: str, shape: Sequence[int]) -> Array:
    """The batch again, which should have had `shape`, from what each call gave."""
    if layout == NUMBER:
        return np.stack(parts).reshape(shape) if all(np.ndim(part) == 0 for part in parts) else parts[0]
    letters = BATCH.get(len(shape), "")
    if not letters or not layout:
        return parts[0]
    if one_at_a_time(layout):
        images = [restored(np.asarray(part), letters[1:], layout, shape[1:]) for part in parts]
        if len(images) == 1:
            return images[0][None]
        return np.stack(images) if len({image.shape for image in images}) == 1 else images[0]
    return restored(np.asarray(parts[0]), letters, layout, shape)


def batch_shape(shape: Sequence[int], layout: str) -> tuple[int, ...] | None:
    """The shape of what one call gets or gives, for a batch of that shape in that layout."""
    if layout == NUMBER:
        return ()
    letters = BATCH.get(len(shape), "")
    if not letters or not layout:
        return tuple(shape)
    if one_at_a_time(layout):
        return shape_in(shape[1:], letters[1:], layout)
    return shape_in(shape, letters, layout)
