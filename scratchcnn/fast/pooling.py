"""Pooling and subsampling by the windows' cells.

A cell of every window at once is a slice whose runs are as short as the batch, or as a row of the output at a
stride of 1. So the pixels are copied once, sorted by their remainder of the stride (at a stride of 1 there is
nothing to sort): then a cell of all windows is one long run of memory, which only begins at another place.
The runs go on over the ends of rows; what is computed there belongs to no window and is left out.
Some channels at a time, so that the copies stay in the cache.

Which cell is the largest is kept as a number that counts backwards from the number of cells to 1: among
equals the first has the largest number, and it is the first in row-major order that PyTorch takes.

Costs: a copy of the input and of the output, and four passes over the output per cell of the window; about
one byte per output is kept.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchcnn.fast import memory, threads
from scratchcnn.fast.layout import as_bits, copy_pixels, to_images_first, to_images_last, workspace
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from scratchcnn.layers.lenet5 import Subsampling
    from scratchcnn.layers.pooling import Pooling

Window = tuple[int, int]
Places = Array | None
CELL_BYTES = 2 << 20  # of copies at a time
MIN_RUN = 8  # images; with fewer, single planes are copied in longer runs than all at once


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

    def work(channels: slice) -> None:
        framed[channels].fill(fill)
        target = framed[channels, ph : ph + H, pw : pw + W]
        target[...] = a[channels, : target.shape[1], : target.shape[2]]

    threads.each_part(work, C, 2 * framed.size)
    return framed


class Planes:
    """Rows and columns of the images sorted by their remainder of the stride: a plane (c, height, width, N)
    per remainder. In it a cell of all windows is one run, which begins at the cell of the first window.

    cells   (plane, first number) of each cell, in row-major order
    beyond  so many numbers of a plane come after the last window's first cell
    apart   whether each plane is one cell: no two windows share a pixel
    """

    def __init__(self, window: Window, stride: Window, size: Window, N: int):
        (h, w), (sh, sw) = window, stride
        self.stride, self.across = stride, min(w, sw)
        self.count = min(h, sh) * self.across
        self.size = height, width = size[0] + (h - 1) // sh, size[1] + (w - 1) // sw
        self.cells = [
            (y % sh * self.across + x % sw, (y // sh * width + x // sw) * N) for y, x in np.ndindex(window)
        ]
        self.apart = self.count == h * w
        self.beyond = ((height - size[0]) * width + width - size[1]) * N

    def sorted(self, a: Array) -> list[tuple[Array, slice]]:
        """Views of the images (c, H, W, N) by planes, and which planes: of all at once where they fit."""
        (sh, sw), (height, width), (c, H, W, N) = self.stride, self.size, a.shape
        fits = (sh * height, sw * width) == (H, W) and self.count == sh * sw
        if fits and (N >= MIN_RUN or self.apart):
            view = a.reshape(c, height, sh, width, sw, N).transpose(2, 4, 0, 1, 3, 5)
            return [(view, slice(0, self.count))]
        planes = map(divmod, range(self.count), itertools.repeat(self.across))
        views = [a[:, y::sh, x::sw][:, :height, :width] for y, x in planes]
        return [(view[None, None], slice(k, k + 1)) for k, view in enumerate(views)]

    def is_one(self, images: tuple[int, ...]) -> bool:
        """Whether images of that shape (c, H, W, N) are one plane as they lie."""
        return self.stride == (1, 1) and images[1:3] == self.size

    def split(self, a: Array) -> Array:
        """(c, H, W, N) -> (planes, c * height * width * N), in the workspace unless they are one plane."""
        if self.is_one(a.shape):
            return a.reshape(1, -1)
        planes = workspace("cells", (self.count, len(a), *self.size, a.shape[3]), a.dtype)
        for pixels, some in self.sorted(a):
            H, W = pixels.shape[3:5]
            if self.size != (H, W):
                planes[some].fill(0)  # which no window sees
            copy_pixels(planes[some, :, :H, :W].reshape(pixels.shape), pixels)
        return planes.reshape(self.count, -1)


@lru_cache(256)
def planes_of(window: Window, stride: Window, size: Window, N: int) -> Planes:
    return Planes(window, stride, size, N)


def each_channel_block(work: Callable[[slice], None], channels: int, cell_bytes: int, passes: int) -> None:
    """work(some channels) until all are done, as many at a time as have their cells in the cache;
    `cell_bytes` are those of one channel."""
    step = max(1, CELL_BYTES // max(1, cell_bytes))

    def run(part: slice) -> None:
        for i in range(part.start, part.stop, step):
            work(slice(i, min(i + step, part.stop)))

    threads.each_part(run, channels, passes)


def largest(a: Array, window: Window, stride: Window, size: Window, places: bool) -> tuple[Array, Places]:
    """The largest cell of each window (C, OH, OW, N), and (if asked) which it was, the first of equals, where
    the window's first cell is in its plane: (C, height, width, N)."""
    (C, _, _, N), planes = a.shape, planes_of(window, stride, size, a.shape[3])
    best, count = memory.empty((C, *size, N), a.dtype), len(planes.cells)
    place = memory.empty((C, *planes.size, N), _counting(count)) if places else None

    def work(channels: slice) -> None:
        split, found = planes.split(a[channels]), best[channels]
        length = split.shape[1] - planes.beyond
        embedded = workspace("top", (len(found), *planes.size, N), a.dtype) if planes.beyond else found
        top = embedded.reshape(-1)[:length]
        runs = [split[plane, start : start + length] for plane, start in planes.cells]
        if planes.apart:
            np.maximum.reduce(split, axis=0, out=top)
        else:
            np.maximum(runs[0], runs[-1], out=top)
            for run in runs[1:-1]:
                np.maximum(top, run, out=top)
        if embedded is not found:
            found[...] = embedded[:, : size[0], : size[1]]
        if place is not None:
            _find([split] if planes.apart else runs, top, place[channels].reshape(-1)[:length], count)

    each_channel_block(work, C, planes.count * math.prod(planes.size) * N * a.itemsize, 4 * count * best.size)
    return best, place


def _find(runs: list[Array], top: Array, place: Array, count: int) -> None:
    """Which of the cells equals the largest; the runs one by one, or all of them as one array."""
    numbers = np.arange(count, 0, -1, dtype=place.dtype)[:, None]
    wins = workspace("wins", runs[0].shape, np.dtype(bool))
    found = workspace("numbers", runs[0].shape, place.dtype)
    if runs[0].ndim == 2:
        np.equal(runs[0], top, out=wins)
        np.multiply(wins.view(np.uint8), numbers, out=found)
        np.maximum.reduce(found, axis=0, out=place)
        return
    place.fill(0)
    for run, number in zip(runs, numbers, strict=True):
        np.equal(run, top, out=wins)
        np.multiply(wins.view(np.uint8), number, out=found)
        np.maximum(place, found, out=place)


def _counting(count: int) -> np.dtype:
    return np.dtype(np.uint8 if count < 256 else np.intp)


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
    (C, OH, OW, N), planes = d.shape, planes_of(window, stride, d.shape[1:3], d.shape[3])
    (sh, sw), (height, width) = stride, planes.size
    filled = planes.count == sh * sw and sh * height >= shape[1] and sw * width >= shape[2]
    dframe = (memory.empty if filled else memory.zeros)(shape, d.dtype)

    def work(channels: slice) -> None:
        images, dout = dframe[channels], d[channels]
        if place is None and planes.apart:
            for pixels, _ in planes.sorted(images):
                copy_pixels(pixels, dout)
            return
        size = (len(images), height, width, N)
        if planes.beyond:
            dout = workspace("top", size, d.dtype)
            dout.fill(0)
            dout[:, :OH, :OW] = d[channels]
        sums = images[None] if planes.is_one(shape) else workspace("cells", (planes.count, *size), d.dtype)
        flat, dout = sums.reshape(planes.count, -1), dout.reshape(-1)
        _to_cells(dout, None if place is None else place[channels].reshape(-1), planes, flat)
        for pixels, some in [] if planes.is_one(shape) else planes.sorted(images):
            H, W = pixels.shape[3:5]
            copy_pixels(pixels, sums[some, :, :H, :W].reshape(pixels.shape))

    cells = planes.count * height * width * N * d.itemsize
    each_channel_block(work, C, cells, 4 * len(planes.cells) * d.size)
    return dframe


def _to_cells(dout: Array, place: Places, planes: Planes, out: Array) -> None:
    """The sum of what each window gives to each pixel, in planes: (planes, c * height * width * N)."""
    count, length = len(planes.cells), dout.size - planes.beyond
    if planes.apart and place is not None:
        numbers = np.arange(count, 0, -1, dtype=place.dtype)[:, None]
        _where(place, numbers, dout, out)
        return
    for k, (plane, start) in enumerate(planes.cells):
        part, target = dout[:length], out[plane, start : start + length]
        if place is not None:
            part = workspace("part", (length,), dout.dtype) if start else target
            _where(place[:length], count - k, dout[:length], part)
        if start:
            target += part
            continue
        if part is not target:  # the first cell of its plane
            np.copyto(target, part)
        out[plane, length:] = 0


def _where(place: Array, number: Any, dout: Array, out: Array) -> None:
    """dout where the cell of that number was the largest, else 0."""
    wins = np.equal(place, number, out=workspace("wins", out.shape, np.dtype(bool)))
    np.multiply(as_bits(dout), wins.view(np.int8), out=as_bits(out))


def undo_frame(dframe: Array, x_shape: tuple[int, ...], pad: Window) -> Array:
    """(C, *size, N) -> (N, C, H, W): the border cut off, pixels that no window reached 0."""
    (N, C, H, W), (ph, pw) = x_shape, pad
    if not (ph or pw) and dframe.shape[1:3] == (H, W):
        return to_images_first(dframe)
    dx, found = memory.empty((C, H, W, N), dframe.dtype), dframe[:, ph : ph + H, pw : pw + W]

    def work(channels: slice) -> None:
        if found.shape != dx.shape:
            dx[channels].fill(0)
        dx[channels, : found.shape[1], : found.shape[2]] = found[channels]

    threads.each_part(work, C, 2 * dx.size)
    return to_images_first(dx)
