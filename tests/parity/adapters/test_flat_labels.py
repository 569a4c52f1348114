"""Losses of two classes by one number: outputs (N, 1) with labels (N,), and outputs (N,)."""

import numpy as np
import pytest

from parity.verification.verify import verify


class SigmoidWithLoss:
    """Scores (N, 1), labels (N,) of 0 and 1."""

    def forward(self, x, t):
        self.y, self.t = 1 / (1 + np.exp(-x[:, 0])), t
        return -np.mean(t * np.log(self.y) + (1 - t) * np.log(1 - self.y))

    def backward(self, dout=1):
        return (dout * self.scaled((self.y - self.t) / len(self.t)))[:, None]

    def scaled(self, dx):
        return dx


class NotDivided(SigmoidWithLoss):
    def scaled(self, dx):
        return dx * len(self.t)


class WithoutLabels(SigmoidWithLoss):
    def scaled(self, dx):
        return self.y / len(self.t)


class OfTheOtherClass(SigmoidWithLoss):
    def forward(self, x, t):
        return super().forward(x, 1 - t)


class OfIndices:
    """Probabilities of both classes side by side, of which the label takes one."""

    def forward(self, x, t):
        self.y, self.t = 1 / (1 + np.exp(-x[:, 0])), t
        both = np.stack([1 - self.y, self.y], axis=1)
        return -np.log(both[np.arange(len(t)), t]).mean()

    def backward(self):
        return ((self.y - self.t.astype(self.y.dtype)) / len(self.t))[:, None]


def bce(y_pred, y_true):
    p = y_pred[:, 0]
    return -np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))


def bce_grad(y_pred, y_true):
    p = y_pred[:, 0]
    return ((p - y_true) / (p * (1 - p)) / len(p))[:, None]


class SquaredError:
    """Outputs (N, 1), labels (N,)."""

    def forward(self, y, t):
        self.difference = y[:, 0] - t
        return np.mean(self.difference**2)

    def backward(self):
        return 2 * self.difference[:, None] / self.divisor()

    def divisor(self):
        return len(self.difference)


class SquaredErrorNotDivided(SquaredError):
    def divisor(self):
        return 1


def ask(factory, kind="binary_cross_entropy"):
    return verify(factory, kind, isolated=False)


@pytest.mark.parametrize("factory", [SigmoidWithLoss, OfIndices, (bce, bce_grad)])
def test_flat_labels(factory):
    verdict = ask(factory)
    assert verdict.outcome == "right", str(verdict)
    assert "labels (N,)" in verdict.called and "several outputs per row" in verdict.not_checked


def test_flat_labels_of_a_squared_error():
    verdict = ask(SquaredError, "mean_squared_error")
    assert verdict.outcome == "right", str(verdict)
    assert "labels (N,)" in verdict.called and "several outputs per row" in verdict.not_checked
    assert ask(SquaredErrorNotDivided, "mean_squared_error").outcome == "wrong"


@pytest.mark.parametrize("factory", [NotDivided, WithoutLabels, OfTheOtherClass])
def test_wrong(factory):
    verdict = ask(factory)
    assert verdict.outcome == "wrong", str(verdict)


def test_a_loss_that_takes_several_outputs_is_asked_for_them():
    class FirstColumn:
        def forward(self, p, t):
            self.p, self.t = p, t
            return -np.mean(t[:, 0] * np.log(p[:, 0]) + (1 - t[:, 0]) * np.log(1 - p[:, 0]))

        def backward(self):
            return (self.p - self.t) / (self.p * (1 - self.p)) / len(self.p)

    assert ask(FirstColumn).outcome == "wrong"
