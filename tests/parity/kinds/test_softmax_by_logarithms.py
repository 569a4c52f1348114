"""A softmax as exp(x - logsumexp(x)), which float32 rounds where the scores are."""

import numpy as np
import pytest

from parity.verification.verify import verify


class ByLogarithms:
    base = 0.0

    def forward(self, x):
        most = x.max(axis=1, keepdims=True)
        total = most + np.log(np.exp(x - most).sum(axis=1, keepdims=True))
        self.y = np.exp(x - total) + x.dtype.type(self.base)
        return self.y

    def backward(self, dout):
        return self.y * (dout - (dout * self.y).sum(axis=1, keepdims=True))


class WithMore(ByLogarithms):
    base = 1e-4


@pytest.mark.parametrize(("cls", "outcome"), [(ByLogarithms, "right"), (WithMore, "wrong")])
def test_verdicts(cls, outcome):
    verdict = verify(cls, "softmax", isolated=False)
    assert verdict.outcome == outcome, str(verdict)
