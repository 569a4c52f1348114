"""Cross entropies that take labels (N, 1), and a softmax that is built for one shape of scores."""

import numpy as np
import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify

SAYS = "labels (N, 1)"


class OfColumns:
    """Goes through the rows, and takes each label out of an array of one."""

    def forward(self, x, y):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p, self.y = e / e.sum(axis=1, keepdims=True), y
        losses = [-np.log(self.p[n, y[n]])[0] for n in range(len(x))]
        return np.mean(losses)

    def backward(self):
        dx = self.p.copy()
        for n in range(len(dx)):
            dx[n, self.y[n]] -= 1
        return dx / self.divisor()

    def divisor(self):
        return len(self.p)


class NotDivided(OfColumns):
    def divisor(self):
        return 1


class OfOneHotRows(OfColumns):
    def forward(self, x, y):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p, self.y = e / e.sum(axis=1, keepdims=True), y
        return -np.sum(y * np.log(self.p)) / len(x)

    def backward(self):
        return (self.p - self.y) / len(self.p)


def ask(factory):
    return verify(factory, "softmax_with_loss", isolated=False)


def test_labels_in_a_column():
    verdict = ask(OfColumns)
    assert verdict.outcome in ("right", "right_but") and SAYS in verdict.called, str(verdict)
    assert "labels (N,)" in verdict.not_checked


def test_a_gradient_that_is_not_divided_is_wrong():
    verdict = ask(NotDivided)
    assert verdict.outcome == "wrong" and SAYS in verdict.called, str(verdict)


def test_one_hot_rows_are_no_columns_of_labels():
    verdict = ask(OfOneHotRows)
    assert verdict.outcome in ("right", "right_but") and SAYS not in verdict.called, str(verdict)


SOFTMAX = """
import numpy as np
class Softmax:
    def __init__(self, shape):
        self.batch, self.p = shape[0], np.zeros(shape)
    def predict(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p[...] = e / e.sum(axis=1, keepdims=True)
        return self.p
    def cal_loss(self, x, label):
        self.label = label
        p = self.predict(x)
        return -sum(np.log(p[n, label[n]]) for n in range(self.batch))[0] / self.batch
    def backward(self):
        dx = self.p.copy()
        for n in range(self.batch):
            dx[n, self.label[n]] -= 1
        return dx{divided}
class SoftmaxLayer:
    def forward(self, x):
        return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    def loss(self, x, y):
        return -np.mean(y * np.log(x))
    def backward(self, dout):
        return dout
"""


@pytest.mark.parametrize(("divided", "outcome"), [(" / self.batch", "right_but"), ("", "wrong")])
def test_a_softmax_with_a_loss_of_its_own_is_that_loss(tmp_path, divided, outcome):
    file = tmp_path / "softmax.py"
    file.write_text(SOFTMAX.replace("{divided}", divided))
    assert [one.kind for one in listed(file)] == ["softmax_with_loss", "softmax"]
    verdict = verify(f"{file}:Softmax", "softmax_with_loss")
    assert verdict.outcome == outcome and SAYS in verdict.called, str(verdict)
