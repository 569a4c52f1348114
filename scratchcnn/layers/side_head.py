"""A classifier beside a network (GoogLeNet's auxiliary heads): x passes, and training adds its loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchcnn.layers.base import Layer, Sequential
from scratchcnn.layers.basic import SoftmaxWithLoss
from scratchcnn.typing import Array


class SideHead(Sequential):
    """(N, ...) -> the same x; in training also scores (N, classes) from its layers.

    forward(x)      x, and in training the layers' output as `scores`
    loss(t)         weight * cross entropy of those scores, to be added to the network's loss
    backward(dout)  dout + what that loss sends back through the layers

    In inference its layers are not run, and their gradients are 0.
    """

    def __init__(self, layers: Mapping[str, Layer], weight: float):
        super().__init__(layers)
        self.weight = float(weight)
        self.criterion = SoftmaxWithLoss()
        self.scores: Array | None = None

    def forward(self, x: Array) -> Array:
        self.remember(self.training)
        self.scores = super().forward(x) if self.training else None
        return x

    def loss(self, t: Any) -> Any:
        """Raises RuntimeError when no forward in training came before it."""
        if self.scores is None:
            raise RuntimeError(f"{self.label}: loss needs a forward in training before it")
        weight = self.scores.dtype.type(self.weight)
        return weight * self.criterion.forward(self.scores, t)

    def backward(self, dout: Array) -> Array:
        (was_training,) = self.recall()
        if was_training:
            return dout + super().backward(self.criterion.backward(self.weight))
        for _, layer in self.leaves():
            layer.grads.update({key: np.zeros_like(array) for key, array in layer.params.items()})
        return dout
