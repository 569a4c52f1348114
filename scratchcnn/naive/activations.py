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


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def selu_forward(x: Array) -> Array:
    """(N, C) -> (N, C): out[n, c] = scale * x[n, c], or scale * alpha * (exp(x[n, c]) - 1) below 0."""
    return _each(x, lambda v: SELU_SCALE * (v if v > 0 else SELU_ALPHA * math.expm1(v)))


def selu_backward(dout: Array, x: Array) -> Array:
    """dx[n, c] = scale * dout[n, c], times alpha * exp(x[n, c]) where x[n, c] is not positive."""
    return _each_times(dout, x, lambda v: SELU_SCALE * (1 if v > 0 else SELU_ALPHA * math.exp(v)))


def softplus_forward(x: Array) -> Array:
    """(N, C) -> (N, C): out[n, c] = log(1 + exp(x[n, c])), by the exponential that cannot overflow."""
    return _each(x, lambda v: max(v, 0.0) + math.log1p(math.exp(-abs(v))))


def softplus_backward(dout: Array, x: Array) -> Array:
    """dx[n, c] = dout[n, c] * sigmoid(x[n, c])."""
    return _each_times(dout, x, _sigmoid)


def gelu_forward(x: Array, approximate: str = "none") -> Array:
    """(N, C) -> (N, C): out[n, c] = x[n, c] * P(a normal number is below x[n, c])."""
    return _each(x, lambda v: v * _below(v, approximate)[0])


def gelu_backward(dout: Array, x: Array, approximate: str = "none") -> Array:
    """dx[n, c] = dout[n, c] * (P + x[n, c] * P's derivative): the product rule."""
    return _each_times(dout, x, lambda v: _below(v, approximate)[0] + v * _below(v, approximate)[1])


def _below(v: float, approximate: str) -> tuple[float, float]:
    """P(a normal number is below v), exact or by a tanh, and its derivative."""
    if approximate == "none":
        return math.erfc(-v / math.sqrt(2)) / 2, math.exp(-v * v / 2) / math.sqrt(2 * math.pi)
    t = math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3))
    return (1 + t) / 2, (1 - t * t) / 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * v * v)


def identity_forward(x: Array) -> Array:
    """(N, C) -> (N, C): out[n, c] = x[n, c]."""
    return _each(x, lambda v: v)


def identity_backward(dout: Array, x: Array) -> Array:
    """dx[n, c] = dout[n, c]."""
    return _each_times(dout, x, lambda v: 1.0)


def relu6_forward(x: Array) -> Array:
    """(N, C) -> (N, C): out[n, c] = x[n, c], but at least 0 and at most 6."""
    return _each(x, lambda v: min(max(v, 0.0), 6.0))


def relu6_backward(dout: Array, x: Array) -> Array:
    """dx[n, c] = dout[n, c] where 0 < x[n, c] < 6, else 0."""
    return _each_times(dout, x, lambda v: 1.0 if 0 < v < 6 else 0.0)


def softsign_forward(x: Array) -> Array:
    """(N, C) -> (N, C): out[n, c] = x[n, c] / (1 + |x[n, c]|)."""
    return _each(x, lambda v: v / (1 + abs(v)))


def softsign_backward(dout: Array, x: Array) -> Array:
    """dx[n, c] = dout[n, c] / (1 + |x[n, c]|)**2."""
    return _each_times(dout, x, lambda v: 1 / (1 + abs(v)) ** 2)


def step_function_forward(x: Array, at_zero: float = 0.0) -> Array:
    """(N, C) -> (N, C): out[n, c] = 1 where x[n, c] > 0, at_zero where it is 0, else 0."""
    return _each(x, lambda v: at_zero if v == 0 else 1.0 if v > 0 else 0.0)


def step_function_backward(dout: Array, x: Array, at_zero: float = 0.0) -> Array:
    """dx[n, c] = 0"""
    return _each_times(dout, x, lambda v: 0.0)


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
