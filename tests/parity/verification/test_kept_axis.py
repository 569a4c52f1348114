"""A db of shape (1, out) where b has (out,): the numbers are right, and the axis is said."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Dense:
    def __init__(self, n_inputs, n_neurons):
        self.weights = np.ones((n_inputs, n_neurons))
        self.biases = np.zeros(n_neurons)

    def forward(self, inputs):
        self.inputs = inputs
        return inputs @ self.weights + self.biases

    def backward(self, dvalues):
        self.dweights = self.inputs.T @ dvalues
        self.dbiases = self.bias_gradient(dvalues)
        return dvalues @ self.weights.T

    def bias_gradient(self, dvalues):
        return np.sum(dvalues, axis=0, keepdims=True)


class OfTheMean(Dense):
    def bias_gradient(self, dvalues):
        return np.mean(dvalues, axis=0, keepdims=True)


class NotSummed(Dense):
    def bias_gradient(self, dvalues):
        return dvalues


class WrongWeights(Dense):
    def backward(self, dvalues):
        dx = super().backward(dvalues)
        self.dweights = self.dweights / 2
        return dx


def test_right_but_for_the_axis():
    verdict = verify(Dense, "affine")
    assert verdict.outcome == "right_but" and verdict.buts == ["its db has 1 axis more than b, of length 1"]
    assert "affine-db-two-dimensional" in str(verdict), str(verdict)
    assert "hint" not in str(verdict), str(verdict)


def test_it_can_be_declared():
    verdict = verify(Dense, "affine", allow=["gradient-keeps-an-axis"])
    assert verdict.outcome == "right", str(verdict)


@pytest.mark.parametrize("layer", [OfTheMean, NotSummed, WrongWeights], ids=lambda layer: layer.__name__)
def test_another_bug_beside_it_is_wrong(layer):
    assert verify(layer, "affine").outcome == "wrong"
