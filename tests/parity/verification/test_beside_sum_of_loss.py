"""A loss whose softmax adds a small constant to its sum, or whose dx is made of what its logarithm takes."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Loss:
    beside, inside, scale = 1e-8, 1e-8, 1.0

    def forward(self, x, t):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / (e.sum(axis=1, keepdims=True) + x.dtype.type(self.beside))
        self.t = t if t.ndim == 2 else np.eye(x.shape[1])[t]
        return -np.sum(self.t * np.log(self.in_logarithm())) / len(x)

    def in_logarithm(self):
        return self.y + self.y.dtype.type(self.inside)

    def backward(self):
        return ((self.y - self.t) / len(self.t) * self.scale).astype(self.y.dtype)


class CutOff(Loss):
    beside = 1e-10

    def in_logarithm(self):
        return np.maximum(self.y, self.y.dtype.type(1e-12))


class CutOffInBoth(Loss):
    beside = 0.0

    def in_logarithm(self):
        small, rest = self.y.dtype.type(1e-9), self.y.dtype.type(1 - 1e-9)
        return np.clip(self.y, small, rest)

    def backward(self):
        return ((self.in_logarithm() - self.t) / len(self.t)).astype(self.y.dtype)


class OfLogSoftmax(Loss):
    def forward(self, x, t):
        z = x - x.max(axis=1, keepdims=True)
        logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True) + x.dtype.type(1e-9))
        self.y, self.t = np.exp(logs), t if t.ndim == 2 else np.eye(x.shape[1])[t]
        return -np.sum(self.t * logs) / len(x)


class ScaledBesides(Loss):
    scale = 1 + 1e-7


class Large(Loss):
    beside = 1e-3


class OnlyInTheLoss(Loss):
    """The softmax of its gradient has another constant."""

    def backward(self):
        return super().backward() * np.float32(1 + 1e-6)


class InDxAlone(CutOffInBoth):
    def forward(self, x, t):
        found = super().forward(x, t)
        self.y = self.y + np.float32(1e-6)
        return found


def ask(factory):
    return verify(factory, "softmax_with_loss", isolated=False)


@pytest.mark.parametrize(
    ("factory", "says"),
    [
        (Loss, "its softmax adds 1e-08 to the sum that it divides by, and the loss is -log(y + 1e-08)"),
        (CutOff, "its softmax adds 1e-10 to the sum that it divides by, and the loss is -log(y), y cut off"),
        (CutOffInBoth, "its gradient is made of the probabilities that its logarithm takes"),
        (OfLogSoftmax, "its softmax adds 1e-09 to the sum that it divides by"),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_it_is_right_but_for_the_constants(factory, says):
    verdict = ask(factory)
    assert verdict.outcome == "right_but", str(verdict)
    assert any(text.startswith(says) for text in verdict.buts), verdict.buts


@pytest.mark.parametrize("factory", [ScaledBesides, Large, OnlyInTheLoss, InDxAlone])
def test_another_bug_is_wrong(factory):
    assert ask(factory).outcome == "wrong"
