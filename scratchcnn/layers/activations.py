"""Relu, Sigmoid, Tanh and Softmax (book, sections 5.5 and 3.5): one number in, one number out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scratchcnn.fast import elementwise
from scratchcnn.layers.base import Layer


class Relu(Layer):
    """max(x, 0), any shape; the gradient at exactly 0 is 0, as in `torch.nn.ReLU`.

    The book's backward writes into `dout`; this one returns a new array.
    """

    has_fast = by_image = commutes_with_max = True

    def forward(self, x: NDArray) -> NDArray:
        x = self.check_input(x)
        if self.is_fast():
            out, mask = elementwise.relu(x)
            self.remember(mask)
            return out
        self.remember(x > 0)
        return np.maximum(x, 0)

    def backward(self, dout: NDArray) -> NDArray:
        """dx = dout where x > 0, else 0."""
        (mask,) = self.recall()
        dout = self.check_dout(dout, mask.shape)
        if self.is_fast():
            return elementwise.relu_backward(dout, mask)
        return np.where(mask, dout, dout.dtype.type(0))


class Sigmoid(Layer):
    """1 / (1 + exp(-x)), any shape, without overflow for large |x|; `torch.nn.Sigmoid`."""

    has_fast = by_image = True

    def forward(self, x: NDArray) -> NDArray:
        x = self.check_input(x)
        if self.is_fast():
            out = elementwise.sigmoid(x)
            self.remember(self.owned(out))
            return out
        small = np.exp(-np.abs(x))  # in (0, 1]
        out = np.where(x < 0, small, 1) / (1 + small)
        self.remember(out.copy())
        return out

    def backward(self, dout: NDArray) -> NDArray:
        """dx = dout * y * (1 - y)."""
        (y,) = self.recall()
        dout = self.check_dout(dout, y.shape)
        return elementwise.sigmoid_backward(dout, y) if self.is_fast() else dout * y * (1 - y)


class Tanh(Layer):
    """amplitude * tanh(slope * x), any shape; `torch.nn.Tanh` with both at 1.

    LeNet-5's squashing function is `Tanh(1.7159, 2 / 3)` (LeCun et al. 1998, appendix A).
    """

    by_image = True

    def __init__(self, amplitude: float = 1.0, slope: float = 1.0):
        super().__init__()
        self.amplitude, self.slope = float(amplitude), float(slope)

    def forward(self, x: NDArray) -> NDArray:
        y = np.tanh(self.slope * self.check_input(x))
        self.remember(y)
        return self.amplitude * y

    def backward(self, dout: NDArray) -> NDArray:
        """dx = dout * amplitude * slope * (1 - tanh(slope * x)**2)."""
        (y,) = self.recall()
        return self.check_dout(dout, y.shape) * (self.amplitude * self.slope * (1 - y * y))

    def arguments(self) -> str:
        return "" if self.amplitude == self.slope == 1 else f"{self.amplitude:g}, {self.slope:.4g}"


def softmax(x: NDArray) -> NDArray:
    """exp(x) normalised to sum 1 along axis 1 (the only axis of a 1-D x), shifted by the row's maximum."""
    axis = min(1, x.ndim - 1)
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


class Softmax(Layer):
    """(N, C, ...) -> the same shape, each column of C a distribution; `torch.nn.Softmax(dim=1)`."""

    def forward(self, x: NDArray) -> NDArray:
        x = self.check_input(x)
        if x.ndim < 2:
            raise ValueError(f"{self.label}: expected x of shape (N, C, ...), got {x.shape}")
        y = softmax(x)
        self.remember(y.copy())
        return y

    def backward(self, dout: NDArray) -> NDArray:
        """dx = y * (dout - sum over C of dout * y)."""
        (y,) = self.recall()
        dout = self.check_dout(dout, y.shape)
        return y * (dout - (dout * y).sum(axis=1, keepdims=True))
