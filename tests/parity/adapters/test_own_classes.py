"""Code whose number of classes stands in its source is called with rows of so many numbers."""

import numpy as np
import pytest

from parity import verify
from parity.adapters.class_counts import counts_in
from parity.adapters.trial.probes import probes_of_classes
from parity.verification.fitted_sizes import with_classes

HEAD = """
import numpy as np

NUM_CLASSES = 10


def one_hot(y):
    return np.eye(NUM_CLASSES)[y]


def cross_entropy(p, y):
    return -np.mean(np.log(p[np.arange(len(y)), y]))

"""
GRADIENTS = {
    "(p - np.eye(10)[y]) / len(y)": "right_but",
    "(p - one_hot(y)) / len(y)": "right_but",
    "-one_hot(y) / p / len(y)": "right_but",
    "p - one_hot(y)": "wrong",
    "one_hot(y) / p / len(y)": "wrong",
    "(p - np.eye(p.shape[1])[y]) / len(y)": "right_but",
}
LOOPS = """
import numpy as np


def cross_entropy(p, t):
    loss = 0
    for i in range({number}):
        loss {sign}= t[i] * np.log(p[i])
    return loss


def cross_entropy_derivative(p, t):
    d = []
    for i in range({number}):
        d.append(-t[i] / p[i])
    return np.array(d)
"""
CLASS = """
import numpy as np


class SoftmaxCrossEntropy:
    def __init__(self):
        self.n = {number}

    def forward(self, x, y):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        self.t = np.zeros((len(y), self.n))
        self.t[np.arange(len(y)), y] = 1
        return -np.sum(self.t * np.log(self.p)) / len(y)

    def backward(self):
        return {dx} / len(self.t)
"""
OTHERS = "numbers of classes other than"


def ask(tmp_path, text, name, kind="softmax_with_loss"):
    path = tmp_path / f"mine_{len(list(tmp_path.iterdir()))}.py"  # a module of its own
    path.write_text(text)
    return verify(f"{path}:{name}", kind, isolated=False)


@pytest.mark.parametrize("dx", GRADIENTS)
def test_a_gradient_with_a_number_of_classes(dx, tmp_path):
    text = f"{HEAD}\ndef cross_entropy_grad(p, y):\n    return {dx}\n"
    verdict = ask(tmp_path, text, "cross_entropy,cross_entropy_grad")
    assert verdict.outcome == GRADIENTS[dx], str(verdict)
    assert (f"{OTHERS} 10" in verdict.not_checked) == ("p.shape" not in dx)


@pytest.mark.parametrize(("sign", "outcome"), [("-", "right"), ("+", "wrong")])
@pytest.mark.parametrize("number", [3, 4, 6])
def test_loops_over_the_classes(number, sign, outcome, tmp_path):
    text = LOOPS.format(number=number, sign=sign)
    verdict = ask(tmp_path, text, "cross_entropy,cross_entropy_derivative")
    assert verdict.outcome == outcome, str(verdict)
    assert f"{OTHERS} {number}" in verdict.not_checked


@pytest.mark.parametrize(
    ("dx", "outcome"), [("(self.p - self.t)", "right_but"), ("(self.t - self.p)", "wrong")]
)
def test_a_class_that_keeps_it(dx, outcome, tmp_path):
    text = CLASS.format(number=10, dx=dx)
    verdict = ask(tmp_path, text, "SoftmaxCrossEntropy")
    assert verdict.outcome == outcome and f"{OTHERS} 10" in verdict.not_checked, str(verdict)


def test_outputs_beside_numbers_of_classes(tmp_path):
    text = f"""{HEAD}
def mse(y_pred, labels):
    return np.mean((y_pred - one_hot(labels)) ** 2)


def mse_grad(y_pred, labels):
    return 2 * (y_pred - one_hot(labels)) / y_pred.{{}}
"""
    whole = ask(tmp_path, text.format("size"), "mse,mse_grad", "mean_squared_error")
    assert whole.outcome == "right_but" and f"{OTHERS} 10" in whole.not_checked, str(whole)
    rows = ask(tmp_path, text.format("shape[0]"), "mse,mse_grad", "mean_squared_error")
    assert rows.outcome == "wrong", str(rows)


K = 7


def _sizes(y, depth=12):
    return np.eye(K)[y], np.zeros((len(y), 5)), np.full(shape=depth), range(9), np.zeros(len(y)), one_code(y)


def one_code(y):
    return [[float(i == one) for i in range(8)] for one in y]


def test_the_numbers_in_a_source():
    assert sorted(counts_in(_sizes, {"_sizes": _sizes})) == [5, 7, 8, 9, 12]


@pytest.mark.parametrize(
    "kind", ["softmax_with_loss", "mean_squared_error", "binary_cross_entropy", "softmax"]
)
def test_inputs_of_so_many_classes(kind):
    for probe, _ in probes_of_classes(kind, 9):
        assert probe.inputs["x"].shape == (6, 9)
        more = with_classes(probe, 14)
        assert more.inputs["x"].shape == (6, 14) and more.id == "a trial, of 14"
