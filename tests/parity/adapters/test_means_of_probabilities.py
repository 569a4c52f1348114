"""A cross entropy of probabilities that is the mean over all numbers: right, but 1/C of PyTorch's."""

import numpy as np
import pytest

from parity.verification.verify import verify

SAYS = "its loss is the mean over all numbers"


class Mean:
    small = 0.0

    def forward(self, y_pred, y_true):
        self.p, self.t = y_pred + y_pred.dtype.type(self.small), y_true
        return -np.mean(y_true * np.log(self.p))

    def backward(self):
        return -self.t / self.p / self.p.size


class WithAConstant(Mean):
    small = 1e-9


class PerRow(Mean):
    def forward(self, y_pred, y_true):
        super().forward(y_pred, y_true)
        return -np.mean(y_true * np.log(self.p), axis=1)


class GradientOfScores(Mean):
    def backward(self):
        return (self.p - self.t) / self.p.size


class DividedByRows(Mean):
    def backward(self):
        return -self.t / self.p / len(self.p)


class NotDivided(Mean):
    def backward(self):
        return self.p - self.t


class OtherSign(Mean):
    def backward(self):
        return self.t / self.p / self.p.size


class OfScores(Mean):
    def forward(self, scores, t):
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        self.p, self.t = e / e.sum(axis=1, keepdims=True), t
        return -np.mean(t * np.log(self.p))

    def backward(self):
        return (self.p - self.t) / self.p.size


def cross_entropy(y_true, y_pred):
    return -np.sum(y_true * np.log(y_pred)) / y_pred.size


def ask(factory):
    return verify(factory, "softmax_with_loss", isolated=False)


@pytest.mark.parametrize("factory", [Mean, WithAConstant, PerRow, GradientOfScores, cross_entropy])
def test_a_mean_over_all_numbers_is_right_but(factory):
    verdict = ask(factory)
    assert verdict.outcome == "right_but", str(verdict)
    assert any(text.startswith(SAYS) for text in verdict.buts), str(verdict)
    assert ("its gradient that loss's" in str(verdict.buts)) == isinstance(factory, type)


@pytest.mark.parametrize("factory", [DividedByRows, NotDivided, OtherSign, OfScores])
def test_another_gradient_or_a_softmax_of_its_own_is_wrong(factory):
    verdict = ask(factory)
    assert verdict.outcome == "wrong", str(verdict)


def test_a_mean_over_the_rows_says_nothing_of_it():
    def cross_entropy(y_true, y_pred):
        return -np.sum(y_true * np.log(y_pred)) / len(y_pred)

    assert not ask(cross_entropy).buts
