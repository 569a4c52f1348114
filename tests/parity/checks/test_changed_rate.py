"""A learning rate that is set between two steps is used; going on with the first one is wrong."""

import numpy as np
import pytest

from parity.checks.changed_rate import CHANGED_RATE, UNASKED
from parity.verification.verify import verify


class SGD:
    def __init__(self, lr):
        self.lr = lr

    def update(self, params, grads):
        for key in params:
            params[key] -= self.lr * grads[key]


class StepInTheConstructor(SGD):
    def __init__(self, lr):
        super().__init__(lr)
        self.factor = -lr

    def update(self, params, grads):
        for key in params:
            params[key] += self.factor * grads[key]


class VelocityWithTheRate:
    """The book's: the velocity holds the rate."""

    def __init__(self, lr, momentum):
        self.lr, self.momentum, self.v = lr, momentum, None

    def update(self, params, grads):
        self.v = self.v or {key: np.zeros_like(p) for key, p in params.items()}
        for key in params:
            self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
            params[key] += self.v[key]


class TwoNames:
    """The rate of a schedule of its own lies beside that which was given."""

    def __init__(self, learning_rate):
        self.learning_rate = self.current_learning_rate = learning_rate

    def update_params(self, layer):
        layer.weights += -self.current_learning_rate * layer.dweights
        layer.biases += -self.current_learning_rate * layer.dbiases


class Groups:
    def __init__(self, params, lr):
        self.groups = [{"params": params, "lr": lr}]

    def step(self):
        for group in self.groups:
            for p in group["params"]:
                p.data -= group["lr"] * p.grad


class BothNames(SGD):
    """Shows its rate twice, and reads it once."""

    def __init__(self, lr):
        super().__init__(lr)
        self.learning_rate = lr

    def update(self, params, grads):
        for key in params:
            params[key] -= self.learning_rate * grads[key]


class PrivateCopy(SGD):
    """What is set is its own affair, and that it began with another is a record."""

    def __init__(self, lr):
        super().__init__(lr)
        self._lr = self.initial_lr = lr


class NeitherName(BothNames):
    """Both are set, and neither is read."""

    def __init__(self, lr):
        super().__init__(lr)
        self.bound = [lr]

    def update(self, params, grads):
        for key in params:
            params[key] -= self.bound[0] * grads[key]


def handed(w, dw, lr):
    return w - lr * dw


FIRST = []


def handed_the_first_for_ever(w, dw, lr):
    FIRST.append(lr)
    return w - FIRST[0] * dw


class Hidden:
    """Shows no rate, so that none can be set."""

    def __init__(self, lr):
        def step(p, g):
            p -= lr * g

        self.step = step

    def update(self, params, grads):
        for key in params:
            self.step(params[key], grads[key])


def phases(optimizer, kind):
    verdict = verify(optimizer, kind, isolated=False)
    return verdict, [row for row in verdict.records if row.phase == CHANGED_RATE]


@pytest.mark.parametrize(
    ("optimizer", "kind"),
    [(SGD, "sgd"), (VelocityWithTheRate, "momentum"), (TwoNames, "sgd"), (Groups, "sgd"), (handed, "sgd")],
)
def test_the_rate_that_was_set_is_used(optimizer, kind):
    verdict, rows = phases(optimizer, kind)
    assert verdict.ok and rows, str(verdict)


@pytest.mark.parametrize("optimizer", [StepInTheConstructor, NeitherName])
def test_the_rate_of_the_first_step_for_ever_is_wrong_and_named(optimizer):
    verdict, rows = phases(optimizer, "sgd")
    assert verdict.outcome == "wrong" and not any(row.ok for row in rows)
    assert "the rate of the first step for ever" in str(verdict)


def test_a_function_that_keeps_the_first_rate_that_it_is_handed_is_wrong():
    verdict, rows = phases(handed_the_first_for_ever, "sgd")
    assert verdict.outcome == "wrong" and rows and not any(row.ok for row in rows)


def test_a_rate_that_it_does_not_show_is_said_to_be_not_checked():
    verdict, rows = phases(Hidden, "sgd")
    assert verdict.outcome == "right" and not rows
    assert verdict.not_checked == [UNASKED] and UNASKED in verdict.headline


@pytest.mark.parametrize(
    ("optimizer", "read", "unread"),
    [(BothNames, ".learning_rate", ".lr"), (TwoNames, ".current_learning_rate", ".learning_rate")],
)
def test_a_name_that_is_not_read_is_a_remark(optimizer, read, unread):
    verdict, _ = phases(optimizer, "sgd")
    assert verdict.outcome == "right" and not verdict.not_checked, str(verdict)
    assert f"is read at {read}; set at {unread} alone, it has no effect" in str(verdict)


@pytest.mark.parametrize("optimizer", [SGD, PrivateCopy])
def test_one_name_and_what_is_private_are_no_remark(optimizer):
    verdict, rows = phases(optimizer, "sgd")
    assert verdict.outcome == "right" and rows and not verdict.remarks, str(verdict)
