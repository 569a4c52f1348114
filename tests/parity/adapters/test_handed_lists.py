"""A layer that hands its optimizer lists of arrays and of gradients."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Both:
    """An optimizer is handed both arrays in lists."""

    scale = 1

    def __init__(self, n_in, n_out):
        self.sizes = n_in, n_out

    def initialize(self, optimizer):
        self.W, self.b, self.optimizer = np.ones(self.sizes), np.zeros(self.sizes[1]), optimizer

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        dx = grad @ self.W.T
        slopes = [self.x.T @ grad, self.scale * grad.sum(axis=0)]
        self.W, self.b = self.optimizer.update([self.W, self.b], slopes)
        return dx


class BothTwice(Both):
    scale = 2


@pytest.mark.parametrize(("cls", "outcome"), [(Both, "right"), (BothTwice, "wrong")])
def test_an_optimizer_that_is_handed_lists(cls, outcome):
    assert verify(cls, "affine", isolated=False).outcome == outcome
