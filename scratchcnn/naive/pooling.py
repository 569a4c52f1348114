"""Pooling (book, section 7.3) and LeNet-5's trainable subsampling."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from scratchcnn.naive.windows import Index, Pair, as_float64, indices, pair, window_starts
from scratchcnn.typing import Array


def pool_forward(
    x: Array,
    pool_h: int,
    pool_w: int,
    stride: Pair = 1,
    pad: Pair = 0,
    mode: str = "max",
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    dilation: Pair = 1,
    divisor_override: int | None = None,
) -> Array:
    """(N, C, H, W) -> (N, C, OH, OW) with mode "max", "min" or "average".

    Padding is never the maximum or minimum. An average divides by the number of the window's pixels;
    with `count_include_pad` its cells in the padding count too, but not those that ceil_mode adds beyond;
    with `divisor_override` it divides by that. `dilation` is the distance of a window's cells.
    """
    windows, shape = _windows(x, pool_h, pool_w, stride, pad, mode, ceil_mode, dilation)
    x64, out = as_float64(x, "x", *x.shape), np.zeros(shape)
    for o, pixels, cells in windows:
        if mode == "average":
            total = 0.0
            for pixel in pixels:
                total += x64[pixel]
            out[o] = total / (divisor_override or (cells if count_include_pad else len(pixels)))
        else:
            out[o] = x64[_winner(x64, pixels, mode)]
    return out.astype(x.dtype)


def pool_backward(
    dout: Array,
    x: Array,
    pool_h: int,
    pool_w: int,
    stride: Pair = 1,
    pad: Pair = 0,
    mode: str = "max",
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    dilation: Pair = 1,
    divisor_override: int | None = None,
) -> Array:
    """dout (N, C, OH, OW) -> dx: goes to the winner of each window, or in equal shares to its pixels."""
    windows, shape = _windows(x, pool_h, pool_w, stride, pad, mode, ceil_mode, dilation)
    dout64, x64, dx = as_float64(dout, "dout", *shape), as_float64(x, "x", *x.shape), np.zeros(x.shape)
    for o, pixels, cells in windows:
        if mode == "average":
            for pixel in pixels:
                dx[pixel] += dout64[o] / (divisor_override or (cells if count_include_pad else len(pixels)))
        else:
            dx[_winner(x64, pixels, mode)] += dout64[o]
    return dx.astype(x.dtype)


def _windows(
    x: Array, pool_h: int, pool_w: int, stride: Pair, pad: Pair, mode: str, ceil_mode: bool, dilation: Pair
) -> tuple[Iterator[tuple[Index, list[Index], int]], Index]:
    """Each window as (index into out, its pixels row by row, its number of cells within the padding), and
    the shape of out."""
    if mode not in ("max", "min", "average"):
        raise ValueError(f'mode must be "max", "min" or "average", got {mode!r}')
    if np.ndim(x) != 4:
        raise ValueError(f"expected x of shape (N, C, H, W), got {np.shape(x)}")
    N, C, H, W = x.shape
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(pad), pair(dilation)
    height, width = dh * (pool_h - 1) + 1, dw * (pool_w - 1) + 1  # of a window, from first cell to last
    if 2 * ph > height or 2 * pw > width:
        raise ValueError(f"pad {(ph, pw)} must be at most half the window {(height, width)}")
    tops, lefts = window_starts(H, height, sh, ph, ceil_mode), window_starts(W, width, sw, pw, ceil_mode)

    def walk() -> Iterator[tuple[Index, list[Index], int]]:
        for n, c, oh, ow in indices(N, C, len(tops), len(lefts)):
            pixels: list[Index] = []
            cells = 0
            for fy, fx in indices(pool_h, pool_w):
                row, column = tops[oh] + dh * fy, lefts[ow] + dw * fx
                if row < H + ph and column < W + pw:
                    cells += 1
                if 0 <= row < H and 0 <= column < W:
                    pixels.append((n, c, row, column))
            yield (n, c, oh, ow), pixels, cells

    return walk(), (N, C, len(tops), len(lefts))


def _winner(x: Array, pixels: list[Index], mode: str) -> Index:
    """The pixel with the largest (smallest) value, the first among equals; but a NaN wins, the last of
    several, as in PyTorch."""
    best = pixels[0]
    for pixel in pixels:
        if math.isnan(x[pixel]) or (x[pixel] > x[best] if mode == "max" else x[pixel] < x[best]):
            best = pixel
    return best


def subsampling_forward(x: Array, coefficient: Array, bias: Array, size: int = 2) -> Array:
    """(N, C, H, W) -> (N, C, H // size, W // size), with coefficient and bias (C,):

        out[n, c, oh, ow] = coefficient[c] * (sum over a size x size window, none overlapping) + bias[c]

    LeCun et al. 1998, section II.B.
    """
    sums = _window_sums(x, size)
    a, b = as_float64(coefficient, "coefficient", x.shape[1]), as_float64(bias, "bias", x.shape[1])
    out = np.zeros(sums.shape)
    for n, c, oh, ow in indices(*sums.shape):
        out[n, c, oh, ow] = a[c] * sums[n, c, oh, ow] + b[c]
    return out.astype(x.dtype)


def subsampling_backward(
    dout: Array, x: Array, coefficient: Array, size: int = 2
) -> tuple[Array, Array, Array]:
    """dout (N, C, OH, OW) -> dx, dcoefficient, dbias."""
    sums = _window_sums(x, size)
    a, dout64 = as_float64(coefficient, "coefficient", x.shape[1]), as_float64(dout, "dout", *sums.shape)
    dx, da, db = np.zeros(x.shape), np.zeros(len(a)), np.zeros(len(a))
    for n, c, oh, ow in indices(*sums.shape):
        d = dout64[n, c, oh, ow]
        da[c] += d * sums[n, c, oh, ow]
        db[c] += d
        for fy, fx in indices(size, size):
            dx[n, c, oh * size + fy, ow * size + fx] += d * a[c]
    return dx.astype(x.dtype), da.astype(x.dtype), db.astype(x.dtype)


def _window_sums(x: Array, size: int) -> Array:
    """(N, C, H, W) -> (N, C, H // size, W // size); rows and columns beyond are left out."""
    x64 = as_float64(x, "x", "N", "C", "H", "W")
    N, C, H, W = x64.shape
    tops, lefts = window_starts(H, size, size, 0), window_starts(W, size, size, 0)
    sums = np.zeros((N, C, len(tops), len(lefts)))
    for n, c, oh, ow in indices(*sums.shape):
        for fy, fx in indices(size, size):
            sums[n, c, oh, ow] += x64[n, c, tops[oh] + fy, lefts[ow] + fx]
    return sums
