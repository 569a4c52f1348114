"""The fully connected layer, split over the threads, its gradient in memory that is free again.

One image is a vector times a matrix: the time is that of reading W (forward, dx) and of writing dW, so every
thread takes a part of W. Memory for dW as large as AlexNet's would come fresh from the system at every step,
page by page; `Spare` gives last time's again as soon as nobody holds it.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from scratchcnn.fast import threads

LARGE = 1 << 18  # numbers in a W that is worth splitting


class Spare:
    """Arrays for results that the caller keeps as long as they like: the same one again once it is free."""

    def __init__(self) -> None:
        self.arrays: list[NDArray] = []

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> NDArray:
        for array in self.arrays:
            # Held by the list, by `array` and by getrefcount's argument: by nobody else, no view either.
            if array.shape == shape and array.dtype == dtype and sys.getrefcount(array) == 3:
                return array
        array = np.empty(shape, dtype)
        self.arrays = [*self.arrays[-1:], array]
        return array

    def __deepcopy__(self, memo: dict) -> Spare:
        return Spare()

    def __reduce__(self) -> tuple:
        return Spare, ()


def forward(x: NDArray, W: NDArray, b: NDArray | None) -> NDArray:
    """(N, in) @ (in, out) + b"""
    if W.size < LARGE or (size := threads.count()) == 1:
        out = x @ W
    else:
        out = np.empty((len(x), W.shape[1]), x.dtype)
        with threads.team() as size:
            threads.each(lambda p: np.matmul(x, W[:, p], out=out[:, p]), threads.parts(W.shape[1], size))
    if b is not None:
        out += b
    return out


def backward(dout: NDArray, x: NDArray, W: NDArray, spare: Spare) -> tuple[NDArray, NDArray]:
    """dx = dout @ W^T and dW = x^T @ dout; each thread takes some rows of W."""
    dW, dx = spare.empty(W.shape, W.dtype), np.empty(x.shape, x.dtype)

    def part(p: slice) -> None:
        if len(x) == 1:
            np.multiply(x[:, p].T, dout, out=dW[p])
        else:
            np.matmul(x[:, p].T, dout, out=dW[p])
        np.matmul(dout, W[p].T, out=dx[:, p])

    if W.size < LARGE:
        part(slice(0, len(W)))
    else:
        with threads.team() as size:
            threads.each(part, threads.parts(len(W), size))
    return dx, dW
