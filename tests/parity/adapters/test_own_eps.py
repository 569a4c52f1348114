"""Batch normalization with an eps of its own, in an attribute: it is given PyTorch's, and that is said."""

import numpy as np
import pytest

from parity.verification.verify import verify


class BatchNorm:
    def __init__(self, num_features, momentum=0.1):
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.momentum, self.epsilon, self.training = momentum, 1e-3, True

    def std(self, var):
        return np.sqrt(var + self.epsilon)

    def forward(self, x):
        n, m = len(x), self.momentum
        if self.training:
            mean, var = x.mean(axis=0), x.var(axis=0)
            self.running_mean = (1 - m) * self.running_mean + m * mean
            self.running_var = (1 - m) * self.running_var + m * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        self.sigma = self.std(var).astype(x.dtype)
        self.xn = ((x - mean) / self.sigma).astype(x.dtype)
        return (self.gamma * self.xn + self.beta).astype(x.dtype)

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.xn).sum(axis=0), dout.sum(axis=0)
        d = dout * self.gamma
        if self.training:
            d = d - d.mean(axis=0) - self.xn * (d * self.xn).mean(axis=0)
        return (d / self.sigma).astype(dout.dtype)


class Outside(BatchNorm):
    def std(self, var):
        return np.sqrt(var) + self.epsilon


class Given(BatchNorm):
    def __init__(self, num_features, momentum=0.1, eps=1e-3):
        super().__init__(num_features, momentum)
        self.epsilon = eps


def ask(factory):
    return verify(factory, "batch_norm", isolated=False, adapter="auto")


@pytest.mark.parametrize("factory", [BatchNorm, Given])
def test_the_constant_is_a_choice_and_is_said(factory):
    verdict = ask(factory)
    assert verdict.outcome == "right", verdict
    assert ".epsilon = 0.001 is set to 1e-05, PyTorch's" in verdict.called


def test_a_constant_outside_the_root_is_said():
    verdict = ask(Outside)
    assert verdict.outcome == "right_but" and verdict.buts == ["its eps stands outside the root"]
