"""Layers whose backward changes their weights by a rate that is written in their code."""

import numpy as np
import pytest

from parity.verification.verify import OWN_STEPS, verify


class Linear:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.ones((n_in, n_out)), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        dx = dout @ self.W.T
        self.W -= 0.01 * (self.x.T @ dout)
        self.b -= 0.01 * dout.sum(axis=0)
        return dx


class InAMethod(Linear):
    def backward(self, dout):
        dx = dout @ self.W.T
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        self.descend()
        return dx

    def descend(self):
        self.W = self.W - 0.01 * self.dW
        self.b = self.b - 0.01 * self.db


class StepFirst(InAMethod):
    """dx is computed with the new weights."""

    def backward(self, dout):
        super().backward(dout)
        return dout @ self.W.T


class Scribbles(Linear):
    """Its update is another method; what backward does to W is a mistake."""

    def backward(self, dout):
        dx = dout @ self.W.T
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        self.W *= 2
        return dx

    def update(self, lr):
        self.W -= lr * self.dW
        self.b -= lr * self.db


@pytest.mark.parametrize(("factory", "unchecked"), [(Linear, {"dW", "db"}), (InAMethod, set())])
def test_right(factory, unchecked):
    verdict = verify(factory, "affine", isolated=False)
    assert verdict.outcome == "right" and OWN_STEPS in verdict.remarks, str(verdict)
    assert {"dW", "db"} & {*verdict.not_checked} == unchecked


@pytest.mark.parametrize("factory", [StepFirst, Scribbles])
def test_wrong(factory):
    assert verify(factory, "affine", isolated=False).outcome == "wrong"
