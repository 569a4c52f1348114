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
    file = tmp_path / f"mine_{len(list(tmp_path.glob('*.py')))}.py"  # a module of its own
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
    found = outcomes(tmp_path, source.format(sign="+"))
    wrong = next((one for one in found if one.startswith(name) and one != name), name)  # of a pair that half
    assert found[wrong] == "wrong", found


def test_a_sum_that_lost_its_axis_is_not_read_as_one_row(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(WITHOUT_ITS_AXIS)
    assert not verify(f"{file}:softmax", "softmax", isolated=False).ok


BESIDE = """
import numpy as np

def cross_entropy_loss(P, Y):
    return -np.sum(Y * np.log(P)) / len(P)

def cross_entropy_grad(P, Y):
    return {sign}Y / P / len(P)

class Functions:
    def sofplus(self, x):
        return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)

    def softplus_grad(self, x):
        return 1 / (1 + np.exp({sign}x))
"""
TWO = """
import numpy as np

def cross_entropy_cost(P, Y):
    return -np.sum(Y * np.log(P)) / len(P)

def cross_entropy(x, Y):
    return cross_entropy_cost(np.exp(x) / np.exp(x).sum(axis=1, keepdims=True), Y)

def cross_entropy_grad(x, Y):
    return (np.exp(x) / np.exp(x).sum(axis=1, keepdims=True) - Y) / len(x)
"""
DERIVATES = """
import numpy as np

class Relu:
    def activate(self, z):
        return np.maximum(0, z)

    def derivate(self, z):
        return 1.0 * ({sign}z > 0)

class SoftmaxCE:
    def forward(self, X, y):
        m = X - X.max(axis=1, keepdims=True)
        self.p, self.y = np.exp(m - np.log(np.exp(m).sum(axis=1, keepdims=True))), y
        return -np.log(self.p[np.arange(len(y)), y]).mean()

    def backward(self):
        d = self.p.copy()
        d[np.arange(len(self.y)), self.y] -= 1
        return {sign}d / len(self.y)
"""


def test_a_derivative_with_other_words_around_is_its_function_s(tmp_path):
    found = outcomes(tmp_path, BESIDE.format(sign="-"))
    derivatives = {"cross_entropy_grad", "Functions.softplus_grad"}
    assert {*found} == {"cross_entropy_loss", "Functions.sofplus"} | derivatives
    assert {*found.values()} <= {"right", "right_but"}
    wrong = outcomes(tmp_path, BESIDE.format(sign="+"))
    assert {name for name, outcome in wrong.items() if outcome == "wrong"} == derivatives


def test_the_derivative_of_another_function_is_not_taken(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(TWO)
    verdict = verify(f"{file}:cross_entropy_cost", "softmax_with_loss")
    assert verdict.outcome == "right" and "gradients" in verdict.not_checked, str(verdict)


def test_derivates_and_a_softmax_that_takes_labels(tmp_path):
    assert {*outcomes(tmp_path, DERIVATES.format(sign="")).values()} <= {"right", "right_but"}
    assert {*outcomes(tmp_path, DERIVATES.format(sign="-")).values()} == {"wrong"}


BY_WORDS = """
import numpy as np

class CategoricalCrossEntropy:
    def compute(self, y, y_hat):
        return -np.sum(y * np.log(y_hat)) / len(y)

    def derivative(self, y, y_hat):
        return -y / y_hat / len(y)

def cross_entropy(y_hat, y):
    return -np.sum(y * np.log(y_hat)) / len(y)

def derivate_cross_entropy(y_hat, y):
    return -y / y_hat / len(y)
"""


def test_a_loss_by_its_words_and_a_derivate_are_found(tmp_path):
    found = outcomes(tmp_path, BY_WORDS)
    assert found == dict.fromkeys(
        ("CategoricalCrossEntropy", "cross_entropy", "derivate_cross_entropy"), "right"
    )


BOOKISH = """
import numpy as np

class SoftmaxWithLoss:
    def forward(self, x, t):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y, self.t = e / e.sum(axis=1, keepdims=True), t
        if self.t.size == self.y.size:
            self.t = self.t.argmax(axis=1)
        return -np.sum(np.log(self.y[np.arange(len(x)), self.t] + {small})) / len(x)

    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(dx)), self.t] -= 1
        return {sign}dx / len(dx)
"""


@pytest.mark.parametrize("small", ["1e-7", "1e-8"])
def test_a_small_constant_and_rows_of_one_class_are_no_bugs(tmp_path, small):
    file = tmp_path / "mine.py"
    file.write_text(BOOKISH.format(small=small, sign=""))
    verdict = verify(f"{file}:SoftmaxWithLoss", "softmax_with_loss")
    assert verdict.outcome == "right_but", str(verdict)
    assert any(text.startswith("the loss is -log(y + 1e-0") for text in verdict.buts)
    file.write_text(BOOKISH.format(small=small, sign="-"))
    assert outcomes(tmp_path, BOOKISH.format(small=small, sign="-")) == {"SoftmaxWithLoss": "wrong"}


@pytest.mark.parametrize("axis", [1, -1])
def test_one_hot_labels_whose_argmax_is_taken_are_labels_that_it_takes(tmp_path, axis):
    source = BOOKISH.format(small="1e-8", sign="")
    assert outcomes(tmp_path, source.replace("axis=1)", f"axis={axis})")) == {"SoftmaxWithLoss": "right_but"}
    wrong = source.replace("self.t.argmax(axis=1)", "self.t.argmax(axis=0)")
    assert outcomes(tmp_path, wrong) == {"SoftmaxWithLoss": "wrong"}
