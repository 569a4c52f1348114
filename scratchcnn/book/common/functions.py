"""The book's common/functions.py (sections 3.2, 3.5 and 4.2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn import SoftmaxWithLoss
from scratchcnn import softmax as softmax_of_rows
from scratchcnn.book.cast import floating
from scratchcnn.typing import Array


def identity_function(x: Any) -> Any:
    """x itself: the output of a regression (section 3.5)."""
    return x


def step_function(x: Any) -> Array:
    """1 where x > 0, otherwise 0 (section 3.2.2)."""
    return np.array(x > 0, dtype=int)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), eq. 3.6, without overflow for large negative x."""
    x = floating(x)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))[()]


def sigmoid_grad(x: Any) -> Any:
    """The derivative of `sigmoid` at x."""
    y = sigmoid(x)
    return y * (1 - y)


def relu(x: Any) -> Any:
    """max(0, x), eq. 3.7."""
    return np.maximum(0, x)


def relu_grad(x: Any) -> Array:
    """1 where x >= 0, otherwise 0."""
    grad: Array = np.zeros_like(x)
    grad[x >= 0] = 1
    return grad


def softmax(x: Any) -> Array:
    """exp(x) / sum of exp(x) over the last axis, eq. 3.10; x (C,) or (N, C)."""
    x = floating(x)
    return softmax_of_rows(x[None])[0] if x.ndim == 1 else softmax_of_rows(x)


def sum_squared_error(y: Any, t: Any) -> Any:
    """Half the sum of (y - t)**2, eq. 4.1."""
    return 0.5 * np.sum((np.asarray(y) - np.asarray(t)) ** 2)


mean_squared_error = sum_squared_error  # its name in the first printings


def cross_entropy_error(y: Any, t: Any) -> Any:
    """-log y[t], mean over the batch, eq. 4.3; y (C,) or (N, C), t labels or one-hot rows."""
    y, t = floating(y), np.asarray(t)
    if y.ndim == 1:
        t, y = t.reshape(1, t.size), y.reshape(1, y.size)
    if t.size == y.size:
        t = t.argmax(axis=1)
    return -np.sum(np.log(y[np.arange(len(y)), t.reshape(-1)] + 1e-7)) / len(y)


def softmax_loss(X: Any, t: Any) -> Any:
    """`cross_entropy_error(softmax(X), t)`, computed without the 1e-7."""
    return SoftmaxWithLoss().forward(floating(X), np.asarray(t))
