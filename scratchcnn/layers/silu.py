"""SiLU, the activation of EfficientNet and of many networks since; the book does not have it."""

from __future__ import annotations

import numpy as np

from scratchcnn.layers.base import Layer
from scratchcnn.typing import Array


class SiLU(Layer):
    """x * sigmoid(x), any shape; `torch.nn.SiLU` (Elfwing et al. 2018; Ramachandran et al. 2017: Swish)."""

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        with np.errstate(over="ignore"):  # exp(1000) is inf, and 1 / inf the 0 that it should be
            s = 1 / (1 + np.exp(-x))
        self.remember(x.copy(), s)
        return x * s

    def backward(self, dout: Array) -> Array:
        """dx = dout * (s + x * s * (1 - s)), with s = sigmoid(x)."""
        x, s = self.recall()
        dx: Array = self.check_dout(dout, x.shape) * (s + x * s * (1 - s))
        return dx
