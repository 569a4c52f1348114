"""Average pooling to a given output size, pixel by pixel."""

from __future__ import annotations

import numpy as np

from scratchcnn.naive.windows import Index, as_float64, indices
from scratchcnn.typing import Array


def adaptive_average_forward(x: Array, out_h: int, out_w: int) -> Array:
    """(N, C, H, W) -> (N, C, out_h, out_w): out[i, j] is the mean of the pixels that cell (i, j) touches.

    The output's cells form a grid laid over the image; a pixel belongs to each cell that covers any part
    of it (`torch.nn.functional.adaptive_avg_pool2d`).
    """
    x64 = as_float64(x, "x", "N", "C", "H", "W")
    N, C, H, W = x64.shape
    out = np.zeros((N, C, out_h, out_w))
    for n, c, i, j in indices(*out.shape):
        pixels = _touched((n, c), H, W, i, j, out_h, out_w)
        for pixel in pixels:
            out[n, c, i, j] += x64[pixel] / len(pixels)
    return out.astype(x.dtype)


def adaptive_average_backward(dout: Array, x: Array) -> Array:
    """dout (N, C, out_h, out_w) -> dx: each cell's dout goes to its pixels in equal shares."""
    N, C, H, W = x.shape
    dout64, dx = as_float64(dout, "dout", N, C, "out_h", "out_w"), np.zeros(x.shape)
    out_h, out_w = dout64.shape[2:]
    for n, c, i, j in indices(*dout64.shape):
        pixels = _touched((n, c), H, W, i, j, out_h, out_w)
        for pixel in pixels:
            dx[pixel] += dout64[n, c, i, j] / len(pixels)
    return dx.astype(x.dtype)


def _touched(channel: Index, H: int, W: int, i: int, j: int, out_h: int, out_w: int) -> list[Index]:
    """The pixels that lie at least partly in cell (i, j).

    On a ruler with H * out_h marks, pixel row r spans r * out_h .. (r + 1) * out_h and cell row i spans
    i * H .. (i + 1) * H; columns likewise.
    """
    return [
        (*channel, r, s)
        for r, s in indices(H, W)
        if r * out_h < (i + 1) * H and (r + 1) * out_h > i * H
        if s * out_w < (j + 1) * W and (s + 1) * out_w > j * W
    ]


def global_average_forward(x: Array) -> Array:
    """(N, C, H, W) -> (N, C): the mean of each channel."""
    x64 = as_float64(x, "x", "N", "C", "H", "W")
    N, C, H, W = x64.shape
    out = np.zeros((N, C))
    for n, c, h, w in indices(N, C, H, W):
        out[n, c] += x64[n, c, h, w] / (H * W)
    return out.astype(x.dtype)


def global_average_backward(dout: Array, x: Array) -> Array:
    """dout (N, C) -> dx: each channel's dout goes to its pixels in equal shares."""
    N, C, H, W = x.shape
    dout64, dx = as_float64(dout, "dout", N, C), np.zeros(x.shape)
    for n, c, h, w in indices(N, C, H, W):
        dx[n, c, h, w] = dout64[n, c] / (H * W)
    return dx.astype(x.dtype)
