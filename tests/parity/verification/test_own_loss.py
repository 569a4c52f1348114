"""Networks without a twin: their gradients are held to the loss that they compute themselves."""

import textwrap

import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify
from parity.verification.whole import verify_all

BOOK = """
import numpy as np

class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, weight_init_std=0.01):
        self.params = {
            "W1": weight_init_std * np.random.randn(input_size, hidden_size), "b1": np.zeros(hidden_size),
            "W2": weight_init_std * np.random.randn(hidden_size, output_size), "b2": np.zeros(output_size),
        }

    def predict(self, x):
        p = self.params
        self.h = np.tanh(x @ p["W1"] + p["b1"])
        e = np.exp(self.h @ p["W2"] + p["b2"])
        return e / e.sum(axis=1, keepdims=True)

    def loss(self, x, t):
        return -np.sum(t * np.log(self.predict(x))) / len(x)

    def gradient(self, x, t):
        d = (self.predict(x) - t) / len(x)
        grads = {"W2": self.h.T @ d, "b2": d.sum(axis=0)}
        d = d @ self.params["W2"].T * (1 - self.h**2)
        grads["W1"] = x.T @ d
        grads["b1"] = d.sum(axis=0)
        return grads
"""
BOTH = """
import numpy as np

class TwoLayerNet(object):
    def __init__(self, input_size, hidden_size, output_size, std=1e-3):
        self.params = {}
        self.params["W1"] = std * np.random.randn(input_size, hidden_size)
        self.params["W2"] = std * np.random.randn(hidden_size, output_size)

    def loss(self, X, y=None, reg=0.0):
        W1, W2 = self.params["W1"], self.params["W2"]
        h = np.maximum(0, X @ W1)
        s = h @ W2
        if y is None:
            return s
        p = np.exp(s - s.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(len(X)), y]).mean() + reg * (np.sum(W1**2) + np.sum(W2**2))
        p[np.arange(len(X)), y] -= 1
        p /= len(X)
        grads = {"W2": h.T @ p + 2 * reg * W2}
        grads["W1"] = X.T @ (p @ W2.T * (h > 0)) + 2 * reg * W1
        return loss, grads
"""
STEPS = """
import numpy as np

def bce(t, p):
    return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))

class NeuralNetwork:
    def __init__(self, layer_sizes, learning_rate=0.1):
        pairs = list(zip(layer_sizes, layer_sizes[1:]))
        self.weights = [np.random.randn(a, b) for a, b in pairs]
        self.biases = [np.zeros((1, b)) for _, b in pairs]
        self.learning_rate = learning_rate

    def forward(self, X):
        self.activations = [X]
        for W, b in zip(self.weights, self.biases):
            X = 1 / (1 + np.exp(-(X @ W + b)))
            self.activations.append(X)
        return X

    def compute_loss(self, y_true, y_pred):
        return bce(y_true, y_pred)

    def backward(self, y):
        d = (self.activations[-1] - y) / y.size
        for i in reversed(range(len(self.weights))):
            a = self.activations[i]
            dW, db = a.T @ d, d.sum(axis=0, keepdims=True)
            d = d @ self.weights[i].T * a * (1 - a)
            self.weights[i] -= self.learning_rate * dW
            self.biases[i] -= self.learning_rate * db
"""
COLUMNS = """
import numpy as np

class Network:
    def __init__(self, n_x, n_h, n_y):
        self.W1, self.b1 = np.random.randn(n_h, n_x), np.zeros((n_h, 1))
        self.W2, self.b2 = np.random.randn(n_y, n_h), np.zeros((n_y, 1))

    def forward(self, X):
        A1 = np.tanh(self.W1 @ X + self.b1)
        A2 = 1 / (1 + np.exp(-self.W2 @ A1 - self.b2))
        return A2, {"A1": A1, "A2": A2}

    def cost(self, A2, Y):
        return np.sum((A2 - Y) ** 2) / (2 * Y.shape[1])

    def backward(self, cache, X, Y):
        m, A1, A2 = X.shape[1], cache["A1"], cache["A2"]
        dZ2 = (A2 - Y) * A2 * (1 - A2)
        dZ1 = self.W2.T @ dZ2 * (1 - A1**2)
        dW2, db2 = dZ2 @ A1.T / m, dZ2.sum(axis=1, keepdims=True) / m
        dW1, db1 = dZ1 @ X.T / m, dZ1.sum(axis=1, keepdims=True) / m
        return dW1, db1, dW2, db2
"""
EVERY = {"book": BOOK, "both": BOTH, "steps": STEPS, "columns": COLUMNS}
OWN = "right on what was checked: its gradients are those of its own loss; not checked: outputs (no twin)"


@pytest.fixture
def network(tmp_path):
    def written(text, name="net.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return written


def verdict_of(path):
    (found,) = (one for one in verify_all(path).verdicts if one.kind == "network")
    return found


@pytest.mark.parametrize("text", EVERY.values(), ids=EVERY)
def test_gradients_that_are_those_of_its_own_loss(network, text):
    found = verdict_of(network(text))
    assert (found.kind, found.outcome, found.headline) == ("network", "right", OWN)


@pytest.mark.parametrize(
    ("text", "right", "wrong", "says"),
    [
        (
            BOOK,
            "= d.sum(axis=0)\n        return",
            "= d.mean(axis=0)\n        return",
            "b1 is 1 / 7 times (7 is",
        ),
        (BOOK, "(1 - self.h**2)", "(1 - self.h)", "wrong: W1, b1; right: W2, b2"),
        (BOOK, "- t) / len(x)", "- t)", "all are 7 times (7 is the number of rows) those of its loss"),
        (BOTH, "(h > 0)) + 2 * reg * W1", "(h > 0))", "W1 is that of its loss minus 0.25 times the weights"),
        (BOTH, "h.T @ p + 2", "-h.T @ p + 2", "wrong: W2; right: W1"),
        (
            STEPS,
            "-= self.learning_rate * db",
            "+= self.learning_rate * db",
            "b[0] is -1 times that of its loss",
        ),
        (STEPS, "* a * (1 - a)", "* (1 - a)", "wrong: W[0]"),
        (
            COLUMNS,
            "dZ1.sum(axis=1, keepdims=True) / m",
            "dZ1.sum(axis=1) / m",
            "b1 is shape (5,), expected (5, 1)",
        ),
    ],
    ids=["mean", "derivative", "batch", "decay", "sign", "step", "sigmoid", "shape"],
)
def test_gradients_that_are_not(network, text, right, wrong, says):
    assert right in text
    found = verdict_of(network(text.replace(right, wrong)))
    assert found.outcome == "wrong" and says.replace("b[0]", "biases[0]").replace(
        "W[0]", "weights[0]"
    ) in str(found)


def test_the_line_of_the_gradient_and_both_numbers_are_shown(network):
    path = network(BOOK.replace('["b1"] = d.sum', '["b1"] = d.mean'))
    text = str(verdict_of(path))
    line = 1 + next(i for i, one in enumerate(path.read_text().splitlines()) if "d.mean" in one)
    assert f"(net.py, line {line})" in text and "\nours         " in text and "\ndifferences  " in text
    assert "PyTorch" not in text.partition("where ")[0]


def test_a_loss_that_is_only_reported_may_differ_by_a_factor(network):
    found = verdict_of(network(STEPS.replace("/ y.size", "/ len(y)")))
    assert found.outcome == "right_but"
    assert "all its gradients are 3 times (3 is the number of outputs) those of the loss" in found.headline


def test_the_loss_that_it_reports_is_another_one(network):
    found = verdict_of(
        network(STEPS.replace("return bce(y_true, y_pred)", "return np.mean((y_true - y_pred) ** 2)"))
    )
    assert found.outcome == "wrong" and "not those of its own loss" in str(found)


def test_a_rate_that_stands_in_its_code_is_no_factor(network):
    own = STEPS.replace("layer_sizes, learning_rate=0.1", "layer_sizes")
    own = own.replace("self.learning_rate = learning_rate", "pass").replace("self.learning_rate *", "0.05 *")
    found = verdict_of(network(own))
    assert found.outcome == "right" and "its steps have a rate of their own, 0.05" in found.remarks


def test_gradients_that_are_clipped_are_those_of_no_loss(network):
    clipped = STEPS.replace(
        "            d = d @", "            dW = np.clip(dW, -0.01, 0.01)\n            d = d @"
    )
    found = verdict_of(network(clipped))
    assert found.outcome == "not_checked" and "it clips its gradients" in found.headline


def test_what_can_only_raise_is_wrong_with_its_line(network):
    found = verdict_of(network(BOOK.replace("grads = {", "q = undefined\n        grads = {")))
    assert found.outcome == "wrong" and "gradient(x, t) raised NameError" in found.always


def test_a_small_constant_in_the_logarithm_is_said(network):
    found = verdict_of(network(BOOK.replace("np.log(self.predict(x))", "np.log(self.predict(x) + 1e-7)")))
    assert found.outcome == "right_but" and "small constants stand in its source (1e-07)" in found.headline


def test_what_drops_at_random_drops_the_same(network):
    drops = (
        BOOK.replace('self.params["W2"].T * (1', 'self.params["W2"].T * self.mask * (1')
        .replace(
            "e = np.exp(self.h",
            "self.mask = (np.random.rand(*self.h.shape) > 0.3) / 0.7\n        e = np.exp(self.mask * self.h",
        )
        .replace('"W2": self.h.T', '"W2": (self.mask * self.h).T')
    )
    assert verdict_of(network(drops)).outcome == "right"


def test_one_that_cannot_be_called_says_what_was_tried(network):
    found = verify(f"{network(BOOK.replace('input_size', 'q'))}:TwoLayerNet", "network")
    assert found.outcome == "not_checked" and "it is built with q, whose names say nothing" in found.headline
    assert "--twin file.py:Class" in found.headline


def test_a_name_is_enough_and_json_has_it(network, parity):
    path = network(COLUMNS)
    status, out, _ = parity("verify", f"{path}:Network", "--json")
    assert status == 0 and '"outcome": "right"' in out and '"judge": "own loss"' in out
    status, out, _ = parity("verify", f"{path}:Network", "--called")
    assert status == 0 and out.startswith("# called as Network(n_x=4, n_h=5, n_y=3); x (4, 7) (columns)")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "class Net:\n    def add(self): pass\n    def forward(self): pass\n    def fit(self): pass\n",
            "",
        ),
        ("class Trainer:\n    def loss(self): pass\n    def train(self): pass\n", ""),
        ("class MLP:\n    def forward(self, x): pass\n    def backward(self, y): pass\n", "network"),
        (
            "class SoftmaxRegression:\n    def loss(self, x, y): pass\n    def fit(self, x, y): pass\n",
            "network",
        ),
    ],
    ids=["container", "trainer", "MLP", "regression"],
)
def test_which_classes_are_networks(network, text, kind):
    (found,) = listed(network(text))
    assert found.kind == kind
