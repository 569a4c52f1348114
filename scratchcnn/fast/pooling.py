"""Pooling and subsampling by the windows' cells, as in the book by columns: a copy of every cell, all first
cells in one piece, then all second cells, and so on.

With images last (layout.py) a cell of every window at once is a strided slice whose runs are as short as the
batch. Copying is what NumPy does best with such slices, and what is computed afterwards works on long runs.
Some channels at a time, so that the copies stay in the cache.

Which cell is the largest is kept as a number that counts backwards from the number of cells to 1: among
equals the first has the largest number, and it is the first in row-major order that PyTorch takes.

Costs: pool_h*pool_w copies of the output and a few passes over them; one byte per output is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchcnn.fast import memory, threads
from scratchcnn.fast.layout import as_bits, to_images_first, to_images_last, workspace
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from scratchcnn.layers.lenet5 import Subsampling
    from scratchcnn.layers.pooling import Pooling

Window = tuple[int, int]
Places = Array | None
CELL_BYTES = 2 << 20  # of copies at a time


def forward(layer: Pooling, x: Array) -> tuple[Array, Any] | None:
    """None where a window holds NaN, or nothing but -inf: then the places need the textbook's care. None
    with a dilation as well."""
    if layer.dilation != (1, 1):
        return None
    x = layer.check_input(x)
    OH, OW = layer._output_size(x.shape)
    window, stride, size = (layer.pool_h, layer.pool_w), layer.stride, (OH, OW)
    framed = (OH - 1) * stride[0] + window[0], (OW - 1) * stride[1] + window[1]
    if layer.mode == "average":
        out = to_images_first(total(frame(x, layer.pad, framed, 0), window, stride, size))
        out /= layer._divisor(x.shape, x.dtype)
        return out, (x.shape, framed, None)
    a = frame(-x if layer.mode == "min" else x, layer.pad, framed, -np.inf)
    out, place = largest(a, window, stride, size, places=layer.recording)
    if not out.min(initial=np.inf) > -np.inf:
        return None
    return to_images_first(-out if layer.mode == "min" else out), (x.shape, framed, place)


def backward(layer: Pooling, dout: Array, kept: tuple[tuple[int, ...], Window, Places]) -> Array:
    """dout to the winner of its window, or (average), divided, to every pixel."""
    x_shape, framed, place = kept
    N, C = x_shape[:2]
    dout = layer.check_dout(dout, (N, C, *layer._output_size(x_shape)))
    if layer.mode == "average":
        dout = dout / layer._divisor(x_shape, dout.dtype)
    window, stride = (layer.pool_h, layer.pool_w), layer.stride
    dframe = spread(to_images_last(dout), place, window, stride, (C, *framed, N))
    return undo_frame(dframe, x_shape, layer.pad)


def subsampling_forward(layer: Subsampling, x: Array) -> tuple[Array, Any] | None:
    """The sum of each window, times a coefficient, plus a bias."""
    x, s = layer.check_input(x, like=layer.coefficient), layer.size
    if x.ndim != 4 or x.shape[1] != len(layer.coefficient) or min(x.shape[2:]) < s:
        return None
    sums = total(to_images_last(x), (s, s), (s, s), (x.shape[2] // s, x.shape[3] // s))
    out = memory.empty(sums.shape, sums.dtype) if layer.recording else sums  # kept for a backward only
    np.multiply(sums, layer.coefficient[:, None, None, None], out=out)
    out += layer.bias[:, None, None, None]
    return to_images_first(out), (x.shape, sums)


def subsampling_backward(layer: Subsampling, dout: Array, kept: tuple[tuple[int, ...], Array]) -> Array:
    (x_shape, sums), s = kept, layer.size
    d = to_images_last(layer.check_dout(dout, to_images_first(sums).shape))
    layer.grads["coefficient"] = (d * sums).sum(axis=(1, 2, 3))
    layer.grads["bias"] = d.sum(axis=(1, 2, 3))
    C, OH, OW, N = d.shape
    dframe = spread(d * layer.coefficient[:, None, None, None], None, (s, s), (s, s), (C, OH * s, OW * s, N))
    return undo_frame(dframe, x_shape, (0, 0))


def frame(x: Array, pad: Window, size: Window, fill: float) -> Array:
    """(N, C, H, W) -> (C, H', W', N) of at least `size`: the images with the border that windows reach."""
    a, (ph, pw) = to_images_last(x), pad
    C, H, W, N = a.shape
    if not (ph or pw) and size[0] <= H and size[1] <= W:
        return a
    framed = memory.empty((C, *size, N), a.dtype)
    framed.fill(fill)
    target = framed[:, ph : ph + H, pw : pw + W]
    target[...] = a[:, : target.shape[1], : target.shape[2]]
    return framed


def cells(a: Array, window: Window, stride: Window, size: Window) -> Array:
    """(C, H, W, N) -> (pool_h, pool_w, C, OH, OW, N), a view: each cell of all windows."""
    (C, _, _, N), (c, h, w, n) = a.shape, a.strides
    strides = (h, w, c, h * stride[0], w * stride[1], n)
    return np.ndarray((*window, C, *size, N), a.dtype, a, strides=strides)


def each_channel_block(work: Callable[[slice], None], channels: int, cell_bytes: int, passes: int) -> None:
    """work(some channels) until all are done, as many at a time as have their cells in the cache;
    `cell_bytes` are those of one channel."""
    step = max(1, CELL_BYTES // max(1, cell_bytes))

    def run(part: slice) -> None:
        for i in range(part.start, part.stop, step):
            work(slice(i, min(i + step, part.stop)))

    threads.each_part(run, channels, passes)


def largest(a: Array, window: Window, stride: Window, size: Window, places: bool) -> tuple[Array, Places]:
    """The largest cell of each window, and (if asked) which it was, the first of equals."""
    count = math.prod(window)
    best = memory.empty((len(a), *size, a.shape[3]), a.dtype)
    place = memory.empty(best.shape, _counting(count)) if places else None

    def work(channels: slice) -> None:
        views = cells(a[channels], window, stride, size)
        copies = workspace("cells", views.shape, a.dtype)
        np.copyto(copies, views)
        flat, top = copies.reshape(count, -1), best[channels].reshape(-1)
        np.maximum.reduce(flat, axis=0, out=top)
        if place is not None:
            wins = np.equal(flat, top, out=workspace("wins", flat.shape, np.dtype(bool)))
            numbers = workspace("numbers", flat.shape, place.dtype)
            np.multiply(wins.view(np.uint8), _numbers(count), out=numbers)
            np.maximum.reduce(numbers, axis=0, out=place[channels].reshape(-1))

    each_channel_block(work, len(a), count * best[:1].nbytes, 2 * a.size)
    return best, place


def _counting(count: int) -> np.dtype:
    return np.dtype(np.uint8 if count < 256 else np.intp)


def _numbers(count: int) -> Array:
    """(count, 1): count, ..., 2, 1"""
    return np.arange(count, 0, -1, dtype=_counting(count))[:, None]


def total(a: Array, window: Window, stride: Window, size: Window) -> Array:
    """The sum of each window: first down, where the runs are whole rows, then along."""
    (sh, sw), (OH, OW), (C, _, W, N) = stride, size, a.shape
    out = memory.empty((C, OH, OW, N), a.dtype)

    def work(channels: slice) -> None:
        b = a[channels]
        down = memory.empty((len(b), OH, W, N), a.dtype)
        _sum([b[:, y : y + (OH - 1) * sh + 1 : sh] for y in range(window[0])], down)
        _sum([down[:, :, x : x + (OW - 1) * sw + 1 : sw] for x in range(window[1])], out[channels])

    threads.each_part(work, C, 2 * a.size)
    return out


def _sum(parts: list[Array], out: Array) -> None:
    if len(parts) == 1:
        np.copyto(out, parts[0])
    else:
        np.add(parts[0], parts[1], out=out)
    for part in parts[2:]:
        out += part


def spread(d: Array, place: Places, window: Window, stride: Window, shape: tuple[int, ...]) -> Array:
    """Each output's gradient to its winning cell, or (without places) to all: -> (C, H, W, N) of `shape`."""
    (C, OH, OW, _), apart = d.shape, stride[0] >= window[0] and stride[1] >= window[1]
    filled = apart and (OH * window[0], OW * window[1]) == shape[1:3] and stride == window
    dframe = (memory.empty if filled else memory.zeros)(shape, d.dtype)

    def work(channels: slice) -> None:
        targets = cells(dframe[channels], window, stride, (OH, OW))
        parts = d[channels] if place is None else _winners(d[channels], place[channels], targets.shape)
        if apart:
            np.copyto(targets, parts)
            return
        for y, x in np.ndindex(window):
            targets[y, x] += parts if place is None else parts[y, x]

    each_channel_block(work, C, math.prod(window) * d[:1].nbytes, 2 * dframe.size)
    return dframe


def _winners(d: Array, place: Array, shape: tuple[int, ...]) -> Array:
    """dout where the cell was the largest, else 0, for each cell: (pool_h, pool_w, *d.shape)"""
    numbers = _numbers(shape[0] * shape[1])
    wins = workspace("wins", (len(numbers), d.size), np.dtype(bool))
    np.equal(place.reshape(-1), numbers, out=wins)
    parts = workspace("cells", wins.shape, d.dtype)
    np.multiply(as_bits(d).reshape(-1), wins.view(np.int8), out=as_bits(parts))
    return parts.reshape(shape)


def undo_frame(dframe: Array, x_shape: tuple[int, ...], pad: Window) -> Array:
    """(C, *size, N) -> (N, C, H, W): the border cut off, pixels that no window reached 0."""
    (N, C, H, W), (ph, pw) = x_shape, pad
    if not (ph or pw) and dframe.shape[1:3] == (H, W):
        return to_images_first(dframe)
    dx = memory.zeros((C, H, W, N), dframe.dtype)
    found = dframe[:, ph : ph + H, pw : pw + W]
    dx[:, : found.shape[1], : found.shape[2]] = found
    return to_images_first(dx)
