"""Relu and Sigmoid over memory as it lies, whatever its logical order.

`np.where` and boolean masks take a branch a number: 4 ns each where a product of integers takes 0.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scratchcnn.fast import memory
from scratchcnn.fast.layout import dense, integers


def relu(x: NDArray) -> tuple[NDArray, NDArray]:
    """max(x, 0) and the mask x > 0, both in x's memory order."""
    out = memory.empty_like(x)
    run, result = dense(x), dense(out)
    if run.ndim == 1 and result.ndim == 1:
        np.maximum(run, run.dtype.type(0), out=result)
    else:
        np.maximum(x, x.dtype.type(0), out=out)
    return out, np.greater(out, 0, out=memory.empty_like(x, bool))


def relu_backward(dout: NDArray, mask: NDArray) -> NDArray:
    """dout where the mask is set, else 0, exactly (infinities too)."""
    d = memory.empty_like(mask, dout.dtype)
    np.multiply(integers(dout), mask.view(np.int8), out=integers(d))
    return d


def sigmoid(x: NDArray) -> NDArray:
    """1 / (1 + exp(-x)). For x below about -80 (float32) exp overflows: see `sigmoid_fits`."""
    out = np.negative(x, out=memory.empty_like(x))
    np.exp(out, out=out)
    out += 1
    return np.reciprocal(out, out=out)


def sigmoid_fits(x: NDArray) -> bool:
    """Whether exp(-x) stays finite for every x (False for NaN too)."""
    limit = 80.0 if x.dtype == np.float32 else 700.0
    return bool(x.size) and bool(x.min() > -limit)


def sigmoid_backward(dout: NDArray, y: NDArray) -> NDArray:
    """dout * y * (1 - y) in one temporary."""
    slope = np.subtract(1, y, out=memory.empty_like(y))
    slope *= y
    slope *= dout
    return slope
