"""A backward that takes its gradient out of a list, one that calls it output, and a p that is kept."""

import pytest

from parity.verification.verify import verify

CODE = """
import numpy as np


class Dropout:
    def __init__(self, keep_prob):
        self.keep_prob = keep_prob

    def __call__(self, x, training):
        if training:
            self.W = ((np.random.rand(*x.shape) <= self.keep_prob) / self.keep_prob).astype(x.dtype)
            return self.W * x
        return x

    def grads(self, grads):
        dprev, *rest = grads
        return self.W * dprev * FACTOR


def forward_relu(inp):
    return np.maximum(0, inp), inp


def backward_relu(output, old):
    return np.where(old > 0, output, 0).astype(output.dtype) * FACTOR


def dropout_forward(X, p_dropout):
    u = (np.random.binomial(1, p_dropout, size=X.shape) / p_dropout).astype(X.dtype)
    return X * u, u


def dropout_backward(dy, cache):
    return dy * cache * FACTOR
"""
CASES = [
    ("Dropout", "dropout", "grads(grads)"),
    ("forward_relu,backward_relu", "relu", "backward_relu(output, old)"),
    ("dropout_forward,dropout_backward", "dropout", "p_dropout is the share that is kept"),
]


@pytest.mark.parametrize(("factor", "outcome"), [("1", "right"), ("2", "wrong")])
@pytest.mark.parametrize(("name", "kind", "called"), CASES, ids=[case[0] for case in CASES])
def test_as_it_asks(tmp_path, name, kind, called, factor, outcome):
    (tmp_path / "mine.py").write_text(CODE.replace("FACTOR", factor))
    verdict = verify(f"{tmp_path}/mine.py:{name}", kind)
    assert verdict.outcome == outcome, str(verdict)
    assert called in verdict.called and "there is the output" not in verdict.called
