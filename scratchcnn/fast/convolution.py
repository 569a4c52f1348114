"""Convolution by columns that fit into the cache.

As in the book: columns, and one matrix product. But some output rows at a time, so that the columns are
read from the cache and not from memory, always in the same workspace; backward makes them again, which
costs less than fetching stored ones. Images are (C, H, W, N) here (see layout.py): a column is then
made of runs of OW*N numbers, and the product gives (FN, OH, OW, N) with no transpose after it.

The bias is one more weight whose input is always 1: the columns end in a row of ones, and the products that
give the output and dW add the bias and sum db on their way. It comes last, since a large bias, followed by
small products, would round each of them to its own last place.

Costs: the products of the textbook's layer, FH*FW copies of the input (backward: twice), and kept between
forward and backward the padded input alone, where the textbook keeps FH*FW times as much.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from scratchcnn.fast import memory, threads, winograd
from scratchcnn.fast.layout import (
    copy_pixels,
    each_slab,
    to_images_first,
    to_images_last,
    workspace,
    workspace_above_ones,
)
from scratchcnn.fast.products import product, product_over_columns
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from scratchcnn.layers.convolution import Convolution
    from scratchcnn.layers.lenet5 import PartialConvolution

R = TypeVar("R")
Lazy = Callable[[], Array]
Task = tuple[slice, slice, slice]  # filters, input channels, rows of the output
FILTERS, CHANNELS, ROWS = range(3)

# How many bytes of columns are made at a time: few, to stay in the cache, but enough columns that
# preparing W for the product (BLAS copies it into its own order) does not count.
COLUMN_BYTES = 1 << 21
MIN_COLUMNS = 1536
MAX_WHOLE_WEIGHTS_BYTES = 1 << 19  # every thread reads all of W up to this size
MIN_PIXELS_PER_FILTER = 1  # of dx; with fewer, turning the filters costs more than it saves
MIN_SHARED_PRODUCTS = 1 << 22  # below, sharing costs more than it saves: a tenth of a millisecond


FINISH_NUMBERS = 1 << 16  # of a block of the output that is finished at a time
FINISH_COLUMNS = 1 << 12


class Geometry(NamedTuple):
    """Window, steps and groups; `pad` may differ at the two ends of an axis only through the sizes given."""

    window: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int


PLAIN = Geometry((3, 3), (1, 1), (1, 1), 1)  # what winograd.py can do


class Finish(NamedTuple):
    """What is done to the output before it leaves the cache: scale * out + shift + side, then Relu."""

    scale: Array | None  # (FN, 1)
    shift: Array | None  # (FN, 1)
    side: Array | None  # (FN, OH*OW*N)
    zeros: Array | None  # FINISH_COLUMNS, to compare with (see elementwise.py); None without Relu

    def apply(self, out: Array, filters: slice, columns: slice) -> None:
        """To some columns of some rows of out (FN, OH*OW*N), in blocks."""
        width = max(1, min(FINISH_COLUMNS, columns.stop - columns.start))
        for start in range(columns.start, columns.stop, width):
            part = slice(start, min(start + width, columns.stop))
            for first in range(filters.start, filters.stop, FINISH_NUMBERS // width):
                rows = slice(first, min(first + FINISH_NUMBERS // width, filters.stop))
                block = out[rows, part]
                if self.scale is not None:
                    block *= self.scale[rows]
                if self.shift is not None:
                    block += self.shift[rows]
                if self.side is not None:
                    block += self.side[rows, part]
                if self.zeros is not None:
                    np.maximum(block, self.zeros[: block.shape[1]], out=block)


def forward(layer: Convolution, x: Array) -> tuple[Array, Any]:
    """The output, and the padded input for backward."""
    x = layer.check_input(x, like=layer.W)
    _, _, OH, OW = layer._output_shape(x.shape)
    padded = pad_images(x, layer.pad, keep=memory.is_private(layer) or not layer.recording)
    return correlate(padded, layer.W, layer.b, geometry(layer), (OH, OW)), (x.shape, padded)


def forward_finished(
    layer: Convolution,
    x: Array,
    scale: Array | None,
    shift: Array | None,
    side: Array | None,
    relu: bool,
) -> Array:
    """relu(scale * (x * W) + shift + side), for a prediction: the layer's b is in `shift`.

    scale, shift (FN,); side of the output's shape; what is None is left out
    """
    x = layer.check_input(x, like=layer.W)
    _, FN, OH, OW = layer._output_shape(x.shape)
    finish = Finish(
        None if scale is None else scale[:, None],
        None if shift is None else shift[:, None],
        None if side is None else to_images_last(side).reshape(FN, -1),
        np.zeros(FINISH_COLUMNS, x.dtype) if relu else None,
    )
    padded = pad_images(x, layer.pad, keep=True)
    return correlate(padded, layer.W, None, geometry(layer), (OH, OW), finish)


def backward(layer: Convolution, dout: Array, kept: tuple[tuple[int, ...], Array]) -> Array:
    """dx, with dW and db in layer.grads."""
    return _backward(layer, dout, kept, layer.W)()


def backward_lazy_dx(layer: Convolution, dout: Array, kept: tuple[tuple[int, ...], Array]) -> Lazy:
    """dW and db; dx, with W as it is now, when the result is called. Until then dout must stay as it is."""
    return _backward(layer, dout, kept, layer.W.copy())


def partial_backward(layer: PartialConvolution, dout: Array, kept: Any) -> Array:
    return partial_backward_lazy_dx(layer, dout, kept)()


def partial_backward_lazy_dx(layer: PartialConvolution, dout: Array, kept: Any) -> Lazy:
    dx = backward_lazy_dx(layer, dout, kept)
    layer.grads["W"][~layer.connections] = 0
    return dx


def _backward(layer: Convolution, dout: Array, kept: tuple[tuple[int, ...], Array], W: Array) -> Lazy:
    x_shape, padded = kept
    d = to_images_last(layer.check_dout(dout, layer._output_shape(x_shape)))  # (FN, OH, OW, N)
    g = geometry(layer)
    dW, db = weight_gradients(d, padded, W.shape, g, bias=layer.b is not None)
    layer.grads["W"] = dW
    if db is not None:
        layer.grads["b"] = db
    return partial(input_gradient, d, W, padded.shape, g, layer.pad)


def geometry(layer: Convolution) -> Geometry:
    return Geometry(layer.W.shape[2:], layer.stride, layer.dilation, layer.groups)


def pad_images(x: Array, pad: tuple[int, int], keep: bool) -> Array:
    """(N, C, H, W) -> (C, H + 2*ph, W + 2*pw, N): a copy, since the caller may overwrite x, unless x may be
    kept and lies so already."""
    (N, C, H, W), (ph, pw) = x.shape, pad
    turned = x.transpose(1, 2, 3, 0)
    if keep and not (ph or pw) and turned.flags.c_contiguous:
        return turned
    padded = (memory.zeros if ph or pw else memory.empty)((C, H + 2 * ph, W + 2 * pw, N), x.dtype)
    passes = 2 if turned.strides[-1] == x.itemsize else 8  # a transpose does not read in runs
    each_slab(np.copyto, padded[:, ph : ph + H, pw : pw + W], turned, passes=passes)
    return padded


def correlate(
    padded: Array,
    W: Array,
    b: Array | None,
    g: Geometry,
    size: tuple[int, int],
    finish: Finish | None = None,
) -> Array:
    """The padded input (C, H', W', N) -> (N, FN, OH, OW)."""
    if g == PLAIN and winograd.suits(W, size, padded.shape[3]):
        after = finish or (None if b is None else Finish(None, b[:, None], None, None))
        found = winograd.correlate(padded, W, size, after)
        if found is not None:
            return to_images_first(found)
    (C, _, _, N), (OH, OW), FN = padded.shape, size, len(W)
    weights = W.reshape(FN, -1)
    if b is not None and g.window == (1, 1):  # a row of ones would be the only reason for columns
        finish, b = Finish(None, b[:, None], None, None), None
    if b is not None:
        weights = np.concatenate((weights, b[:, None]), axis=1)
    out = memory.empty((FN, OH * OW * N), padded.dtype)

    def work(filters: slice, channels: slice, part: slice) -> tuple[slice, Array] | None:
        some, ones = of_group(channels, C // g.groups, taps, b is not None)
        target, own = out[filters], weights[filters, some]
        if some.start > 0:  # another thread has the sum over other channels
            target = memory.empty(target.shape, out.dtype)
        for rows in row_blocks(part, own.shape[1], OW * N, padded.itemsize):
            col = columns(padded[channels], rows, OW, g, ones)
            done = slice(rows.start * OW * N, rows.stop * OW * N)
            product(own, col, target[:, done])
            if finish is not None and cut != CHANNELS:
                finish.apply(out, filters, done)
        return (filters, target) if some.start > 0 else None

    cut, taps = ROWS, math.prod(g.window)
    if not reads_all_weights(W):
        cut = FILTERS if taps == 1 else CHANNELS
    for more in share(work, groups(FN, C, OH, g.groups), cut, weights.size * OH * OW * N):
        if more is not None:
            out[more[0]] += more[1]
    if finish is not None and cut == CHANNELS:
        finish.apply(out, slice(0, FN), slice(0, out.shape[1]))
    return to_images_first(out.reshape(FN, OH, OW, N))


def weight_gradients(
    d: Array, padded: Array, shape: tuple[int, ...], g: Geometry, bias: bool
) -> tuple[Array, Array | None]:
    """dW = dout @ columns^T and, of the columns' ones, db = the sum of dout: over the blocks of rows."""
    (FN, OH, OW, N), K, flat = d.shape, math.prod(shape[1:]), d.reshape(len(d), -1)
    db = None
    if g == PLAIN and winograd.suits_gradient(shape, (OH, OW), N):
        found = winograd.weight_gradient(d, padded)
        if found is not None:
            return found, flat.sum(axis=1) if bias else None
    if bias and g.window == (1, 1):  # as in correlate
        bias, db = False, flat.sum(axis=1)
    totals = memory.empty((FN, K + bias), d.dtype)  # dW and, in a last column, db

    def work(filters: slice, channels: slice, part: slice) -> list[tuple[slice, Array]]:
        later: list[tuple[slice, Array]] = []
        some, ones = of_group(channels, shape[1], math.prod(g.window), bias)
        for rows in row_blocks(part, K, OW * N, d.itemsize):
            col = columns(padded[channels], rows, OW, g, ones)
            factor = flat[filters, rows.start * OW * N : rows.stop * OW * N]
            if rows.start == 0:
                product_over_columns(factor, col, out=totals[filters, some])
            elif part.start == 0:
                totals[filters, some] += product_over_columns(factor, col)
            else:  # another thread has gradients of the same filters
                later.append((filters, product_over_columns(factor, col)))
        return later

    cut = ROWS if FN * K * d.itemsize <= MAX_WHOLE_WEIGHTS_BYTES else CHANNELS
    if g.window == (1, 1):  # there is nothing to copy twice
        cut = FILTERS
    for later in share(work, groups(FN, len(padded), OH, g.groups), cut, FN * K * OH * OW * N):
        for filters, total in later:
            totals[filters] += total
    return totals[:, :K].reshape(shape), totals[:, K] if bias else db


def of_group(channels: slice, count: int, taps: int, bias: bool) -> tuple[slice, bool]:
    """Which weights of a filter are those of some channels of its group of `count`, and whether its bias,
    which comes last, is among them."""
    start = channels.start % count
    stop = start + channels.stop - channels.start
    with_bias = bias and stop == count
    return slice(start * taps, stop * taps + with_bias), with_bias


def columns(a: Array, rows: slice, width: int, g: Geometry, ones: bool) -> Array:
    """(C, H, W, N) -> (C*FH*FW, rows*OW*N) in the workspace: the windows of some output rows, and below
    them, if asked for, a row of ones."""
    C, _, _, N = a.shape
    (sc, sh, sw, sn), count = a.strides, rows.stop - rows.start
    windows: Array = np.ndarray(
        (C, *g.window, count, width, N),
        a.dtype,
        a,  # contiguous
        offset=rows.start * g.stride[0] * sh,
        strides=(sc, sh * g.dilation[0], sw * g.dilation[1], sh * g.stride[0], sw * g.stride[1], sn),
    )
    if g.window == (1, 1) and windows.flags.c_contiguous and not ones:
        return windows.reshape(C, -1)
    K = C * g.window[0] * g.window[1]
    if ones:
        col = workspace_above_ones(K, count * width * N, a.dtype)
    else:
        col = workspace("columns", (K, count * width * N), a.dtype)
    copy = np.copyto if g.stride[1] == 1 else copy_pixels
    copy(col[:K].reshape(windows.shape), windows)
    return col


def row_blocks(rows: slice, length: int, row: int, itemsize: int) -> list[slice]:
    """Some rows of the output in blocks: `row` columns of `length` numbers come from each of them."""
    columns, height = max(MIN_COLUMNS, COLUMN_BYTES // (length * itemsize)), rows.stop - rows.start
    if height * row <= columns:
        return [rows]
    return [_within(rows, part) for part in threads.parts(height, -(-height * row // columns))]


def groups(FN: int, C: int, OH: int, count: int) -> list[Task]:
    """For each group its filters, its input channels, and the rows of the output."""
    f, c = FN // count, C // count
    return [(slice(i * f, (i + 1) * f), slice(i * c, (i + 1) * c), slice(0, OH)) for i in range(count)]


def share(work: Callable[[slice, slice, slice], R], tasks: list[Task], cut: int, size: int) -> list[R]:
    """[work(*task)] for every group, by the threads if it is large (`size` multiplications); where there are
    more threads than groups, a task is cut along its FILTERS, CHANNELS or ROWS. Within its part of a batch, a
    thread does all of it."""
    if size < threads.MIN_BLAS_PRODUCTS or threads.is_worker():
        return [work(*task) for task in tasks]
    with threads.team() as members:
        if size < MIN_SHARED_PRODUCTS or members == 1:
            return [work(*task) for task in tasks]
        if len(tasks) < members:
            tasks = [part for task in tasks for part in _cut(task, cut, members)]
        return threads.each(lambda task: work(*task), tasks)


def _cut(task: Task, which: int, pieces: int) -> Iterator[Task]:
    whole = task[which]
    for part in threads.parts(whole.stop - whole.start, pieces):
        cut = list(task)
        cut[which] = _within(whole, part)
        yield cut[0], cut[1], cut[2]


def _within(whole: slice, part: slice) -> slice:
    return slice(whole.start + part.start, whole.start + part.stop)


def reads_all_weights(W: Array) -> bool:
    """Whether each thread should work with all of W on some rows: that spares it the other threads' columns,
    where a part of W would spare it the reading of the rest."""
    return W.nbytes <= MAX_WHOLE_WEIGHTS_BYTES


# -- dx -------------------------------------------------------------------------------------------
def input_gradient(d: Array, W: Array, padded: tuple[int, ...], g: Geometry, pad: tuple[int, int]) -> Array:
    """dout (FN, OH, OW, N) -> dx (N, C, H, W); `padded` is the shape of forward's padded input.

    W^T @ dout would give columns to be added back to their pixels (the book's col2im). Along the rows of
    the image that is spared where the stride is 1 and there are pixels enough: there dx is the correlation
    of dout with the filters turned round. What is left is to add FH rows to each row.
    """
    (C, _, _, N), (FH, FW), dx_rows, length = padded, g.window, _rows_by_columns, W[0].size
    H, width = padded[1] - 2 * pad[0], padded[2] - 2 * pad[1]
    if g == PLAIN and max(pad) <= 2 and winograd.suits(W.transpose(1, 0, 2, 3), (H, width), N):
        framed = pad_images(to_images_first(d), (2 - pad[0], 2 - pad[1]), keep=True)
        by_fewer = winograd.correlate(framed, W.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1], (H, width), None)
        if by_fewer is not None:
            return to_images_first(by_fewer)
    if g.window == (1, 1) and pad == (0, 0):
        return _dx_of_single_pixels(d, W, g, (H, width))
    turns = H * width * N >= MIN_PIXELS_PER_FILTER * len(W) // g.groups
    if turns and g.stride[1] == 1 and pad[1] <= g.dilation[1] * (FW - 1):
        dx_rows, length = _rows_by_turned_filters, FW * len(W) // g.groups
        d = _frame_rows(d, g, pad[1], width)
    (FN, OH), Cg = d.shape[:2], W.shape[1]
    dx = memory.zeros((C, H, width, N), d.dtype)

    def work(filters: slice, channels: slice, part: slice) -> tuple[slice, int, Array] | None:
        first = filters.start // (FN // g.groups) * Cg  # W counts the channels of its group
        weights = W[filters, channels.start - first : channels.stop - first]
        top, target = 0, dx[channels]
        if part != slice(0, OH):  # another thread's rows overlap with these
            top = max(0, part.start * g.stride[0] - pad[0])
            bottom = min(H, (part.stop - 1) * g.stride[0] + (FH - 1) * g.dilation[0] + 1 - pad[0])
            target = memory.zeros((len(target), max(0, bottom - top), width, N), d.dtype)
        for rows in row_blocks(part, length, width * N, d.itemsize):
            added = dx_rows(d[filters], rows, weights, g, pad[1], width)
            for y in range(FH):
                _add_rows(target, added[:, y], rows.start, g.stride[0], y * g.dilation[0] - pad[0] - top)
        return None if part == slice(0, OH) else (channels, top, target)

    cut = ROWS if reads_all_weights(W) else CHANNELS
    for found in share(work, groups(FN, C, OH, g.groups), cut, W.size * OH * width * N):
        if found is not None:
            channels, top, rows = found
            dx[channels, top : top + rows.shape[1]] += rows
    return to_images_first(dx)


def _dx_of_single_pixels(d: Array, W: Array, g: Geometry, size: tuple[int, int]) -> Array:
    """With windows of one pixel dx is a product, W^T @ dout, at the pixels that the windows see."""
    (FN, OH, OW, N), Cg = d.shape, W.shape[1]
    seen, flat = memory.empty((Cg * g.groups, OH * OW * N), d.dtype), d.reshape(FN, -1)

    def work(filters: slice, channels: slice, part: slice) -> None:
        some, _ = of_group(channels, Cg, 1, bias=False)
        pixels = slice(part.start * OW * N, part.stop * OW * N)
        product(W[filters, some, 0, 0].T, flat[filters, pixels], seen[channels, pixels])

    cut = ROWS if reads_all_weights(W) else CHANNELS
    share(work, groups(FN, len(seen), OH, g.groups), cut, W.size * OH * OW * N)
    dx = seen.reshape(-1, OH, OW, N)
    if size != (OH, OW):
        dx = memory.zeros((len(seen), *size, N), d.dtype)
        copy_pixels(dx[:, :: g.stride[0], :: g.stride[1]][:, :OH, :OW], seen.reshape(-1, OH, OW, N))
    return to_images_first(dx)


def _add_rows(dx: Array, added: Array, first: int, stride: int, shift: int) -> None:
    """Row r of `added` is the output's row first + r: to dx's row (first + r) * stride + shift, if any."""
    start = max(first, -(shift // stride))
    stop = min(first + added.shape[1], (dx.shape[1] - 1 - shift) // stride + 1)
    if start < stop:
        top = start * stride + shift
        target = dx[:, top : top + (stop - start - 1) * stride + 1 : stride]
        np.add(target, added[:, start - first : stop - first], out=target)


def _frame_rows(d: Array, g: Geometry, pad: int, width: int) -> Array:
    """dout with zeros beside it, so that the turned filters visit every pixel of the input's rows."""
    FN, OH, OW, N = d.shape
    reach = g.dilation[1] * (g.window[1] - 1)
    if not reach:
        return d
    framed = memory.zeros((FN, OH, width + reach, N), d.dtype)
    framed[:, :, reach - pad : reach - pad + OW] = d
    return framed


def _rows_by_turned_filters(d: Array, rows: slice, W: Array, g: Geometry, pad: int, width: int) -> Array:
    """Framed dout (f, OH, width + reach, N) -> (C/groups, FH, rows, width, N) in the workspace."""
    (f, _, _, N), (_, Cg, FH, FW), count = d.shape, W.shape, rows.stop - rows.start
    col = columns(d, rows, width, Geometry((1, FW), (1, 1), (1, g.dilation[1]), 1), ones=False)
    turned = W[:, :, :, ::-1].transpose(1, 2, 0, 3).reshape(Cg * FH, f * FW)
    added = workspace("added", (Cg * FH, count * width * N), d.dtype)
    product(turned, col, added)
    return added.reshape(Cg, FH, count, width, N)


def _rows_by_columns(d: Array, rows: slice, W: Array, g: Geometry, pad: int, width: int) -> Array:
    """dout (f, OH, OW, N) -> (C/groups, FH, rows, width, N) in the workspace, for any stride."""
    (f, _, OW, N), (_, Cg, FH, FW), count = d.shape, W.shape, rows.stop - rows.start
    col = workspace("columns", (W[0].size, count * OW * N), d.dtype)
    product(W.reshape(f, -1).T, d.reshape(f, -1)[:, rows.start * OW * N : rows.stop * OW * N], col)
    cells = col.reshape(Cg, FH, FW, count, OW, N)
    added = workspace("added", (Cg, FH, count, width + 2 * pad, N), d.dtype)
    step = g.stride[1]
    for first in range(step):  # the pixels that lie `step` apart, side by side: a row of outputs is one run
        target = added[:, :, :, first::step]
        taps = [x for x in range(FW) if x * g.dilation[1] % step == first]
        lane = target if step == 1 else workspace("lane", target.shape, d.dtype)
        lane.fill(0)
        for x in taps:
            left = x * g.dilation[1] // step
            lane[:, :, :, left : left + OW] += cells[:, :, x]
        if lane is not target:
            copy_pixels(target, lane)
    return added[:, :, :, pad : pad + width]
