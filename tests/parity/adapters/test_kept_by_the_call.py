"""Layers whose forward is called through the object, which keeps there what backward needs."""

import numpy as np

from parity.verification.verify import verify


class Function:
    def __init__(self):
        self.kept, self.gradients = {}, {}

    def __call__(self, *inputs):
        out = self.forward(*inputs)
        self.kept = self.local(*inputs)
        return out


class Linear(Function):
    def __init__(self, in_dims, out_dims):
        super().__init__()
        self.weights = {"W": np.ones((out_dims, in_dims)), "b": np.zeros((1, out_dims))}

    def forward(self, X):
        return X @ self.weights["W"].T + self.weights["b"]

    def local(self, X):
        return {"X": self.weights["W"], "W": X}

    def backward(self, dY):
        self.gradients = {"W": dY.T @ self.kept["W"], "b": dY.sum(axis=0, keepdims=True)}
        return dY @ self.kept["X"]


class Turned(Linear):
    """Its dx fits square weights alone, and is wrong there."""

    def backward(self, dY):
        dX = dY @ self.kept["X"].T
        super().backward(dY)
        return dX


def test_the_call_is_what_keeps_it():
    verdict = verify(Linear, "affine", isolated=False)
    assert verdict.outcome == "right" and "__call__" in verdict.called, str(verdict)


def test_a_backward_that_raises_unless_the_weights_are_square_is_wrong():
    verdict = verify(Turned, "affine", isolated=False)
    assert verdict.outcome == "wrong" and "__call__" in verdict.called, str(verdict)
    assert 'gradients in .gradients["W"], .gradients["b"]' in verdict.called
    assert {row.tensor for row in verdict.records if not row.ok} == {"dx", "dW", "db"}
    assert not any(row.why == "missing" for row in verdict.records)
