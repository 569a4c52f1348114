"""Training steps of somebody's network and of its twin, by plain gradient descent on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from parity.checks.network_outputs import LOSS
from parity.checks.training_steps import Side, Tensors
from parity.kinds.kind import to_numpy
from parity.reference.trace import Masks
from parity.reference.weights import named_tensors
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from parity.verification.network_checks import NetworkCheck

RATE = 0.05


class Descent(Side):
    """The network and plain gradient descent.

    lost  the parameters that did not keep what was written
    """

    def __init__(self, check: NetworkCheck):
        self.check, self.network, self.names = check, check.network, list(check.twin.names)
        self.lost: dict[str, Array] = {}
        self.losses: list[Any] = []

    def step(self, x: Array, t: Array, masks: Masks) -> None:
        found, rate = self.check.called(x, t), x.dtype.type(RATE)
        self.loss = found[LOSS]
        self.losses.append(self.loss)
        for name in self.names:
            array, grad = self.network.array(name), found["grad", name]
            if name in self.check.zeros:
                continue  # neither side follows what is only rounding
            if not _like(array, grad):
                continue  # what cannot be followed is not the twin's afterwards
            moved = array - rate * grad
            self.network.set_array(name, moved)
            if not same_array(moved, self.network.array(name)):
                self.lost[name] = moved

    def tensors(self) -> Tensors:
        return {(name, "param"): self.network.array(name) for name in self.names}


class TwinDescent(Side):
    """The twin, or a copy of it in float32, and the same descent."""

    def __init__(self, check: NetworkCheck, module: nn.Module):
        self.twin, self.module, self.zeros = check.twin, module, check.zeros
        self.optimizer = torch.optim.SGD(module.parameters(), lr=RATE)

    def step(self, x: Array, t: Array, masks: Masks) -> None:
        self.optimizer.zero_grad()
        loss = self.twin.loss(self.module, x, t)
        torch.autograd.backward(loss)
        for name in self.zeros:
            named_tensors(self.module)[self.twin.names[name].theirs].grad = None
        self.optimizer.step()
        self.loss = to_numpy(loss)

    def tensors(self) -> Tensors:
        return {(name, "param"): array for name, array in self.twin.params(self.module).items()}


def same_array(before: Any, after: Any) -> bool:
    """Bit for bit the same plain array."""
    if not (isinstance(before, np.ndarray) and isinstance(after, np.ndarray)):
        return False
    return np.array_equal(before, after, equal_nan=before.dtype.kind == "f")


def _like(a: Any, b: Any) -> bool:
    """Whether both are arrays of one shape."""
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape
