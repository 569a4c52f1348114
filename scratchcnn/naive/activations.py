"""Activations, one number at a time."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from scratchcnn.naive.windows import as_float64, indices
from scratchcnn.typing import Array


def leaky_relu_forward(x: Array, negative_slope: float = 0.01) -> Array:
    """(N, C) -> (N, C): out[n, c] = x[n, c], times negative_slope where it is not positive."""
    return _each(x, lambda v: v if v > 0 else negative_slope * v)


def leaky_relu_backward(dout: Array, x: Array, negative_slope: float = 0.01) -> Array:
    """dx[n, c] = dout[n, c], times negative_slope where x[n, c] is not positive."""
    return _each_times(dout, x, lambda v: 1.0 if v > 0 else negative_slope)


def elu_forward(x: Array, alpha: float = 1.0) -> Array:
    """(N, C) -> (N, C): out[n, c] = x[n, c] where that is positive, else alpha * (exp(x[n, c]) - 1)."""
    return _each(x, lambda v: v if v > 0 else alpha * math.expm1(v))


def elu_backward(dout: Array, x: Array, alpha: float = 1.0) -> Array:
    """dx[n, c] = dout[n, c], times alpha * exp(x[n, c]) where x[n, c] is not positive."""
    return _each_times(dout, x, lambda v: 1.0 if v > 0 else alpha * math.exp(v))


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


def _each(x: Array, f: Callable[[float], float]) -> Array:
    """f of every number of x."""
    x64 = as_float64(x, "x", "N", "C")
    out = np.zeros(x64.shape)
    for n, c in indices(*x64.shape):
        out[n, c] = f(x64[n, c])
    return out.astype(x.dtype)


def _each_times(dout: Array, x: Array, derivative: Callable[[float], float]) -> Array:
    """The chain rule for every number: dout times the derivative at x."""
    x64 = as_float64(x, "x", "N", "C")
    dout64, dx = as_float64(dout, "dout", *x64.shape), np.zeros(x64.shape)
    for n, c in indices(*x64.shape):
        dx[n, c] = dout64[n, c] * derivative(x64[n, c])
    return dx.astype(x.dtype)


def _sigmoid(value: float) -> float:
    """1 / (1 + exp(-value)), by the exponential that cannot overflow."""
    small = math.exp(-abs(value))
    return (small if value < 0 else 1) / (1 + small)
