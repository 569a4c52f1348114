"""A softmax whose backward takes labels is judged by the gradient of the loss after it."""

import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify

SOURCE = """
import numpy as np


class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = (e / e.sum(axis=1, keepdims=True)).astype(x.dtype)
        return self.y

    def backward(self, TAKES):
        d = self.y.copy()
        GIVES
"""
HOT = "return (d - NAME) / d.dtype.type(len(d))"
INDEX = "d[np.arange(len(d)), NAME] -= 1; return d / d.dtype.type(len(d))"
RIGHT = [
    ("y_true", HOT, "labels as numbers of classes"),
    ("labels", INDEX, "labels as one-hot rows"),
    ("target", HOT, "labels as numbers of classes"),
    ("expected", INDEX, "labels as one-hot rows"),
    ("output, labels", HOT, "labels as numbers of classes"),
    ("y, t", HOT, "labels as numbers of classes"),
]
WRONG = [
    ("labels", INDEX.replace("-= 1", "+= 1")),
    ("y_true", HOT.replace("d -", "1 - d -")),
    ("y, t", "return y - t / len(y)"),
]


def ask(tmp_path, takes, gives):
    path = tmp_path / "softmax.py"
    name = takes.rpartition(" ")[2]
    path.write_text(SOURCE.replace("TAKES", takes).replace("GIVES", gives.replace("NAME", name)))
    (kind,) = (one.kind for one in listed(path))
    return kind, verify(f"{path}:Softmax", kind, isolated=False)


@pytest.mark.parametrize(("takes", "gives", "unchecked"), RIGHT, ids=[c[0] for c in RIGHT])
def test_a_right_one_is_right(tmp_path, takes, gives, unchecked):
    kind, verdict = ask(tmp_path, takes, gives)
    assert kind == "softmax_with_loss" and verdict.outcome in ("right", "right_but"), str(verdict)
    assert {unchecked, "what forward returns", "loss"} <= {*verdict.not_checked}


@pytest.mark.parametrize(("takes", "gives"), WRONG, ids=["added", "turned", "one divided"])
def test_a_wrong_one_is_wrong(tmp_path, takes, gives):
    kind, verdict = ask(tmp_path, takes, gives)
    assert kind == "softmax_with_loss" and verdict.outcome == "wrong", str(verdict)


@pytest.mark.parametrize("takes", ["dout", "grad", "dvalues", "y", "output, grad"])
def test_one_that_takes_a_gradient_is_a_softmax(tmp_path, takes):
    path = tmp_path / "softmax.py"
    path.write_text(SOURCE.replace("TAKES", takes).replace("GIVES", "return d"))
    assert [one.kind for one in listed(path)] == ["softmax"]
