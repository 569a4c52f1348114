"""Losses whose names say no more than that: their source shows which one it is."""

import pytest

from parity.verification.listing import listed
from parity.verification.loss_formulas import is_any_loss
from parity.verification.verify import verify

FILE = """
import numpy as np
def loss(y, y_hat): return np.mean((y - y_hat) ** 2)
def loss_prime(y, y_hat): return 2 * (y_hat - y) / y.size
def compute_cost(A, Y):
    return -np.sum(Y * np.log(A + 1e-12)) / len(Y)
def total_error(out, target):
    d = out - target
    return np.sum(np.abs(d))
def onehot_loss(x, y):
    dx, loss = 2 * x, np.sum(x * x)
    for n in range(len(x)):
        loss += (1 - x[n][y[n]]) ** 2 - x[n][y[n]] ** 2
        dx[n][y[n]] -= 2
    return loss / len(x), dx / {divisor}
class Loss:
    def forward(self, pred, t):
        self.p, self.t = pred, t
        return -np.mean(t * np.log(pred) + (1 - t) * np.log(1 - pred))
    def backward(self):
        return (self.p - self.t) / (self.p * (1 - self.p)) / self.t.size
class Cost:
    def forward(self, p, t): return np.sqrt(np.mean((p - t) ** 2))
class Error:
    def __call__(self, p, t): return np.sum(t * np.log(t / p))
def loss_of_both(p, t): return np.sum((p - t) ** 2)
def objective(p, t): return np.mean(np.where(abs(p - t) < 1, (p - t) ** 2, abs(p - t)))
def error(p, t): return p - t
"""


def test_the_source_shows_the_kind(tmp_path):
    file = tmp_path / "losses.py"
    file.write_text(FILE)
    assert {one.name: one.kind for one in listed(file) if one.kind} == {
        "loss": "mean_squared_error",
        "compute_cost": "softmax_with_loss",
        "total_error": "mean_absolute_error",
        "onehot_loss": "mean_squared_error",
        "Loss": "binary_cross_entropy",
    }


def test_names():
    assert all(map(is_any_loss, ("loss", "Loss", "compute_cost", "LossFunction", "onehot_loss", "perte")))
    assert not any(
        map(is_any_loss, ("forward", "compute", "hinge_loss", "KLLoss", "focal_loss", "loss_of_both"))
    )


@pytest.mark.parametrize(("divisor", "outcome"), [("len(x)", "right"), ("1", "wrong")])
def test_a_squared_error_of_numbers_of_classes(tmp_path, divisor, outcome):
    file = tmp_path / "losses.py"
    file.write_text(FILE.replace("{divisor}", divisor))
    verdict = verify(f"{file}:onehot_loss", "mean_squared_error")
    assert verdict.outcome == outcome and "numbers of classes" in verdict.called, str(verdict)
    assert "dx in returned[1]" in verdict.called
    assert verdict.culprit is None or verdict.culprit.tensor == "dx"
