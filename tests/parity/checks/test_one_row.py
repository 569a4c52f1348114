"""One row as an array of one axis: held to the batch of it alone where code asks for the number of axes."""

import numpy as np
import pytest

from parity.checks.one_row import ONE_ROW, UNASKED
from parity.verification.verify import verify


def by_rows(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax(x):
    if x.ndim == 1:
        e = np.exp(x - np.max(x))
        return e / e.sum()
    return by_rows(x)


def softmax_that_keeps_two_axes(x):
    if x.ndim == 1:
        x = x.reshape(1, -1)
    return by_rows(x)


def softmax_never_summed(x):
    if x.ndim == 1:
        e = np.exp(x - np.max(x))
        return e / e.max()
    return by_rows(x)


def softmax_of_batches(x):
    if x.ndim != 2:
        raise ValueError("expected rows")
    return by_rows(x)


def softmax_that_breaks(x):
    if x.ndim == 1:
        return x[:, None] / x.sums
    return by_rows(x)


def softmax_to_one_number(x):
    if x.ndim == 1:
        return np.exp(x).sum()
    return by_rows(x)


def cross_entropy_of_scores(x, t):
    if x.ndim == 1:
        x, t = x.reshape(1, -1), np.reshape(t, (1,))
    m = x.max(axis=1, keepdims=True)
    log_y = x - m - np.log(np.exp(x - m).sum(axis=1, keepdims=True))
    return -log_y[np.arange(len(x)), t].mean()


def cross_entropy_by_the_classes(x, t):
    if x.ndim == 1:
        return cross_entropy_of_scores(x[None], np.reshape(t, (1,))) / x.size
    return cross_entropy_of_scores(x, t)


def cross_entropy_of_probabilities(p, t):
    if t.ndim == 1:
        t = np.eye(p.shape[1])[t]
    return -np.sum(t * np.log(p)) / p.shape[0]


class CrossEntropyThatCountsLabels:
    def forward(self, y_pred, y_true):
        self.p = np.clip(y_pred, 1e-12, 1.0)
        if y_true.ndim == 1:
            self.t = np.zeros_like(self.p)
            self.t[np.arange(len(y_pred)), y_true] = 1.0
        else:
            self.t = y_true
        return -np.sum(self.t * np.log(self.p)) / len(y_pred)

    def backward(self):
        return -self.t / self.p / len(self.p)


def cross_entropy_of_as_many_axes(y_pred, y_true):
    if y_pred.ndim != y_true.ndim:
        y_true = np.eye(y_pred.shape[-1])[y_true]
    return -np.sum(y_true * np.log(y_pred)) / y_pred.shape[0]


def verified(function, kind="softmax"):
    verdict = verify(function, kind, isolated=False)
    return verdict, {row.ok for row in verdict.records if row.phase == ONE_ROW}


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (softmax, "softmax"),
        (softmax_that_keeps_two_axes, "softmax"),
        (cross_entropy_of_scores, "softmax_with_loss"),
    ],
)
def test_a_row_by_itself_is_right(function, kind):
    verdict, rows = verified(function, kind)
    assert verdict.outcome == "right" and rows == {True}, str(verdict)
    assert UNASKED not in verdict.not_checked


@pytest.mark.parametrize(
    ("function", "kind"),
    [(softmax_never_summed, "softmax"), (cross_entropy_by_the_classes, "softmax_with_loss")],
)
def test_a_wrong_way_for_one_row_is_found(function, kind):
    verdict, rows = verified(function, kind)
    assert verdict.outcome == "wrong" and rows == {False}, str(verdict)
    assert f'the contract "{ONE_ROW}" is broken' in str(verdict)


def test_a_refusal_is_a_refusal():
    verdict, rows = verified(softmax_of_batches)
    assert verdict.outcome == "right" and not rows
    assert UNASKED not in verdict.not_checked


@pytest.mark.parametrize("function", [softmax_that_breaks, softmax_to_one_number])
def test_what_has_no_answer_for_a_row_is_said(function):
    verdict, rows = verified(function)
    assert verdict.outcome == "right" and not rows
    assert UNASKED in verdict.not_checked


def test_code_that_never_asks_is_not_tried():
    verdict, rows = verified(by_rows)
    assert verdict.outcome == "right" and not rows
    assert UNASKED not in verdict.not_checked


@pytest.mark.parametrize(
    "loss",
    [cross_entropy_of_probabilities, CrossEntropyThatCountsLabels, cross_entropy_of_as_many_axes],
)
def test_a_loss_that_counts_the_axes_of_its_labels_is_not_tried(loss):
    verdict, rows = verified(loss, "softmax_with_loss")
    assert verdict.outcome in ("right", "right_but") and not rows, str(verdict)
