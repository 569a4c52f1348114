"""Convolution by columns that fit into the cache.

As in the book: columns, and one matrix product. But some output rows at a time, so that the columns are
read from the cache and not from memory, always in the same workspace; backward makes them again, which
costs less than fetching stored ones. Inside, images are (C, H, W, N) (see layout.py): a column is then
made of runs of OW*N numbers, and the product gives (FN, OH, OW, N) with no transpose behind it.

The bias is one more weight whose input is always 1: the columns end in a row of ones, and the products that
give the output and dW add the bias and sum db on their way.

Costs: the products of the textbook's layer, FH*FW copies of the input (backward: twice), and kept between
forward and backward the padded input alone, where the textbook keeps FH*FW times as much.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scratchcnn.fast import memory, threads
from scratchcnn.fast.layout import outside, workspace
from scratchcnn.fast.products import product, product_over_columns

# How many bytes of columns are made at a time: few, to stay in the cache, but so many columns that
# preparing W for the product (BLAS copies it into its own order) does not count.
COLUMN_BYTES = 1 << 21
COLUMNS = 1536


class Geometry(NamedTuple):
    """Window, steps and groups; `pad` may differ at the two ends of an axis only through the sizes given."""

    window: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int


def pad_images(x: NDArray, pad: tuple[int, int], keep: bool) -> NDArray:
    """(N, C, H, W) -> (C, H + 2*ph, W + 2*pw, N): a copy, since the caller may overwrite x, unless x may be
    kept and lies so already."""
    (N, C, H, W), (ph, pw) = x.shape, pad
    turned = x.transpose(1, 2, 3, 0)
    if keep and not (ph or pw) and turned.flags.c_contiguous:
        return turned
    padded = memory.empty((C, H + 2 * ph, W + 2 * pw, N), x.dtype)
    if ph or pw:
        padded[:, :ph], padded[:, ph + H :] = 0, 0
        padded[:, :, :pw], padded[:, :, pw + W :] = 0, 0
    np.copyto(padded[:, ph : ph + H, pw : pw + W], turned)
    return padded


def forward(padded: NDArray, W: NDArray, b: NDArray | None, g: Geometry, size: tuple[int, int]) -> NDArray:
    """The padded input (C, H', W', N) -> (N, FN, OH, OW)."""
    weights = W.reshape(len(W), -1)
    if b is not None:
        weights = np.concatenate((weights, b[:, None]), axis=1)
    return outside(correlate(padded, weights, g, size))


def weight_gradients(
    d: NDArray, padded: NDArray, shape: tuple[int, ...], g: Geometry, bias: bool
) -> tuple[NDArray, NDArray | None]:
    """dW = dout @ columns^T and, of the columns' ones, db = the sum of dout: over the blocks of rows."""
    (FN, OH, OW, N), C = d.shape, len(padded)
    K = shape[1] * shape[2] * shape[3]
    dW, db = np.zeros((FN, K), d.dtype), np.zeros(FN, d.dtype) if bias else None
    flat = d.reshape(FN, -1)
    for filters, channels in groups(FN, C, g.groups):
        for rows in row_blocks(OH, K, OW * N, d.itemsize):
            col = columns(padded[channels], rows, OW, g, bias)
            total = product_over_columns(flat[filters, rows.start * OW * N : rows.stop * OW * N], col)
            dW[filters] += total[:, :K]
            if db is not None:
                db[filters] += total[:, K]
    return dW.reshape(shape), db


def input_gradient(
    d: NDArray, W: NDArray, padded: tuple[int, ...], g: Geometry, pad: tuple[int, int]
) -> NDArray:
    """dout (FN, OH, OW, N) -> dx (N, C, H, W); `padded` is the shape of forward's padded input."""
    H, width = padded[1] - 2 * pad[0], padded[2] - 2 * pad[1]
    if g.stride == (1, 1) and _turning_pays(d, W, padded, g, pad):
        return outside(_dx_by_turned_filters(d, W, g, pad, (H, width)))
    dpadded = _dx_by_columns(d, W, g, padded)
    return outside(dpadded[:, pad[0] : pad[0] + H, pad[1] : pad[1] + width])


def columns(a: NDArray, rows: slice, width: int, g: Geometry, ones: bool) -> NDArray:
    """(C, H, W, N) -> (C*FH*FW, rows*OW*N) in the workspace: the windows of some output rows, and below
    them, if asked for, a row of ones."""
    C, _, _, N = a.shape
    (sc, sh, sw, sn), count = a.strides, rows.stop - rows.start
    windows: NDArray = np.ndarray(
        (C, *g.window, count, width, N),
        a.dtype,
        a,  # contiguous
        offset=rows.start * g.stride[0] * sh,
        strides=(sc, sh * g.dilation[0], sw * g.dilation[1], sh * g.stride[0], sw * g.stride[1], sn),
    )
    if g.window == (1, 1) and windows.flags.c_contiguous and not ones:
        return windows.reshape(C, -1)
    K = C * g.window[0] * g.window[1]
    col = workspace("columns", (K + ones, count * width * N), a.dtype)
    np.copyto(col[:K].reshape(windows.shape), windows)
    col[K:] = 1
    return col


def row_blocks(height: int, length: int, row: int, itemsize: int) -> list[slice]:
    """0..height in slices: `row` columns of `length` numbers come from each row of the output."""
    columns = max(COLUMNS, COLUMN_BYTES // (length * itemsize))
    return threads.parts(height, -(-height * row // columns))


def correlate(a: NDArray, W: NDArray, g: Geometry, size: tuple[int, int]) -> NDArray:
    """(C, H, W, N) with W (FN, C/groups * FH * FW), or one more for the bias, -> (FN, OH, OW, N)."""
    (C, _, _, N), (OH, OW) = a.shape, size
    FN, K = W.shape
    ones = K > C // g.groups * g.window[0] * g.window[1]
    out = memory.empty((FN, OH * OW * N), a.dtype)
    for filters, channels in groups(FN, C, g.groups):
        for rows in row_blocks(OH, K, OW * N, a.itemsize):
            col = columns(a[channels], rows, OW, g, ones)
            product(W[filters], col, out[filters, rows.start * OW * N : rows.stop * OW * N])
    return out.reshape(FN, OH, OW, N)


def groups(FN: int, C: int, count: int) -> list[tuple[slice, slice]]:
    """For each group its filters and its input channels."""
    f, c = FN // count, C // count
    return [(slice(i * f, (i + 1) * f), slice(i * c, (i + 1) * c)) for i in range(count)]


# -- dx -------------------------------------------------------------------------------------------
def _border(g: Geometry, pad: tuple[int, int]) -> tuple[int, int]:
    """How far dout must be padded so that the turned filters visit every input pixel."""
    return g.dilation[0] * (g.window[0] - 1) - pad[0], g.dilation[1] * (g.window[1] - 1) - pad[1]


def _turning_pays(d: NDArray, W: NDArray, padded: tuple[int, ...], g: Geometry, pad: tuple[int, int]) -> bool:
    """Turned filters need columns of dout over the input's pixels; folding adds columns of the input over
    the output's, which costs about twice as much a number. Pads beyond the window are folded."""
    if min(_border(g, pad)) < 0 or g.window == (1, 1):
        return False
    input_pixels = (padded[1] - 2 * pad[0]) * (padded[2] - 2 * pad[1])
    return len(W) * input_pixels < 2 * padded[0] * d.shape[1] * d.shape[2]


def _dx_by_turned_filters(
    d: NDArray, W: NDArray, g: Geometry, pad: tuple[int, int], size: tuple[int, int]
) -> NDArray:
    """Stride 1: dx is the correlation of the padded dout with the filters turned by 180 degrees."""
    (FN, OH, OW, N), (bh, bw) = d.shape, _border(g, pad)
    framed = memory.zeros((FN, OH + 2 * bh, OW + 2 * bw, N), d.dtype)
    framed[:, bh : bh + OH, bw : bw + OW] = d
    f, Cg = FN // g.groups, W.shape[1]
    # (groups, f, C/groups, FH, FW) -> (groups, C/groups, f, FH, FW)
    turned = W[:, :, ::-1, ::-1].reshape(g.groups, f, Cg, *g.window).transpose(0, 2, 1, 3, 4)
    return correlate(framed, turned.reshape(g.groups * Cg, -1), g, size)


def _dx_by_columns(d: NDArray, W: NDArray, g: Geometry, shape: tuple[int, ...]) -> NDArray:
    """Any stride: W^T @ dout gives columns, which are added back to their pixels (the book's col2im), first
    along the rows of the image, then down."""
    (FN, OH, OW, N), (sh, sw), (dh, dw), (FH, FW) = d.shape, g.stride, g.dilation, g.window
    flat, W2 = d.reshape(FN, -1), W.reshape(FN, -1)
    dpadded = memory.zeros(shape, d.dtype)
    for filters, channels in groups(FN, shape[0], g.groups):
        target = dpadded[channels]
        for rows in row_blocks(OH, W2.shape[1], OW * N, d.itemsize):
            count = rows.stop - rows.start
            part = flat[filters, rows.start * OW * N : rows.stop * OW * N]
            dcol = workspace("columns", (W2.shape[1], part.shape[1]), d.dtype)
            product(W2[filters].T, part, dcol)
            cells = dcol.reshape(len(target), *g.window, count, OW, N)
            # (C, FH, FW, rows, OW, N) -> (C, FH, rows, W', N), then -> (C, H', W', N)
            across = workspace("across", (len(target), FH, count, *shape[2:]), d.dtype)
            across.fill(0)
            for x in range(FW):
                across[:, :, :, x * dw : x * dw + (OW - 1) * sw + 1 : sw] += cells[:, :, x]
            for y in range(FH):
                top = rows.start * sh + y * dh
                target[:, top : top + (count - 1) * sh + 1 : sh] += across[:, y]
    return dpadded
