"""What a cross entropy takes the logarithm of is its output, whatever its arguments are called."""

import numpy as np
import pytest

from parity.adapters.logarithms import taken_of
from parity.verification.verify import verify

BINARY = """
import numpy as np

def binary_cross_entropy(y_true, y_pred):
    p = np.clip(y_true, 1e-12, 1 - 1e-12)
    return -np.mean(y_pred * np.log(p) + (1 - y_pred) * np.log(1 - p))

def binary_cross_entropy_prime(y_true, y_pred):
    return {dx} / y_true.size
"""
RIGHT_DX = "((y_true - y_pred) / (y_true * (1 - y_true)))"
CLASS = """
import numpy as np

class BinaryCrossEntropy:
    def forward(self, targets, predictions):
        self.targets, self.predictions = targets, predictions
        return -np.mean(predictions * np.log(targets) + (1 - predictions) * np.log(1 - targets))

    def backward(self):
        a, b = self.targets, self.predictions
        return {dx} / a.size
"""
OF_CLASSES = """
import numpy as np

def cross_entropy({first}, {second}):
    return -np.sum({second} * np.log({first})) / len({first})

def cross_entropy_derivative({first}, {second}):
    return -({second} / {first}) / len({first})
"""
OF_NUMBERS = """
import numpy as np

class CrossEntropy:
    def forward(self, labels, predictions):
        self.p, self.t = labels, predictions
        return -np.mean(np.log(labels[np.arange(len(labels)), predictions]))

    def backward(self):
        dx, rows = np.zeros_like(self.p), np.arange(len(self.p))
        dx[rows, self.t] = -1 / self.p[rows, self.t]
        return dx / len(dx)
"""
SQUARES = """
import numpy as np

def mse(y, y_hat):
    return np.mean((y - y_hat) ** 2)

def mse_prime(y, y_hat):
    return 2 * (y - y_hat) / y.size
"""
OTHERWISE = "its arguments are named the other way round: {} is what the logarithm is taken of"


@pytest.fixture
def ask(tmp_path):
    def verdict(text, name, kind):
        path = tmp_path / f"mine_{len(list(tmp_path.iterdir()))}.py"  # a module of its own
        path.write_text(text)
        return verify(f"{path}:{name}", kind, isolated=False)

    return verdict


@pytest.mark.parametrize(
    ("text", "name", "kind", "output"),
    [
        (BINARY.format(dx=RIGHT_DX), "binary_cross_entropy", "binary_cross_entropy", "y_true"),
        (
            CLASS.format(dx="((a - b) / (a * (1 - a)))"),
            "BinaryCrossEntropy",
            "binary_cross_entropy",
            "targets",
        ),
        (OF_CLASSES.format(first="y", second="y_hat"), "cross_entropy", "softmax_with_loss", "y"),
        (OF_NUMBERS, "CrossEntropy", "softmax_with_loss", "labels"),
    ],
)
def test_names_that_say_the_contrary_are_said(ask, text, name, kind, output):
    verdict = ask(text, name, kind)
    assert verdict.outcome == "right_but", str(verdict)
    assert verdict.buts == [OTHERWISE.format(output)]
    assert f"{output} is taken for the output" in verdict.called


@pytest.mark.parametrize("names", [("q", "p"), ("p", "q")])
def test_where_names_do_not_tell_the_logarithm_does(ask, names):
    first, second = names
    text = OF_CLASSES.format(first=first, second=second)
    text = text.replace(f"({first}, {second})", "(p, q)")
    verdict = ask(text, "cross_entropy", "softmax_with_loss")
    assert verdict.outcome == "right", str(verdict)
    assert f"{first} is taken for the output" in verdict.called


def test_names_that_are_right_are_not_spoken_of(ask):
    text = OF_CLASSES.format(first="y_hat", second="y")
    verdict = ask(text, "cross_entropy", "softmax_with_loss")
    assert verdict.outcome == "right" and "is taken for" not in verdict.called, str(verdict)


@pytest.mark.parametrize(
    ("dx", "said"),
    [
        (RIGHT_DX.replace("y_true - y_pred", "y_pred - y_true"), "wrong: dx; right: loss"),
        ("((y_pred - y_true) / (y_pred * (1 - y_pred)))", "forward, loss"),  # as the names have it
        (f"2 * {RIGHT_DX}", "wrong: dx; right: loss"),
    ],
)
def test_wrong(ask, dx, said):
    verdict = ask(BINARY.format(dx=dx), "binary_cross_entropy", "binary_cross_entropy")
    assert verdict.outcome == "wrong" and said in str(verdict), str(verdict)


def test_a_squared_error_is_held_to_its_names(ask):
    verdict = ask(SQUARES, "mse", "mean_squared_error")
    assert verdict.outcome == "wrong" and "dx with the sign flipped" in str(verdict), str(verdict)


def of_rows(p, t):
    rows = np.arange(len(p))
    return -np.log(p[rows, t]).mean()


def of_both(p, t):
    return -np.log((p * t).sum(axis=1)).mean()


def of_what_a_condition_chooses(p, t, eps=1e-9):
    return -np.log(np.where(t == 1, p, 1 - p) + eps).mean()


class Kept:
    def forward(self, a, b):
        self.b = np.clip(b, 1e-9, 1)
        self.a, self.n = a, b.shape[0]
        return -(self.a * np.log(self.b)).sum() / self.n

    def backward(self):
        return -(self.a / self.b) / self.n


def test_what_stands_in_logarithms_and_divisors():
    functions = {f.__name__: f for f in (of_rows, of_both, of_what_a_condition_chooses)}
    logarithms, divisors = taken_of(functions)
    assert logarithms == {"of_rows": "p", "of_what_a_condition_chooses": "p"} and not divisors
    logarithms, divisors = taken_of({"forward": Kept.forward, "backward": Kept.backward})
    assert logarithms == {"forward": "b"} and divisors == {"backward": "b"}
