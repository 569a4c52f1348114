"""The book's common/util.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn import col2im, im2col, output_size
from scratchcnn.typing import Array

__all__ = ["col2im", "conv_output_size", "im2col", "shuffle_dataset", "smooth_curve"]

WINDOW = 11  # values that a smoothed value is the weighted mean of


def smooth_curve(x: Any) -> Array:
    """The curve smoothed by a Kaiser window of 11 values, as long as before; x holds at least 11 values."""
    x = np.asarray(x, dtype=float)
    ends = np.r_[x[WINDOW - 1 : 0 : -1], x, x[-1:-WINDOW:-1]]
    w = np.kaiser(WINDOW, 2)
    return np.convolve(w / w.sum(), ends, mode="valid")[5 : len(x) + 5]


def shuffle_dataset(x: Array, t: Array) -> tuple[Array, Array]:
    """Images and labels in the same new order, drawn from `np.random`."""
    order = np.random.permutation(len(x))  # noqa: NPY002  (the book's scripts seed this generator)
    return x[order], t[order]


def conv_output_size(input_size: int, filter_size: int, stride: int = 1, pad: int = 0) -> int:
    """Eq. 7.1, for one axis; rounded down, where the book's returns a fraction."""
    return output_size(input_size, filter_size, stride, pad)
