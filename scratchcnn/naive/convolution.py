"""Convolution (book, section 7.2.3), im2col and col2im (section 7.4.2)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scratchcnn.naive.windows import Index, Pair, as_float64, indices, pair, window_starts
from scratchcnn.typing import Array


def conv_forward(
    x: Array,
    W: Array,
    b: Array | None,
    stride: Pair = 1,
    pad: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """(N, C, H, W) -> (N, FN, OH, OW); W (FN, C // groups, FH, FW), b (FN,) or None.

        out[n, f, oh, ow] = b[f] + sum over c, y, x of
            W[f, c, y, x] * x[n, first(f) + c, oh*sh - ph + y*dh, ow*sw - pw + x*dw]

    with first(f) the first input channel of f's group; a pixel outside the image is 0.
    """
    taps, shape = _taps(x, W, stride, pad, dilation, groups)
    x64, W64, out = as_float64(x, "x", *x.shape), as_float64(W, "W", *W.shape), np.zeros(shape)
    if b is not None:
        b64 = as_float64(b, "b", shape[1])
        for n, f, oh, ow in indices(*shape):
            out[n, f, oh, ow] = b64[f]
    for o, w, i in taps:
        out[o] += W64[w] * x64[i]
    return out.astype(x.dtype)


def conv_backward(
    dout: Array,
    x: Array,
    W: Array,
    stride: Pair = 1,
    pad: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> tuple[Array, Array, Array]:
    """dout (N, FN, OH, OW) -> dx, dW, db: each product `W * x` passes dout on to both factors."""
    taps, shape = _taps(x, W, stride, pad, dilation, groups)
    dout64, x64, W64 = (
        as_float64(dout, "dout", *shape),
        as_float64(x, "x", *x.shape),
        as_float64(W, "W", *W.shape),
    )
    dx, dW, db = np.zeros(x.shape), np.zeros(W.shape), np.zeros(len(W))
    for o, w, i in taps:
        dx[i] += dout64[o] * W64[w]
        dW[w] += dout64[o] * x64[i]
    for n, f, oh, ow in indices(*shape):
        db[f] += dout64[n, f, oh, ow]
    return dx.astype(x.dtype), dW.astype(x.dtype), db.astype(x.dtype)


def _taps(
    x: Array, W: Array, stride: Pair, pad: Pair, dilation: Pair, groups: int
) -> tuple[Iterator[tuple[Index, Index, Index]], Index]:
    """Each multiplication of the convolution as (index into out, into W, into x), and the shape of out."""
    if np.ndim(x) != 4 or np.ndim(W) != 4:
        wanted = "x (N, C, H, W) and W (FN, C // groups, FH, FW)"
        raise ValueError(f"expected {wanted}, got {np.shape(x)} and {np.shape(W)}")
    (N, C, height, width), (FN, Cg, FH, FW) = x.shape, W.shape
    if groups < 1 or FN % groups or Cg * groups != C:
        raise ValueError(f"x has {C} channels and W is {W.shape}, which do not fit with groups={groups}")
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(pad), pair(dilation)
    tops = window_starts(height, (FH - 1) * dh + 1, sh, ph)
    lefts = window_starts(width, (FW - 1) * dw + 1, sw, pw)

    def walk() -> Iterator[tuple[Index, Index, Index]]:
        for n, f, oh, ow in indices(N, FN, len(tops), len(lefts)):
            first = f // (FN // groups) * Cg  # the first input channel of f's group
            for c, fy, fx in indices(Cg, FH, FW):
                row, column = tops[oh] + fy * dh, lefts[ow] + fx * dw
                if 0 <= row < height and 0 <= column < width:
                    yield (n, f, oh, ow), (f, c, fy, fx), (n, first + c, row, column)

    return walk(), (N, FN, len(tops), len(lefts))


def im2col(
    input_data: Array, filter_h: int, filter_w: int, stride: Pair = 1, pad: Pair = 0, dilation: Pair = 1
) -> Array:
    """(N, C, H, W) -> (N*OH*OW, C*FH*FW): one row per window, channel by channel, 0 in the padding."""
    copies, shape = _copies(input_data.shape, filter_h, filter_w, stride, pad, dilation)
    col = np.zeros(shape, dtype=input_data.dtype)
    for place, pixel in copies:
        col[place] = input_data[pixel]
    return col


def col2im(
    col: Array,
    input_shape: tuple[int, int, int, int],
    filter_h: int,
    filter_w: int,
    stride: Pair = 1,
    pad: Pair = 0,
    dilation: Pair = 1,
) -> Array:
    """(N*OH*OW, C*FH*FW) -> (N, C, H, W): adds each number to the pixel from which im2col copied it."""
    copies, shape = _copies(input_shape, filter_h, filter_w, stride, pad, dilation)
    col64, image = as_float64(col, "col", *shape), np.zeros(input_shape)
    for place, pixel in copies:
        image[pixel] += col64[place]
    return image.astype(col.dtype)


def _copies(
    input_shape: Index, FH: int, FW: int, stride: Pair, pad: Pair, dilation: Pair
) -> tuple[Iterator[tuple[Index, Index]], Index]:
    """Each copy that im2col makes as (index into col, index of the pixel), and the shape of col."""
    N, C, H, W = input_shape
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(pad), pair(dilation)
    tops = window_starts(H, (FH - 1) * dh + 1, sh, ph)
    lefts = window_starts(W, (FW - 1) * dw + 1, sw, pw)

    def walk() -> Iterator[tuple[Index, Index]]:
        for row, (n, top, left) in enumerate((n, t, l) for n in range(N) for t in tops for l in lefts):
            for column, (c, fy, fx) in enumerate(indices(C, FH, FW)):
                y, x = top + fy * dh, left + fx * dw
                if 0 <= y < H and 0 <= x < W:
                    yield (row, column), (n, c, y, x)

    return walk(), (N * len(tops) * len(lefts), C * FH * FW)
