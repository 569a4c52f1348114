"""Pooling without columns: first along the rows of the images, then down.

With images last (layout.py) a cell of the windows, say the left one of every pair of pixels, is a strided
slice whose runs are as short as the batch. Copying is what NumPy does best with such slices, so the cells
are copied apart once, and everything else works on long runs. What is left to go down the images is then
smaller by the stride, and its runs are whole rows.

The maximum goes from left to right and from top to bottom, strictly greater wins, so that of equals the
first in row-major order stays, as in PyTorch.

Costs: one copy of each cell of a row, a few passes over the output for each cell; a byte an output is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from scratchcnn.fast import memory
from scratchcnn.fast.layout import inside, integers, outside, workspace

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


def columns_apart(a: NDArray, window: int, stride: int, count: int) -> NDArray:
    """(C, H, W, N) -> (window, C, H, count, N) in the workspace: each place of the windows in a row."""
    C, H, _, N = a.shape
    cells = workspace("cells", (window, C, H, count, N), a.dtype)
    for x in range(window):
        np.copyto(cells[x], a[:, :, x : x + (count - 1) * stride + 1 : stride])
    return cells


def rows_apart(a: NDArray, window: int, stride: int, count: int) -> list[NDArray]:
    """(C, H, OW, N) -> `window` views (C, count, OW, N)."""
    return [a[:, y : y + (count - 1) * stride + 1 : stride] for y in range(window)]


def largest(a: NDArray, window: Window, stride: Window, size: Window, places: bool) -> tuple[NDArray, Places]:
    """The largest cell of each window, and (if asked) which it was, the first of equals."""
    small = np.dtype(np.uint8 if window[0] * window[1] <= 256 else np.intp)
    cells = columns_apart(a, window[1], stride[1], size[1])
    out = memory.empty((len(a), *size, a.shape[3]), a.dtype)
    if not places:
        _maximum(rows_apart(_maximum(cells, cells[0]), window[0], stride[0], size[0]), out)
        return out, None
    along = workspace("places", cells.shape[1:], small)
    best = _larger(cells, None, small.type(1), cells[0], along)
    place = memory.empty(out.shape, small)
    rows = rows_apart(best, window[0], stride[0], size[0])
    row_places = rows_apart(along, window[0], stride[0], size[0])
    _larger(rows, row_places, small.type(window[1]), out, place)
    return out, place


def _maximum(cells: Sequence[NDArray] | NDArray, out: NDArray) -> NDArray:
    """The largest of the cells; `out` may be the first."""
    if len(cells) == 1:
        np.copyto(out, cells[0])
    first = cells[0]
    for cell in cells[1:]:
        first = np.maximum(first, cell, out=out)
    return out


def _larger(
    cells: Sequence[NDArray] | NDArray,
    places: Sequence[NDArray] | None,
    step: np.generic,
    out: NDArray,
    place: NDArray,
) -> NDArray:
    """The largest of the cells and where it was: number `i` of them, at its own place if it has one, is at
    i*step + places[i]. Numbers grow, so the larger of two places is the later one. `out` may be the first."""
    np.copyto(out, cells[0])
    if places is None:
        place.fill(0)
    else:
        np.copyto(place, places[0])
    wins, there = workspace("wins", out.shape, np.dtype(bool)), workspace("there", out.shape, place.dtype)
    for i, cell in enumerate(cells[1:], start=1):
        np.greater(cell, out, out=wins)
        np.maximum(out, cell, out=out)
        number = step * place.dtype.type(i)
        if places is None:
            np.multiply(wins.view(np.uint8), number, out=there)
        else:
            np.add(places[i], number, out=there)
            np.multiply(there, wins.view(np.uint8), out=there)
        np.maximum(place, there, out=place)
    return out


def total(a: NDArray, window: Window, stride: Window, size: Window) -> NDArray:
    """The sum of each window: first down, where the runs are whole rows, then along."""
    down = _sum(rows_apart(a, window[0], stride[0], size[0]))
    (sw, OW) = stride[1], size[1]
    return _sum([down[:, :, x : x + (OW - 1) * sw + 1 : sw] for x in range(window[1])])


def _sum(parts: list[NDArray]) -> NDArray:
    out = memory.empty(parts[0].shape, parts[0].dtype)
    if len(parts) == 1:
        np.copyto(out, parts[0])
    else:
        np.add(parts[0], parts[1], out=out)
    for part in parts[2:]:
        out += part
    return out


def cells(a: NDArray, window: Window, stride: Window, size: Window) -> Iterator[NDArray]:
    """The cells of all windows, row by row: (C, H, W, N) -> pool_h*pool_w views (C, OH, OW, N)."""
    (sh, sw), (OH, OW) = stride, size
    for y in range(window[0]):
        for x in range(window[1]):
            yield a[:, y : y + (OH - 1) * sh + 1 : sh, x : x + (OW - 1) * sw + 1 : sw]


def spread(d: NDArray, place: Places, window: Window, stride: Window, shape: tuple[int, ...]) -> NDArray:
    """Each output's gradient to its winning cell, or (without places) to all: -> (C, H, W, N) of `shape`."""
    (_, OH, OW, _), apart = d.shape, stride[0] >= window[0] and stride[1] >= window[1]
    filled = apart and (OH * window[0], OW * window[1]) == shape[1:3] and stride == window
    dframe = (memory.empty if filled else memory.zeros)(shape, d.dtype)
    part = d if place is None else workspace("cells", d.shape, d.dtype)
    wins = workspace("wins", d.shape, np.dtype(bool))
    for number, cell in enumerate(cells(dframe, window, stride, (OH, OW))):
        if place is not None:
            np.equal(place, place.dtype.type(number), out=wins)
            np.multiply(integers(d), wins.view(np.int8), out=integers(part))
        if apart:
            np.copyto(cell, part)
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
