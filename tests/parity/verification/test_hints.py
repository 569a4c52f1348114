"""What a report advises where a result has another shape."""

import re

import numpy as np
import pytest

from parity.verification.verify import verify


class Dense:
    """The gradient of its bias is not summed over the samples."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, self.db_of(dout)
        return dout @ self.W.T

    def db_of(self, dout):
        return dout.copy()


class InColumns(Dense):
    def db_of(self, dout):
        return dout.T.copy()


class Another(Dense):
    """Summed over the samples it would be wrong too."""

    def db_of(self, dout):
        return 2 * dout


@pytest.mark.parametrize("factory", [Dense, InColumns])
def test_a_gradient_that_is_not_summed_over_the_samples_is_said_so(factory):
    verdict = verify(factory, "affine", isolated=False)
    assert verdict.outcome == "wrong"
    assert re.search(r"hint +summed over its axis [01] it is db: the samples", str(verdict))


def test_nothing_is_said_where_the_sum_is_wrong_too():
    verdict = verify(Another, "affine", isolated=False)
    assert verdict.outcome == "wrong" and "summed over" not in str(verdict)
    assert np.shape(verdict.first.ours) != np.shape(verdict.first.theirs)


class Mean(Dense):
    """The mean over N, as functions have it whose loss hands on its gradient without 1/N."""

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout / len(dout), dout.mean(axis=0)
        return dout @ self.W.T


class MeanOfAll(Mean):
    def backward(self, dout):
        return super().backward(dout) / len(dout)


def test_a_mean_over_the_batch_is_wrong_and_what_it_would_need_is_said():
    verdict = verify(Mean, "affine", isolated=False)
    says = (
        "dW and db are 1/N of PyTorch's, and out and dx are PyTorch's: right where the gradient of the loss"
    )
    assert verdict.outcome == "wrong" and says in str(verdict), str(verdict)
    assert any(says in remark for remark in verdict.remarks)


def test_nothing_is_said_where_dx_is_divided_too():
    verdict = verify(MeanOfAll, "affine", isolated=False)
    assert verdict.outcome == "wrong" and "right where the gradient of the loss" not in str(verdict)
