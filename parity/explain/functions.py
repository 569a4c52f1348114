"""The functions that several formulas and terms are made of."""

from __future__ import annotations

import numpy as np

from scratchcnn.typing import Array


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def softmax(x: Array) -> Array:
    """Of each row of x (N, C)."""
    y: Array = np.exp(x - x.max(1, keepdims=True))
    y /= y.sum(1, keepdims=True)
    return y


def log_softmax(x: Array) -> Array:
    """Along the classes of x (N, C, ...), also where the softmax is 0."""
    x = x - x.max(1, keepdims=True)
    logarithm: Array = x - np.log(np.exp(x).sum(1, keepdims=True))
    return logarithm
