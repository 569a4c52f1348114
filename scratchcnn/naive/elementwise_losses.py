"""Losses of each output on its own, one number at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from scratchcnn.naive.windows import as_float64, indices
from scratchcnn.typing import Array

OfNumbers = Callable[[float, float], float]  # (x, t) -> the loss of one output, or its slope


def squared_error(x: Array, t: Array, reduction: str = "mean", factor: float = 1.0) -> Any:
    """factor times the sum of (x[i] - t[i])**2, divided by the number of outputs ("mean"), by N ("batchmean")
    or by nothing ("sum"); "none" keeps each."""
    return _reduced(_square, x, t, reduction, factor)


def squared_error_backward(x: Array, t: Array, reduction: str = "mean", factor: float = 1.0) -> Array:
    """dx[i] = factor * 2 * (x[i] - t[i]) / divisor"""
    return _of_each(_slope_of_square, x, t, factor / _divisor(x, reduction)).astype(x.dtype)


def absolute_error(x: Array, t: Array, reduction: str = "mean", factor: float = 1.0) -> Any:
    """The same of |x[i] - t[i]|."""
    return _reduced(_distance, x, t, reduction, factor)


def absolute_error_backward(x: Array, t: Array, reduction: str = "mean", factor: float = 1.0) -> Array:
    """dx[i] = factor * (1 above t[i], -1 below it, 0 there) / divisor"""
    return _of_each(_sign, x, t, factor / _divisor(x, reduction)).astype(x.dtype)


def huber_error(x: Array, t: Array, reduction: str = "mean", factor: float = 1.0, delta: float = 1.0) -> Any:
    """The same of (x[i] - t[i])**2 / 2, beyond delta of the line that goes on with its slope there."""
    return _reduced(partial(_bent, delta), x, t, reduction, factor)


def huber_error_backward(
    x: Array, t: Array, reduction: str = "mean", factor: float = 1.0, delta: float = 1.0
) -> Array:
    """dx[i] = factor * (x[i] - t[i], at least -delta and at most delta) / divisor"""
    return _of_each(partial(_slope_of_bent, delta), x, t, factor / _divisor(x, reduction)).astype(x.dtype)


def hinge_error(x: Array, t: Array, reduction: str = "mean", factor: float = 1.0) -> Any:
    """The same of max(0, 1 - t[i] * x[i]), with labels t that are -1 or 1."""
    return _reduced(_short_of_one, x, t, reduction, factor)


def hinge_error_backward(x: Array, t: Array, reduction: str = "mean", factor: float = 1.0) -> Array:
    """dx[i] = factor * (-t[i] where t[i] * x[i] < 1, else 0) / divisor"""
    return _of_each(_slope_of_hinge, x, t, factor / _divisor(x, reduction)).astype(x.dtype)


def binary_cross_entropy(x: Array, t: Array, reduction: str = "mean", factor: float = 1.0) -> Any:
    """The same of -(t[i] * log x[i] + (1 - t[i]) * log(1 - x[i])), each logarithm at least -100."""
    return _reduced(_surprise, x, t, reduction, factor)


def binary_cross_entropy_backward(x: Array, t: Array, reduction: str = "mean", factor: float = 1.0) -> Array:
    """dx[i] = factor * (x[i] - t[i]) / (x[i] * (1 - x[i])) / divisor, x * (1 - x) at least 1e-12"""
    return _of_each(_slope_of_surprise, x, t, factor / _divisor(x, reduction)).astype(x.dtype)


def _distance(x: float, t: float) -> float:
    return abs(x - t)


def _sign(x: float, t: float) -> float:
    return (x > t) - (x < t)


def _bent(delta: float, x: float, t: float) -> float:
    if abs(x - t) <= delta:
        return (x - t) * (x - t) / 2
    return delta * abs(x - t) - delta * delta / 2


def _slope_of_bent(delta: float, x: float, t: float) -> float:
    return min(max(x - t, -delta), delta)


def _short_of_one(x: float, t: float) -> float:
    return max(0.0, 1 - t * x)


def _slope_of_hinge(x: float, t: float) -> float:
    return -t if t * x < 1 else 0.0


def _surprise(x: float, t: float) -> float:
    return -(t * _log(x) + (1 - t) * _log(1 - x))


def _log(x: float) -> float:
    return max(math.log(x), -100.0) if x > 0 else -100.0


def _slope_of_surprise(x: float, t: float) -> float:
    return (x - t) / max(x * (1 - x), 1e-12)


def _square(x: float, t: float) -> float:
    return (x - t) * (x - t)


def _slope_of_square(x: float, t: float) -> float:
    return 2 * (x - t)


def _reduced(loss: OfNumbers, x: Array, t: Array, reduction: str, factor: float) -> Any:
    losses = _of_each(loss, x, t, factor)
    if reduction == "none":
        return losses.astype(x.dtype)
    total = 0.0
    for i in indices(*losses.shape):
        total += losses[i]
    return x.dtype.type(total / _divisor(x, reduction))


def _of_each(of: OfNumbers, x: Array, t: Array, factor: float) -> Array:
    x64 = as_float64(x, "x", *x.shape)
    t64 = as_float64(np.asarray(t, float), "t", *x.shape)
    found = np.zeros(x.shape)
    for i in indices(*x.shape):
        found[i] = factor * of(float(x64[i]), float(t64[i]))
    return found


def _divisor(x: Array, reduction: str) -> float:
    return {"mean": x.size, "batchmean": len(x)}.get(reduction, 1)
