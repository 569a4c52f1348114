"""Networks that state no loss: all their gradients have to follow from one gradient of their outputs."""

import pytest

from parity.verification.whole import verify_all

STEPS = """
import numpy as np

class NeuralNetwork:
    def __init__(self):
        self.inputs, self.hidden = 2, 3
        self.W1 = np.random.randn(self.inputs, self.hidden)
        self.W2 = np.random.randn(self.hidden, 1)

    def forward(self, X):
        self.h = 1 / (1 + np.exp(-X @ self.W1))
        return 1 / (1 + np.exp(-self.h @ self.W2))

    def backward(self, X, y, o):
        delta = (y - o) * o * (1 - o)
        hidden = delta @ self.W2.T * self.h * (1 - self.h)
        self.W1 += X.T @ hidden
        self.W2 += self.h.T @ delta
"""
PER_ROW = """
import numpy as np

def s(z):
    return 1 / (1 + np.exp(-z))

class Network:
    def __init__(self, sizes):
        self.biases = [np.random.randn(y, 1) for y in sizes[1:]]
        self.weights = [np.random.randn(y, x) for x, y in zip(sizes, sizes[1:])]

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights):
            a = s(w @ a + b)
        return a

    def update_mini_batch(self, mini_batch, eta):
        for x, y in mini_batch:
            nabla_b, nabla_w = self.backprop(x, y)
            self.weights = [w - eta * nw for w, nw in zip(self.weights, nabla_w)]

    def backprop(self, x, y):
        nabla_b, nabla_w = [0, 0], [0, 0]
        h = s(self.weights[0] @ x + self.biases[0])
        o = s(self.weights[1] @ h + self.biases[1])
        delta = (o - y) * o * (1 - o)
        nabla_b[1], nabla_w[1] = delta, delta @ h.T
        delta = self.weights[1].T @ delta * h * (1 - h)
        nabla_b[0], nabla_w[0] = delta, delta @ x.T
        return nabla_b, nabla_w
"""
BUILT_WITH_DATA = """
import numpy as np

class NeuralNetwork:
    def __init__(self, x, y):
        self.input, self.y = x, y
        self.weights1, self.weights2 = np.random.rand(x.shape[1], 4), np.random.rand(4, 1)
        self.output = np.zeros(y.shape)

    def feedforward(self):
        self.layer1 = np.tanh(self.input @ self.weights1)
        self.output = np.tanh(self.layer1 @ self.weights2)

    def backprop(self):
        d = 2 * (self.y - self.output) * (1 - self.output**2)
        self.weights1 += self.input.T @ (d @ self.weights2.T * (1 - self.layer1**2))
        self.weights2 += self.layer1.T @ d
"""
ONE_LAYER = """
import numpy as np

class Perceptron:
    def __init__(self):
        self.w = np.random.randn(2, 1)

    def forward(self, X):
        return np.tanh(X @ self.w)

    def train(self, X, y):
        o = self.forward(X)
        self.w += X.T @ ((y - o) * (1 - o**2))
"""
EVERY = {"steps": STEPS, "per row": PER_ROW, "built with data": BUILT_WITH_DATA}


@pytest.fixture
def verdict_of(tmp_path):
    def found(text):
        path = tmp_path / "net.py"
        path.write_text(text)
        (one,) = (one for one in verify_all(path).verdicts if one.kind == "network")
        return one

    return found


@pytest.mark.parametrize("text", EVERY.values(), ids=EVERY)
def test_gradients_that_follow_from_one_of_the_outputs(verdict_of, text):
    found = verdict_of(text)
    assert found.outcome == "right"
    assert (
        "all its gradients follow from one gradient of its outputs by the chain rule; not" in found.headline
    )
    assert "its loss, which it does not state" in found.not_checked


@pytest.mark.parametrize(
    ("text", "right", "wrong", "says"),
    [
        (STEPS, "self.h * (1 - self.h)", "(1 - self.h)", "wrong: W1, W2"),
        (STEPS, "+= ", "-= ", "its steps take the outputs away from the labels"),
        (PER_ROW, "@ delta * h * (1 - h)", "@ delta * h", "wrong: "),
        (PER_ROW, "nabla_b[0], nabla_w[0] = delta", "nabla_b[0], nabla_w[0] = 2 * delta", "wrong: biases[0]"),
        (BUILT_WITH_DATA, "(1 - self.layer1**2)", "(1 - self.layer1)", "wrong: weights1"),
    ],
    ids=["derivative", "sign", "sigmoid", "twice", "tanh"],
)
def test_gradients_that_do_not(verdict_of, text, right, wrong, says):
    assert right in text
    found = verdict_of(text.replace(right, wrong))
    assert found.outcome == "wrong" and says in found.culprit.sentence


def test_one_that_is_called_with_one_row_by_somebody_else_says_what_several_make_of_it(verdict_of):
    alone = PER_ROW.replace("for x, y in mini_batch:", "if mini_batch:").replace(
        "self.backprop(x, y)\n            self", "mini_batch\n            self"
    )
    found = verdict_of(alone)
    assert found.outcome == "right_but"
    assert "one row at a time: of several biases[0] then has a gradient of shape (5, 7)" in found.headline


def test_too_few_weights_say_nothing(verdict_of):
    found = verdict_of(ONE_LAYER.replace("randn(2, 1)", "randn(1, 1)"))
    assert found.outcome == "not_checked" and "has too few weights" in found.headline
