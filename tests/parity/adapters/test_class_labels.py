"""A squared error of scores and numbers of classes, which makes one-hot rows of them."""

import numpy as np
import pytest

from parity.verification.verify import verify

SAYS = "labels are given as numbers of classes (N,)"


class OfClasses:
    def forward(self, scores, labels):
        self.difference = scores - self.one_hot(scores, labels)
        return np.mean(self.difference**2)

    def one_hot(self, scores, labels):
        found = np.zeros(scores.shape, scores.dtype)
        found[np.arange(len(scores)), labels] = 1
        return found

    def backward(self):
        return 2 * self.difference / self.difference.size


class OfTheNextClass(OfClasses):
    def one_hot(self, scores, labels):
        return super().one_hot(scores, (labels + 1) % scores.shape[1])


class DividedByRows(OfClasses):
    def backward(self):
        return 2 * self.difference / len(self.difference)


def rounded(scores, labels):
    t = np.eye(scores.shape[1])[labels.astype(int)]
    return 0.5 * np.sum((scores - t) ** 2) / len(scores)


def in_a_loop(scores, labels):
    t = np.zeros_like(scores)
    for n in range(len(labels)):
        t[n, int(labels[n])] = 1
    return np.mean((scores - t) ** 2)


def mse(y_pred, y_true):
    return np.mean((y_pred - y_true) ** 2)


def ask(factory):
    return verify(factory, "mean_squared_error", isolated=False)


@pytest.mark.parametrize("factory", [OfClasses, rounded, in_a_loop])
def test_numbers_of_classes_are_given(factory):
    verdict = ask(factory)
    assert verdict.outcome in ("right", "right_but") and SAYS in verdict.called, str(verdict)
    assert "targets other than one-hot rows" in verdict.not_checked


@pytest.mark.parametrize("factory", [OfTheNextClass, DividedByRows])
def test_with_them_it_may_be_wrong(factory):
    assert ask(factory).outcome == "wrong"


def test_targets_of_the_shape_of_outputs_stay():
    assert SAYS not in ask(mse).called
