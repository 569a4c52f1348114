"""Options that None switches off, as a schedule or a bound of the gradients, are named as not checked."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Scheduled:
    def __init__(self, lr=0.01, schedule=None, max_grad_norm=None):
        self.lr, self.schedule, self.max_grad_norm = lr, schedule, max_grad_norm

    def update(self, params, grads):
        for key in params:
            params[key] -= self.lr * grads[key]


class Regularized:
    def __init__(self, n_in, n_out, kernel_regularizer=None):
        self.W, self.b = np.ones((n_in, n_out)), np.zeros(n_out)
        self.kernel_regularizer = kernel_regularizer

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


@pytest.mark.parametrize(
    ("one", "kind", "names"),
    [
        (Scheduled, "sgd", ["schedule", "max_grad_norm"]),
        (Regularized, "affine", ["kernel_regularizer"]),
    ],
)
def test_what_none_switches_off_is_not_checked(one, kind, names):
    verdict = verify(one, kind, isolated=False)
    assert verdict.outcome == "right", str(verdict)
    assert {f"{name} other than None" for name in names} <= {*verdict.not_checked}
