"""Small ways of activations and losses: np.vectorize, the size of a softmax, an eps with a default."""

import pytest

from parity.verification.verify import verify
from parity.verification.whole import verify_all

VECTORIZED = """
import numpy as np

def sigmoid_of_one(x):
    return 1.0 / (1 + np.exp(-x))

sigmoid = np.vectorize(sigmoid_of_one)
relu = np.vectorize(lambda x: x if x > {kink} else 0.0)

@np.vectorize
def tanh(x):
    return np.tanh(x)

def logistic_hidden(z):
    return 1 / (1 + np.exp(-z))
"""
SIZED = """
import numpy as np

class SoftmaxLayer:
    def __init__(self, input_size):
        self.input_size = input_size

    def forward(self, input):
        e = np.exp(input)
        self.output = e / np.sum(e)
        return self.output

    def backward(self, output_error):
        out = np.tile(self.output.T, self.input_size)
        return self.output * np.dot(output_error, np.identity(self.input_size) {sign} out)
"""
WITHOUT_ITS_AXIS = """
import numpy as np

def softmax(x):
    return np.exp(x) / np.sum(np.exp(x), axis=1)
"""
WITH_EPS = """
import numpy as np

class Losses:
    def bce(y_hat, y, eps=1e-12):
        y_hat = np.clip(y_hat, eps, 1 - eps)
        return -np.mean(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))

    def bce_prime(y_hat, y, eps=1e-12):
        return ((1 - y) / (1 - y_hat + eps) {sign} y / (y_hat + eps)) / y.size
"""
WITH_LOGITS = """
import numpy as np

class BCEWithLogits:
    def forward(self, logits, targets):
        self.p, self.t = 1 / (1 + np.exp(-logits)), targets
        return np.mean(np.maximum(logits, 0) - logits * targets + np.log1p(np.exp(-np.abs(logits))))

    def backward(self):
        return (self.p {sign} self.t) / self.t.size
"""


def outcomes(tmp_path, source):
    file = tmp_path / "mine.py"
    file.write_text(source)
    return {v.name: v.outcome for v in verify_all(f"{file}", isolated=True).verdicts}


@pytest.mark.parametrize(("kink", "right"), [(0, True), (1, False)])
def test_vectorized_functions_have_the_parameters_of_theirs(tmp_path, kink, right):
    found = outcomes(tmp_path, VECTORIZED.format(kink=kink))
    assert {*found} == {"sigmoid", "relu", "tanh", "logistic_hidden"}
    assert (found.pop("relu") == "wrong") != right
    assert {*found.values()} <= {"right", "right_but"}


@pytest.mark.parametrize(
    ("source", "name"),
    [(SIZED, "SoftmaxLayer"), (WITH_EPS, "Losses.bce"), (WITH_LOGITS, "BCEWithLogits")],
)
def test_the_derivative_is_checked(tmp_path, source, name):
    found = outcomes(tmp_path, source.format(sign="-"))
    assert found[name] in ("right", "right_but"), found


@pytest.mark.parametrize(
    ("source", "name"),
    [(SIZED, "SoftmaxLayer"), (WITH_EPS, "Losses.bce"), (WITH_LOGITS, "BCEWithLogits")],
)
def test_a_wrong_one_is_wrong(tmp_path, source, name):
    assert outcomes(tmp_path, source.format(sign="+"))[name] == "wrong"


def test_a_sum_that_lost_its_axis_is_not_read_as_one_row(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(WITHOUT_ITS_AXIS)
    assert not verify(f"{file}:softmax", "softmax", isolated=False).ok
