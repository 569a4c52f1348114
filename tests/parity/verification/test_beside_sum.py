"""A softmax that adds a small constant to the sum that it divides by."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Softmax:
    constant, wrong = 1e-10, 0

    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / (e.sum(axis=1, keepdims=True) + x.dtype.type(self.constant))
        return self.y

    def backward(self, dout):
        y = self.y
        return y * (dout - (dout * y).sum(axis=1, keepdims=True)) * y.dtype.type(1 + self.wrong)


class Larger(Softmax):
    constant = 1e-6


class ScaledBesides(Softmax):
    wrong = 1e-6


class Large(Softmax):
    """Too large to be there against a division by zero."""

    constant = 0.01


class OfOne(Softmax):
    """The constant is in one row of two."""

    def forward(self, x):
        out = super().forward(x)
        out[::2] = np.exp(x[::2] - x[::2].max(axis=1, keepdims=True))
        out[::2] /= out[::2].sum(axis=1, keepdims=True)
        return out


class OfEachRow(Softmax):
    """Its backward gives the matrix of each row."""

    def backward(self, dout):
        return np.stack([np.diag(y) - np.outer(y, y) for y in self.y])


def ask(factory, **options):
    return verify(factory, "softmax", isolated=False, **options)


@pytest.mark.parametrize(("factory", "constant"), [(Softmax, "1e-10"), (Larger, "1e-06")])
def test_it_is_right_but_for_the_constant(factory, constant):
    verdict = ask(factory)
    assert verdict.outcome == "right_but", str(verdict)
    assert f"it adds {constant} to the sum that it divides by" in verdict.buts
    assert all("overflow" in text or "adds" in text for text in verdict.buts)


def test_it_can_be_declared():
    assert ask(Larger, allow=["another-eps"]).declared


@pytest.mark.parametrize("factory", [ScaledBesides, Large, OfOne])
def test_another_bug_is_wrong(factory):
    assert ask(factory).outcome == "wrong"


def test_a_gradient_of_another_shape_is_wrong():
    verdict = ask(OfEachRow)
    assert verdict.outcome == "wrong" and "shape" in str(verdict), str(verdict)
