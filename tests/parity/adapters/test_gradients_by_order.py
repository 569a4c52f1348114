"""Gradients of one shape that are returned without names: what has lost its shape is not another's."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Norm:
    """It has no statistics to infer with."""

    def __init__(self, num_features):
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)

    def forward(self, x):
        self.std = np.sqrt(x.var(axis=0) + 1e-5)
        self.normed = (x - x.mean(axis=0)) / self.std
        return (self.gamma * self.normed + self.beta).astype(x.dtype)

    def gradients(self, dout):
        return [(dout * self.normed).sum(axis=0), dout.sum(axis=0)]

    def backward(self, dout):
        d = dout * self.gamma
        dx = (d - d.mean(axis=0) - self.normed * (d * self.normed).mean(axis=0)) / self.std
        return dx.astype(dout.dtype), [a.astype(dout.dtype) for a in self.gradients(dout)]


class NotSummed(Norm):
    def gradients(self, dout):
        return [dout * self.normed, dout.sum(axis=0)]


class BetaNotSummed(Norm):
    def gradients(self, dout):
        return [(dout * self.normed).sum(axis=0), dout * 1]


def test_each_is_in_its_place():
    verdict = verify(Norm, "batch_norm", isolated=False)
    assert verdict.outcome == "right" and "returned[1][0], returned[1][1]" in verdict.called, str(verdict)


@pytest.mark.parametrize(("cls", "wrong"), [(NotSummed, "dgamma"), (BetaNotSummed, "dbeta")])
def test_one_that_is_not_summed_is_the_wrong_one(cls, wrong):
    verdict = verify(cls, "batch_norm", isolated=False)
    assert verdict.outcome == "wrong" and f"wrong: {wrong}; right: " in str(verdict), str(verdict)
    assert "shape (2, 3), expected (3,)" in str(verdict)
