"""A bias that is kept as a row (1, n), whose gradient is (n,): what is subtracted from it is the same."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Dense:
    def __init__(self, in_size, out_size):
        self.W = np.zeros((in_size, out_size))
        self.b = np.zeros((1, out_size))

    def forward(self, X):
        self.X = X
        return X @ self.W + self.b

    def backward(self, dout):
        return dout @ self.W.T, [self.X.T @ dout, self.of_bias(dout)]

    def of_bias(self, dout):
        return dout.sum(axis=0)


class InTheObject(Dense):
    def backward(self, dout):
        self.dW, self.db = self.X.T @ dout, self.of_bias(dout)
        return dout @ self.W.T


class Mean(Dense):
    def of_bias(self, dout):
        return dout.mean(axis=0)


class MeanInTheObject(InTheObject, Mean):
    pass


class Forgotten(Dense):
    def backward(self, dout):
        self.largest = dout.max(axis=0)
        return dout @ self.W.T, [self.X.T @ dout]


class Column(Dense):
    """Here an (n,) makes a matrix of what it is subtracted from."""

    def __init__(self, in_size, out_size):
        super().__init__(in_size, out_size)
        self.b = np.zeros((out_size, 1))

    def forward(self, X):
        self.X = X
        return X @ self.W + self.b.T


@pytest.mark.parametrize(
    ("layer", "outcome"),
    [
        (Dense, "right"),
        (InTheObject, "right"),
        (Mean, "wrong"),
        (MeanInTheObject, "wrong"),
        (Forgotten, "wrong"),
        (Column, "wrong"),
    ],
)
def test_verdicts(layer, outcome):
    verdict = verify(layer, "affine", isolated=False)
    assert verdict.outcome == outcome, str(verdict)
