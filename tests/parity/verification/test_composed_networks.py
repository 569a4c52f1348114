"""Networks that make their own layers: pictures, layers by sizes, gradients that are handed to them."""

import ast

import pytest

from parity.adapters.composed_sources import is_composed
from parity.verification.listing import listed
from parity.verification.verify import verify

PICTURES = """
import numpy as np

class Conv:
    def __init__(self, n):
        self.filters = np.random.randn(n, 3, 3).astype(np.float32) / 9

    def forward(self, x):
        h, w = x.shape
        self.x, out = x, np.zeros((h - 2, w - 2, len(self.filters)), np.float32)
        for i in range(h - 2):
            for j in range(w - 2):
                out[i, j] = (x[i : i + 3, j : j + 3] * self.filters).sum(axis=(1, 2))
        return out

    def backprop(self, d, lr):
        grad = np.zeros(self.filters.shape)
        for i in range(d.shape[0]):
            for j in range(d.shape[1]):
                grad += d[i, j][:, None, None] * self.x[i : i + 3, j : j + 3]
        self.filters -= lr * grad

class Halves:
    def forward(self, x):
        self.x = x
        h, w, c = x.shape
        return x.reshape(h // 2, 2, w // 2, 2, c).max(axis=(1, 3))

    def backprop(self, d):
        up = self.forward(self.x).repeat(2, 0).repeat(2, 1)
        return d.repeat(2, 0).repeat(2, 1) * (self.x == up)

class Head:
    def __init__(self, n, classes):
        self.weights, self.biases = np.random.randn(n, classes) / n, np.zeros(classes)

    def forward(self, x):
        self.shape, self.x = x.shape, x.flatten()
        e = np.exp(self.x @ self.weights + self.biases)
        self.out = e / e.sum()
        return self.out

    def backprop(self, d, lr):
        d = self.out * (d - (d * self.out).sum())
        dx = (self.weights @ d).reshape(self.shape)
        self.weights -= lr * np.outer(self.x, d)
        self.biases -= lr * d
        return dx

class Reader:
    def __init__(self):
        self.conv, self.halves, self.output = Conv(2), Halves(), Head(3 * 3 * 2, 4)

    def forward(self, image, label):
        out = self.conv.forward(image / 255 - 0.5)
        out = self.output.forward(self.halves.forward(out))
        return out, -np.log(out[label]), int(np.argmax(out) == label)

    def train(self, im, label, lr=0.005):
        out, loss, right = self.forward(im, label)
        d = np.zeros(4)
        d[label] = -1 / out[label]
        self.conv.backprop(self.halves.backprop(self.output.backprop(d, lr)), lr)
        return loss, right
"""
DENSE = """
import numpy as np

class Full:
    def __init__(self, inputs, outputs):
        self.W, self.b = np.random.randn(inputs, outputs), np.zeros(outputs)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, d):
        self.dW, self.db = self.x.T @ d, d.sum(axis=0)
        return d @ self.W.T

class Bend:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, d):
        return d * (1 - self.y**2)

class Both:
    def __init__(self):
        self.hidden, self.bend, self.out = Full(4, 5), Bend(), Full(5, 3)

    def forward(self, x):
        return self.out.forward(self.bend.forward(self.hidden.forward(x)))

    def backward(self, grad):
        return self.hidden.backward(self.bend.backward(self.out.backward(grad)))

class Ending:
    def __init__(self):
        self.hidden, self.bend, self.out = Full(4, 5), Bend(), Full(5, 3)

    def forward(self, x):
        e = np.exp(self.out.forward(self.bend.forward(self.hidden.forward(x))))
        return e / e.sum(axis=1, keepdims=True)

    def backward(self, grad):
        return self.hidden.backward(self.bend.backward(self.out.backward(grad)))

class Told:
    def __init__(self):
        self.layers = []

    def add_layer(self, n_in, n_out):
        self.layers += [Full(n_in, n_out), Bend()]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad):
        for layer in self.layers[::-1]:
            grad = layer.backward(grad)
"""


def network(tmp_path, name, text):
    (tmp_path / "own.py").write_text(text)
    return verify(f"{tmp_path / 'own.py'}:{name}", "network")


def test_a_network_of_its_own_convolution_takes_pictures_and_is_run_in_float64(tmp_path):
    verdict = network(tmp_path, "Reader", PICTURES)
    assert verdict.outcome == "right", str(verdict)
    assert "x (8, 8) (one picture), labels () (number of a class)" in verdict.called
    assert list(verdict.not_checked) == ["outputs (no twin)"]
    assert {row.tensor for row in verdict.records} == {"conv.filters", "output.weights", "output.biases"}


def test_a_wrong_gradient_is_the_networks_and_the_layer_it_comes_through_is_named(tmp_path):
    verdict = network(tmp_path, "Reader", PICTURES.replace("* (self.x == up)", "* (self.x != up)"))
    assert verdict.outcome == "wrong", str(verdict)
    assert "wrong: conv.filters; right: output.weights, output.biases" in verdict.culprit.sentence
    assert "through Halves, whose backward is not that of its forward" in verdict.culprit.sentence


@pytest.mark.parametrize(
    ("name", "words"), [("Both", "Both()"), ("Told", "Told(), add_layer(4, 5), add_layer(5, 3)")]
)
def test_a_network_may_be_handed_a_gradient_of_its_outputs(tmp_path, name, words):
    verdict = network(tmp_path, name, DENSE)
    assert verdict.outcome == "right" and verdict.called.startswith(f"called as {words}; "), str(verdict)
    assert len({row.tensor for row in verdict.records}) == 4
    verdict = network(tmp_path, name, DENSE.replace("1 - self.y**2", "1 - self.y"))
    assert verdict.outcome == "wrong", str(verdict)
    assert verdict.culprit.sentence.endswith("through Bend, whose backward is not that of its forward")


def test_of_a_gradient_that_is_none_of_its_outputs_nothing_is_said(tmp_path):
    verdict = network(tmp_path, "Ending", DENSE)
    assert verdict.outcome == "not_checked" and "goes to another layer" in verdict.unchecked, str(verdict)


def test_networks_of_own_layers_are_listed_and_what_is_built_of_sizes_is_no_container(tmp_path):
    (tmp_path / "own.py").write_text(PICTURES + DENSE)
    kinds = {one.name: one.kind for one in listed(tmp_path / "own.py")}
    assert [name for name, kind in kinds.items() if kind == "network"] == ["Reader", "Both", "Ending", "Told"]
    classes = {node.name: node for node in ast.parse(DENSE).body if isinstance(node, ast.ClassDef)}
    assert not is_composed(classes["Full"], classes) and is_composed(classes["Told"], classes)


TRAINS = (
    DENSE.partition("class Both:")[0]
    + """
class Trained:
    def __init__(self):
        self.first, self.bend, self.last = Full(4, 5), Bend(), Full(5, 3)

    def train(self, epoch, batch_size, learning_rate, training_input, training_output):
        value = training_input
        for layer in (self.first, self.bend, self.last):
            value = layer.forward(value)
        d = self.last.backward((value - training_output) * 2)
        self.first.backward(self.bend.backward(d))
        for layer in (self.first, self.last):
            layer.W -= learning_rate * layer.dW
            layer.b -= learning_rate * layer.db
"""
)


def test_a_network_without_a_method_for_its_outputs_has_those_of_its_layers_in_a_row(tmp_path):
    verdict = network(tmp_path, "Trained", TRAINS)
    assert verdict.outcome == "right" and "outputs by its layers one after another" in verdict.called, str(
        verdict
    )
    verdict = network(tmp_path, "Trained", TRAINS.replace("d.sum(axis=0)", "d.sum()"))
    assert verdict.outcome == "wrong" and "wrong: first.b, last.b" in verdict.culprit.sentence, str(verdict)
    doubled = TRAINS.replace("value = layer.forward(value)", "value = layer.forward(value) * 2")
    verdict = network(tmp_path, "Trained", doubled)
    assert verdict.outcome == "not_checked" and "more than to call its layers" in verdict.unchecked, str(
        verdict
    )


def test_the_labels_of_a_cost_are_what_it_does_not_hand_to_its_forward(tmp_path):
    text = """
import numpy as np

class Network:
    def __init__(self):
        self.w1, self.w2 = np.random.rand(4, 5), np.random.rand(5, 3)

    def forward(self, s):
        self.a = np.tanh(s @ self.w1)
        return self.a @ self.w2

    def costFunction(self, s, m):
        return 0.5 * np.sum((m - self.forward(s)) ** 2)

    def costFunctionPrime(self, s, m):
        d = self.forward(s) - m
        return s.T @ (d @ self.w2.T * (1 - self.a**2)), self.a.T @ d
"""
    verdict = network(tmp_path, "Network", text)
    assert verdict.outcome == "right" and "loss by costFunction(s, m)" in verdict.called, str(verdict)
    verdict = network(tmp_path, "Network", text.replace("1 - self.a**2", "1 - self.a"))
    assert verdict.outcome == "wrong" and "wrong: w1; right: w2" in verdict.culprit.sentence, str(verdict)
