"""The fully connected layer, split over the threads.

One image is a vector times a matrix: the time is that of reading W (forward, dx) and of writing dW, so every
thread takes a part of W.

Behind convolutions x has its images last (layout.py), that is, it is the transpose of what the formula
multiplies. BLAS takes it as it lies, and dx is made to lie as x does: as the layer before wants it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scratchcnn.fast import memory, threads
from scratchcnn.fast.products import SMALL

LARGE = 1 << 23  # multiplications that are worth splitting: waking a thread takes as long as a million


def forward(x: NDArray, W: NDArray, b: NDArray | None) -> NDArray:
    """(N, in) @ (in, out) + b"""
    if len(x) * W.size < LARGE or (size := threads.count()) == 1:
        out = x @ W
    else:
        out = memory.empty((len(x), W.shape[1]), x.dtype)
        with threads.team() as size:
            threads.each(lambda p: np.matmul(x, W[:, p], out=out[:, p]), threads.parts(W.shape[1], size))
    if b is not None:
        out += b
    return out


def backward(dout: NDArray, x: NDArray, W: NDArray) -> tuple[NDArray, NDArray]:
    """dx = dout @ W^T and dW = x^T @ dout; each thread takes some rows of W. dx is in x's memory order."""
    dW, dx = memory.empty(W.shape, W.dtype), memory.empty_like(x)

    def part(p: slice) -> None:
        if len(x) == 1:
            _outer(x[0, p], dout[0], dW[p])
        else:
            np.matmul(x[:, p].T, dout, out=dW[p])
        np.matmul(dout, W[p].T, out=dx[:, p])

    if len(x) * W.size < LARGE:
        part(slice(0, len(W)))
    else:
        with threads.team() as size:
            threads.each(part, threads.parts(len(W), size))
    return dx, dW


def _outer(a: NDArray, b: NDArray, out: NDArray) -> None:
    """The outer product. BLAS is three times as fast as a ufunc that begins a row for each number of `a`,
    but not for a product over one index; over two, the second of zeros, it has its code for small ones."""
    if 2 * out.size > SMALL:
        np.multiply(a[:, None], b, out=out)
        return
    left, right = np.zeros((len(a), 2), a.dtype), np.zeros((2, len(b)), b.dtype)
    left[:, 0], right[0] = a, b
    np.matmul(left, right, out=out)
