"""Padding of images: each pixel of the border and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scratchcnn.naive.windows import Index, as_float64, indices
from scratchcnn.typing import Array

Sides = tuple[tuple[int, int], tuple[int, int]]


def pad_forward(x: Array, sides: Sides, mode: str = "zeros") -> Array:
    """(N, C, H, W) -> (N, C, top + H + bottom, left + W + right); sides ((top, bottom), (left, right)).

    The border is 0 ("zeros"), the image mirrored at its outermost pixels ("reflect"), the outermost pixel
    again ("replicate") or the image from its other end ("circular").
    """
    copies, shape = _copies(x.shape, sides, mode)
    x64, out = as_float64(x, "x", *x.shape), np.zeros(shape)
    for place, pixel in copies:
        out[place] = x64[pixel]
    return out.astype(x.dtype)


def pad_backward(dout: Array, x_shape: Index, sides: Sides, mode: str = "zeros") -> Array:
    """dout (N, C, top + H + bottom, left + W + right) -> dx: each copy passes dout to its pixel."""
    copies, shape = _copies(x_shape, sides, mode)
    dout64, dx = as_float64(dout, "dout", *shape), np.zeros(x_shape)
    for place, pixel in copies:
        dx[pixel] += dout64[place]
    return dx.astype(dout.dtype)


def _copies(x_shape: Index, sides: Sides, mode: str) -> tuple[Iterator[tuple[Index, Index]], Index]:
    """Each copy as (index into out, into x), and the shape of out."""
    N, C, H, W = x_shape
    (top, bottom), (left, right) = sides
    shape = N, C, top + H + bottom, left + W + right

    def walk() -> Iterator[tuple[Index, Index]]:
        for n, c, h, w in indices(*shape):
            row, column = _source(h - top, H, mode), _source(w - left, W, mode)
            if row is not None and column is not None:
                yield (n, c, h, w), (n, c, row, column)

    return walk(), shape


def _source(at: int, size: int, mode: str) -> int | None:
    """The pixel of an axis that stands at that place; None for a zero."""
    if 0 <= at < size:
        return at
    if mode == "zeros":
        return None
    if mode == "replicate":
        return 0 if at < 0 else size - 1
    if mode == "circular":
        return _source(at + size if at < 0 else at - size, size, mode)
    if mode == "reflect":
        if size == 1:
            raise ValueError("one pixel has nothing to be mirrored")
        return _source(-at if at < 0 else 2 * (size - 1) - at, size, mode)
    raise ValueError(f"mode must be zeros, reflect, replicate or circular; got {mode!r}")
