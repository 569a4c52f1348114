"""Hinge losses of two classes and of several: which one a name means, and what a sum is divided by."""

import ast

import pytest

from parity.verification.hinges import hinge_of
from parity.verification.listing import listed
from parity.verification.verify import verify

SEVERAL, BINARY = "multiclass_hinge_loss", "hinge_loss"
SVM = """
def svm_loss(x, y):
    rows = np.arange(len(x))
    margins = np.maximum(0, x - x[rows, y][:, None] + {margin})
    margins[rows, y] = 0
    dx = (margins > 0).astype(x.dtype)
    dx[rows, y] -= {right}
    return margins.sum() / {by}, dx / {of_dx}
"""
COUNT = "dx.sum(axis=1)"
AS_CLASS = """
class MultiClassHinge:
    def forward(self, x, t):
        self.x, self.t = x, t
        margins = np.maximum(0, x - x[np.arange(len(x)), t].reshape(-1, 1) + 1)
        return margins.sum() - len(x)

    def backward(self):
        rows = np.arange(len(self.x))
        dx = (self.x - self.x[rows, self.t].reshape(-1, 1) + 1 > 0) * self.x.dtype.type(1)
        dx[rows, self.t] = {right}
        return dx
"""
PAIR = """
def hinge_loss(y_true, y_pred):
    return np.mean(np.maximum(0, 1 - y_true * y_pred))

def hinge_loss_derivative(y_true, y_pred):
    return np.where(y_true * y_pred < {edge}, -y_true, 0) / y_true.size
"""


def ask(tmp_path, source, name, kind):
    file = tmp_path / "mine.py"
    file.write_text("import numpy as np\n" + source)
    return verify(f"{file}:{name}", kind)


@pytest.mark.parametrize(
    ("source", "name", "kind", "says"),
    [
        (SVM.format(margin=1, right=COUNT, by="len(x)", of_dx="len(x)"), "svm_loss", SEVERAL, "dx in"),
        (SVM.format(margin=1, right=COUNT, by=1, of_dx=1), "svm_loss", SEVERAL, "the sum over the rows"),
        (SVM.format(margin=1, right=COUNT, by="x.size", of_dx="x.size"), "svm_loss", SEVERAL, "all numbers"),
        (AS_CLASS.format(right=f"1 - {COUNT}"), "MultiClassHinge", SEVERAL, "the sum over the rows"),
        (PAIR.format(edge=1), "hinge_loss", BINARY, "the mean over all outputs"),
    ],
    ids=["mean", "sum", "mean of all", "class", "two classes"],
)
def test_right_ones(tmp_path, source, name, kind, says):
    verdict = ask(tmp_path, source, name, kind)
    assert verdict.outcome == "right", str(verdict)
    assert says in verdict.called


@pytest.mark.parametrize(
    ("source", "name", "kind"),
    [
        (SVM.format(margin=0, right=COUNT, by="len(x)", of_dx="len(x)"), "svm_loss", SEVERAL),
        (SVM.format(margin=1, right=1, by="len(x)", of_dx="len(x)"), "svm_loss", SEVERAL),
        (SVM.format(margin=1, right=COUNT, by=1, of_dx="len(x)"), "svm_loss", SEVERAL),
        (SVM.format(margin=1, right=COUNT, by="len(x)", of_dx=1), "svm_loss", SEVERAL),
        (AS_CLASS.format(right=-1), "MultiClassHinge", SEVERAL),
        (PAIR.format(edge=0), "hinge_loss", BINARY),
    ],
    ids=["no margin", "right class once", "sum of losses", "sum of gradients", "class", "two classes"],
)
def test_wrong_ones(tmp_path, source, name, kind):
    assert ask(tmp_path, source, name, kind).outcome == "wrong"


MARGIN = """
class HingeLoss:
    def __init__(self, margin=0.5):
        self.margin = margin

    def forward(self, x, t):
        right = np.sum(np.where(t > 0, x, 0), axis=1, keepdims=True)
        self.x, self.t, self.d = x, t, np.where(t > 0, 0, np.maximum(self.margin + x - right, 0))
        return self.d.sum(axis=1).mean()

    def backward(self):
        dx = (self.d > 0) * self.x.dtype.type(1)
        return np.where(self.t > 0, {right}, dx) / self.x.dtype.type(len(dx))
"""


@pytest.mark.parametrize(
    ("right", "outcome"), [("-dx.sum(axis=1, keepdims=True)", "right"), ("self.x.dtype.type(-1)", "wrong")]
)
def test_its_margin_is_given_as_1(tmp_path, right, outcome):
    verdict = ask(tmp_path, MARGIN.format(right=right), "HingeLoss", SEVERAL)
    assert verdict.outcome == outcome, str(verdict)
    assert [one.kind for one in listed(tmp_path / "mine.py")] == [SEVERAL]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (
            "def svm_loss(s, y):\n    return np.maximum(0, s - s[range(len(s)), y][:, None] + 1).sum()",
            SEVERAL,
        ),
        ("def hinge(y, s):\n    return max(0, 1 - y * s)", BINARY),
        ("def hinge(y, s):\n    return np.mean(np.maximum(0, 1 - y * s) ** 2)", None),
        ("def hinge(y, s):\n    return np.maximum(0, np.max((1 - y) * s, axis=1) + 1).mean()", None),
        ("def hinge(y, s):\n    y = 2 * y - 1\n    return np.maximum(0, 1 - y * s).mean()", None),
        ("def hinge(pos, neg):\n    return np.maximum(0, 1 - pos + neg).mean()", None),
        ("def svm_loss(W, X, y, reg):\n    return X @ W", None),
    ],
)
def test_which_one_it_is(source, kind):
    assert hinge_of(ast.parse(source).body[0]) == kind
