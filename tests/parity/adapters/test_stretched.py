"""Outputs (N, 1) and labels (N,) make (N, N) of each other: wrong, unless labels of another shape go."""

import numpy as np
import pytest

from parity.verification.verify import verify

MEAN = "mean_squared_error"
LABELS = "labels (N, 1)"


class LabelsAlone:
    """Outputs (N, 1) against labels that are made (N,)."""

    def forward(self, y_pred, y_true):
        self.difference = y_pred - y_true.ravel()
        return np.mean(self.difference**2)

    def backward(self):
        return 2 * self.difference / self.difference.size


class GradientAlone:
    def forward(self, y_pred, y_true):
        self.difference = y_pred - y_true.reshape(-1)
        return np.mean((y_pred - y_true) ** 2)

    def backward(self):
        return 2 * self.difference / len(self.difference)


class OutputsAlone:
    """Labels are (N,) as well where outputs are (N, 1)."""

    def forward(self, y_pred, y_true):
        self.difference, self.shape = y_pred.squeeze() - y_true, y_pred.shape
        return np.mean(self.difference**2)

    def backward(self):
        return self.scaled(self.difference.reshape(self.shape))

    def scaled(self, difference):
        return 2 * difference / difference.size


class OutputsAloneNotScaled(OutputsAlone):
    def scaled(self, difference):
        return difference / difference.size


class Both:
    def forward(self, y_pred, y_true):
        self.difference, self.shape = y_pred.ravel() - y_true.ravel(), y_pred.shape
        return np.mean(self.difference**2)

    def backward(self):
        return (2 * self.difference / self.difference.size).reshape(self.shape)


class OneRow:
    """Refuses a batch of one output per row."""

    def forward(self, y_pred, y_true):
        assert y_pred.ndim == 1 or y_pred.shape[1] > 1
        self.difference = y_pred - y_true.ravel()
        return np.mean(self.difference**2)

    def backward(self):
        return 2 * self.difference / self.difference.size


class OfFlatOutputs(LabelsAlone):
    def forward(self, y_pred, y_true):
        """y_pred: array of shape (n_samples,)"""
        self.difference = y_pred - y_true.ravel()
        return np.mean(self.difference**2)


class OfFlatOutputsNotDivided(LabelsAlone):
    def forward(self, y_pred, y_true):  # y_pred (n,), y_true (n,) or (n, 1)
        self.difference = y_pred - y_true.ravel()
        return np.mean(self.difference**2)

    def backward(self):
        return 2 * self.difference


class OfFlatLabels(LabelsAlone):
    def forward(self, y_pred, y_true):  # y_true becomes (n,)
        self.difference = y_pred - y_true.ravel()
        return np.mean(self.difference**2)


def mae(y_pred, y_true):
    return np.mean(np.abs(y_pred - y_true.flatten()))


def bce(y_pred, y_true):
    t = y_true.reshape(-1)
    return -np.mean(t * np.log(y_pred) + (1 - t) * np.log(1 - y_pred))


def ask(factory, kind=MEAN):
    return verify(factory, kind, isolated=False)


@pytest.mark.parametrize(
    ("factory", "kind"),
    [
        *((factory, MEAN) for factory in (LabelsAlone, GradientAlone, OutputsAloneNotScaled)),
        *((factory, MEAN) for factory in (OfFlatOutputsNotDivided, OfFlatLabels)),
        (mae, "mean_absolute_error"),
        (bce, "binary_cross_entropy"),
    ],
)
def test_what_is_stretched_is_wrong(factory, kind):
    verdict = ask(factory, kind)
    assert verdict.outcome == "wrong", str(verdict)
    if factory in (LabelsAlone, mae, bce):
        assert "outputs (N, 1): nothing says that they are (N,)" in verdict.called


def test_outputs_alone_are_right_with_flat_labels():
    verdict = ask(OutputsAlone)
    assert verdict.outcome == "right" and verdict.not_checked == [LABELS], str(verdict)
    assert "labels (N,) where outputs are (N, 1)" in verdict.called


@pytest.mark.parametrize("factory", [Both, OneRow])
def test_what_stretches_nothing_is_right(factory):
    verdict = ask(factory)
    assert verdict.outcome == "right" and LABELS not in verdict.not_checked, str(verdict)


def test_outputs_that_are_flat_by_its_own_words():
    verdict = ask(OfFlatOutputs)
    assert verdict.outcome == "right" and "outputs (N, 1)" in verdict.not_checked, str(verdict)
