"""Pooling without columns: the window's cells are slices of the whole batch.

Cell (y, x) of every window at once is one strided slice; with images last (layout.py) its innermost run is
the batch. The maximum is taken cell by cell in row-major order, strictly greater wins, so the first of
equals stays, as in PyTorch.

Costs: a few passes over the output for each of the pool_h*pool_w cells; a byte an output is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scratchcnn.fast import memory
from scratchcnn.fast.layout import inside, integers, outside

Window = tuple[int, int]
Places = NDArray | None


def frame(x: NDArray, pad: Window, size: Window, fill: float) -> NDArray:
    """(N, C, H, W) -> (C, *size, N): the images with their border, as far as the windows reach."""
    a, (ph, pw) = inside(x), pad
    C, H, W, N = a.shape
    if not (ph or pw) and size[0] <= H and size[1] <= W:
        return a[:, : size[0], : size[1]]
    framed = memory.empty((C, *size, N), a.dtype)
    framed.fill(fill)
    target = framed[:, ph : ph + H, pw : pw + W]
    target[...] = a[:, : target.shape[1], : target.shape[2]]
    return framed


def cells(a: NDArray, window: Window, stride: Window, size: Window) -> Iterator[NDArray]:
    """The cells of all windows, row by row: (C, H, W, N) -> pool_h*pool_w views (C, OH, OW, N)."""
    (sh, sw), (OH, OW) = stride, size
    for y in range(window[0]):
        for x in range(window[1]):
            yield a[:, y : y + (OH - 1) * sh + 1 : sh, x : x + (OW - 1) * sw + 1 : sw]


def largest(a: NDArray, window: Window, stride: Window, size: Window, places: bool) -> tuple[NDArray, Places]:
    """The largest cell of each window, and (if asked) which it was, the first of equals."""
    first, *others = cells(a, window, stride, size)
    best = memory.empty(first.shape, first.dtype)
    np.copyto(best, first)
    if not places:
        for cell in others:
            np.maximum(best, cell, out=best)
        return best, None
    place = memory.zeros(best.shape, np.uint8 if len(others) < 256 else np.intp)
    wins = memory.empty(best.shape, bool)
    for number, cell in enumerate(others, start=1):
        np.greater(cell, best, out=wins)
        np.maximum(best, cell, out=best)
        # place = number where it wins: numbers grow, so the larger one is the later one
        np.maximum(place, np.multiply(wins.view(np.uint8), place.dtype.type(number)), out=place)
    return best, place


def total(a: NDArray, window: Window, stride: Window, size: Window) -> NDArray:
    """The sum of each window: first down the columns, then along the rows."""
    (sh, sw), (OH, OW) = stride, size
    down = [a[:, y : y + (OH - 1) * sh + 1 : sh] for y in range(window[0])]
    rows = sum(down[1:], start=down[0]) if len(down) > 1 else down[0]
    across = [rows[:, :, x : x + (OW - 1) * sw + 1 : sw] for x in range(window[1])]
    return sum(across[1:], start=across[0]) if len(across) > 1 else across[0].copy()


def spread(d: NDArray, place: Places, window: Window, stride: Window, shape: tuple[int, ...]) -> NDArray:
    """Each output's gradient to its winning cell, or (without places) to all: -> (C, H, W, N) of `shape`."""
    (_, OH, OW, _), apart = d.shape, stride[0] >= window[0] and stride[1] >= window[1]
    filled = apart and (OH * window[0], OW * window[1]) == shape[1:3] and stride == window
    dframe = (memory.empty if filled else memory.zeros)(shape, d.dtype)
    part = d if place is None else memory.empty(d.shape, d.dtype)
    for number, cell in enumerate(cells(dframe, window, stride, (OH, OW))):
        if place is not None:
            wins = np.equal(place, number)
            np.multiply(integers(d), wins.view(np.int8), out=integers(part))
        if apart:
            cell[...] = part
        else:
            cell += part
    return dframe


def undo_frame(dframe: NDArray, x_shape: tuple[int, ...], pad: Window) -> NDArray:
    """(C, *size, N) -> (N, C, H, W): the border cut off, pixels that no window reached 0."""
    (N, C, H, W), (ph, pw) = x_shape, pad
    if not (ph or pw) and dframe.shape[1:3] == (H, W):
        return outside(dframe)
    dx = memory.zeros((C, H, W, N), dframe.dtype)
    found = dframe[:, ph : ph + H, pw : pw + W]
    dx[:, : found.shape[1], : found.shape[2]] = found
    return outside(dx)
