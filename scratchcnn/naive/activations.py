"""Activations, one number at a time."""

from __future__ import annotations

import math

import numpy as np

from scratchcnn.naive.windows import as_float64, indices
from scratchcnn.typing import Array


def silu_forward(x: Array) -> Array:
    """(N, C) -> (N, C): out[n, c] = x[n, c] * sigmoid(x[n, c])."""
    x64 = as_float64(x, "x", "N", "C")
    out = np.zeros(x64.shape)
    for n, c in indices(*x64.shape):
        out[n, c] = x64[n, c] * _sigmoid(x64[n, c])
    return out.astype(x.dtype)


def silu_backward(dout: Array, x: Array) -> Array:
    """dx[n, c] = dout[n, c] * (s + x[n, c] * s * (1 - s)), with s = sigmoid(x[n, c]): the product rule."""
    x64 = as_float64(x, "x", "N", "C")
    dout64, dx = as_float64(dout, "dout", *x64.shape), np.zeros(x64.shape)
    for n, c in indices(*x64.shape):
        s = _sigmoid(x64[n, c])
        dx[n, c] = dout64[n, c] * (s + x64[n, c] * s * (1 - s))
    return dx.astype(x.dtype)


def _sigmoid(value: float) -> float:
    """1 / (1 + exp(-value)), by the exponential that cannot overflow."""
    small = math.exp(-abs(value))
    return (small if value < 0 else 1) / (1 + small)
