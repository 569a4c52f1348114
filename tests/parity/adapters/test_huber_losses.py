"""Losses of Huber and smooth L1 losses: delta by any name, written in the code, and by what they divide."""

import pytest

from parity.kinds.names import kind_by_words
from parity.verification.listing import listed
from parity.verification.verify import verify

KIND = "huber_loss"
FUNCTIONS = """
import numpy as np

def huber(y_true, y_pred, delta=1.0):
    d = np.abs(y_pred - y_true)
    return np.where(d <= delta, d**2 / 2, {line}).mean()

def huber_derivative(y_true, y_pred, delta=1.0):
    d = y_pred - y_true
    return {slope} / d.size
"""
LINE, SLOPE = "delta * (d - delta / 2)", "np.clip(d, -delta, delta)"
SMOOTH = """
import numpy as np

class SmoothL1:
    def __init__(self, beta=1.0):
        self.beta = beta

    def forward(self, x, t):
        self.d = x - t
        d = np.abs(self.d)
        return np.where(d < self.beta, d**2 / 2 / self.beta, d - self.beta / 2).sum()

    def backward(self):
        return {slope}
"""
WRITTEN = """
import numpy as np

class HuberLoss:
    def forward(self, prediction, target):
        self.d = prediction - target
        d = np.abs(self.d)
        return np.where(d <= 1.5, d**2, {line}).mean()

    def backward(self):
        return 2 * np.clip(self.d, -1.5, {top}) / self.d.size
"""
ALONE = """
import numpy as np

def huber_grad(y, t):
    return np.where(np.abs(y - t) <= 0.5, y - t, {top} * np.sign(y - t)) / len(y)
"""


def ask(tmp_path, source, name, **parts):
    file = tmp_path / "mine.py"
    file.write_text(source.format(**parts))
    return verify(f"{file}:{name}", KIND)


@pytest.mark.parametrize(
    ("source", "name", "parts", "says"),
    [
        (FUNCTIONS, "huber", {"line": LINE, "slope": SLOPE}, "huber(y_true, y_pred, delta), huber_deriv"),
        (
            SMOOTH,
            "SmoothL1",
            {"slope": "np.clip(self.d / self.beta, -1, 1)"},
            "the sum over all outputs, divided by delta (a smooth L1 loss)",
        ),
        (
            WRITTEN,
            "HuberLoss",
            {"line": "3 * d - 2.25", "top": 1.5},
            "twice the mean over all outputs; delta 1.5, read off its forward",
        ),
        (ALONE, "huber_grad", {"top": 0.5}, "delta 0.5, read off"),
    ],
    ids=["functions", "smooth L1", "written delta", "a gradient alone"],
)
def test_right_ones(tmp_path, source, name, parts, says):
    verdict = ask(tmp_path, source, name, **parts)
    assert verdict.outcome == "right", str(verdict)
    assert says in verdict.called


@pytest.mark.parametrize(
    ("source", "name", "parts"),
    [
        (FUNCTIONS, "huber", {"line": "delta * d", "slope": SLOPE}),
        (FUNCTIONS, "huber", {"line": "delta * d - delta / 2", "slope": SLOPE}),
        (FUNCTIONS, "huber", {"line": LINE, "slope": "np.clip(d, -1, 1)"}),
        (FUNCTIONS, "huber", {"line": LINE, "slope": "d"}),
        (SMOOTH, "SmoothL1", {"slope": "np.clip(self.d, -1, 1)"}),
        (WRITTEN, "HuberLoss", {"line": "1.5 * d - 2.25 / 2", "top": 1.5}),
        (WRITTEN, "HuberLoss", {"line": "3 * d - 2.25", "top": 1}),
        (ALONE, "huber_grad", {"top": 1}),
    ],
)
def test_wrong_ones(tmp_path, source, name, parts):
    assert ask(tmp_path, source, name, **parts).outcome == "wrong"


def test_a_derivative_belongs_to_the_function_of_its_whole_name(tmp_path):
    both = FUNCTIONS.format(line=LINE, slope=SLOPE).replace("huber", "huber_loss")
    other = (
        "def huber(y, t):\n    d = np.abs(y - t)\n    return np.where(d <= 2, d**2 / 2, 2 * d - 2).mean()\n"
    )
    verdict = ask(tmp_path, both + other, "huber")
    assert (verdict.outcome, verdict.called) == (
        "right",
        "called as huber(y, t); the loss is the mean over all outputs; delta 2, read off its forward",
    )


@pytest.mark.parametrize(
    "arguments", ["residual, delta", "z, mu", "r, delta=1.0", "err, threshold"], ids=lambda text: text
)
@pytest.mark.parametrize("name", ["huber_loss", "huber_grad"])
def test_those_of_a_difference_are_none(tmp_path, name, arguments):
    file = tmp_path / "mine.py"
    file.write_text(f"import numpy as np\n\ndef {name}({arguments}):\n    return {arguments[0]}\n")
    assert not listed(file)


def test_their_names():
    for name in ("Huber", "HuberLoss", "huber_loss", "smooth_l1", "SmoothL1Loss", "huber_fn", "my_huber"):
        assert kind_by_words(name) == KIND, name
    assert kind_by_words("pseudo_huber") is None
