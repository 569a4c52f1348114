"""The activations that came after the book's: one number in, one number out, any shape."""

from __future__ import annotations

import numpy as np

from scratchcnn.layers.base import Layer
from scratchcnn.typing import Array


class LeakyRelu(Layer):
    """x where x > 0, else negative_slope * x, any shape; `torch.nn.LeakyReLU` (Maas et al. 2013).

    The gradient at exactly 0 is that of the negative side, as in PyTorch.
    """

    def __init__(self, negative_slope: float = 0.01):
        super().__init__()
        self.negative_slope = float(negative_slope)

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        positive = x > 0
        self.remember(positive)
        return np.where(positive, x, self.negative_slope * x)

    def backward(self, dout: Array) -> Array:
        """dx = dout where x > 0, else negative_slope * dout."""
        (positive,) = self.recall()
        dout = self.check_dout(dout, positive.shape)
        return np.where(positive, dout, self.negative_slope * dout)

    def arguments(self) -> str:
        return f"{self.negative_slope:g}"


class ELU(Layer):
    """x where x > 0, else alpha * (exp(x) - 1), any shape; `torch.nn.ELU` (Clevert et al. 2016)."""

    def __init__(self, alpha: float = 1.0):
        super().__init__()
        self.alpha = float(alpha)

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        out = np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))  # expm1(x) is exp(x) - 1
        self.remember(x > 0, out.copy())
        return out

    def backward(self, dout: Array) -> Array:
        """dx = dout where x > 0, else dout * alpha * exp(x) = dout * (y + alpha)."""
        positive, y = self.recall()
        dout = self.check_dout(dout, y.shape)
        return np.where(positive, dout, dout * (y + self.alpha))

    def arguments(self) -> str:
        return f"{self.alpha:g}"
