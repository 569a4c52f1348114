"""Networks without arrays: of lists of plain numbers, and of the nodes of an autograd engine."""

import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify

LISTS = """
import math, random

class Neuron:
    def __init__(self, inputs):
        self.weights = [random.uniform(-1, 1) for _ in range(inputs)]
        self.bias = random.uniform(-1, 1)

    def output_of(self, x):
        z = sum(w * v for w, v in zip(self.weights, x)) + self.bias
        self.out = 1 / (1 + math.exp(-z))
        return self.out


class NeuralNetwork:
    def __init__(self, layer_sizes):
        self.layers = [[Neuron(a) for _ in range(b)] for a, b in zip(layer_sizes, layer_sizes[1:])]

    def forward(self, x):
        for layer in self.layers:
            x = [neuron.output_of(x) for neuron in layer]
        return x

    def backward(self, expected):
        for neuron, t in zip(self.layers[-1], expected):
            neuron.delta = (t - neuron.out) * neuron.out * (1 - neuron.out)
        for layer, after in zip(self.layers[-2::-1], self.layers[:0:-1]):
            for j, neuron in enumerate(layer):
                error = sum(one.weights[j] * one.delta for one in after)
                neuron.delta = error * neuron.out * (1 - neuron.out)

    def update_weights(self, x, learning_rate):
        for layer in self.layers:
            for neuron in layer:
                for j, v in enumerate(x):
                    neuron.weights[j] += learning_rate * neuron.delta * v
                neuron.bias += learning_rate * neuron.delta
            x = [neuron.out for neuron in layer]
"""
LAST = """
from math import exp
from random import random

class MLP:
    def __init__(self, n_inputs, n_hidden, n_outputs, l_rate):
        self.network = [
            [{"weights": [random() for _ in range(n_inputs + 1)]} for _ in range(n_hidden)],
            [{"weights": [random() for _ in range(n_hidden + 1)]} for _ in range(n_outputs)],
        ]
        self.l_rate = l_rate

    def forward_propagate(self, row):
        for layer in self.network:
            for neuron in layer:
                w = neuron["weights"]
                neuron["output"] = 1 / (1 + exp(-w[-1] - sum(w[i] * row[i] for i in range(len(w) - 1))))
            row = [neuron["output"] for neuron in layer]
        return row

    def backward_propagate_error(self, expected):
        for j, neuron in enumerate(self.network[1]):
            neuron["delta"] = (expected[j] - neuron["output"]) * neuron["output"] * (1 - neuron["output"])
        for j, neuron in enumerate(self.network[0]):
            error = sum(one["weights"][j] * one["delta"] for one in self.network[1])
            neuron["delta"] = error * neuron["output"] * (1 - neuron["output"])

    def update_weights(self, row):
        inputs = row[:-1]
        for layer in self.network:
            for neuron in layer:
                for j in range(len(inputs)):
                    neuron["weights"][j] += self.l_rate * neuron["delta"] * inputs[j]
                neuron["weights"][-1] += self.l_rate * neuron["delta"]
            inputs = [neuron["output"] for neuron in layer]
"""
NODES = """
import math, random

class Value:
    def __init__(self, data, pairs=()):
        self.data, self.grad, self.pairs = data, 0.0, pairs

    def __add__(self, other):
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, ((self, 1 - t * t),))

    def backward(self, grad=1.0):
        self.grad += grad
        for node, slope in self.pairs:
            node.backward(grad * slope)


class Neuron:
    def __init__(self, nin):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0.0)

    def __call__(self, x):
        return sum((w * v for w, v in zip(self.w, x)), self.b).tanh()


class MLP:
    def __init__(self, nin, nouts):
        sizes = [nin, *nouts]
        self.layers = [[Neuron(a) for _ in range(b)] for a, b in zip(sizes, sizes[1:])]

    def __call__(self, x):
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x
"""


def verdict(tmp_path, text):
    path = tmp_path / "net.py"
    path.write_text(text)
    (name,) = [one.name for one in listed(path) if one.kind == "network"]
    return verify(f"{path}:{name}", "network", isolated=False)


@pytest.mark.parametrize("text", [LISTS, LAST], ids=["lists", "class last"])
def test_the_gradients_of_lists_follow_from_one_of_the_outputs(tmp_path, text):
    found = verdict(tmp_path, text)
    assert found.outcome == "right" and not any("not found" in one for one in found.not_checked), str(found)
    assert "a list" in found.called and "update_weights(" in found.called


@pytest.mark.parametrize(
    ("text", "right", "wrong", "says"),
    [
        (LISTS, "one.weights[j] * one.delta", "one.weights[0] * one.delta", "layers[0]"),
        (LISTS, "error * neuron.out * (1 - neuron.out)", "error * neuron.out", "layers[0]"),
        (LISTS, "(t - neuron.out) *", "(neuron.out - t) *", "away from the labels"),
        (LAST, 'one["weights"][j] * one["delta"]', 'one["delta"]', "network[0]"),
    ],
)
def test_gradients_of_lists_that_do_not(tmp_path, text, right, wrong, says):
    assert right in text
    found = verdict(tmp_path, text.replace(right, wrong))
    assert found.outcome == "wrong" and says in str(found), str(found)


def test_a_network_of_nodes_is_held_to_its_outputs(tmp_path):
    found = verdict(tmp_path, NODES)
    assert found.outcome == "right", str(found)
    assert "what backward() leaves in its nodes" in found.called and "of its outputs" in found.headline


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("1 - t * t", "1 - t"),
        ("self.grad += grad", "self.grad = grad"),
        ("(other, self.data))", "(other, other.data))"),
    ],
)
def test_one_of_nodes_with_a_wrong_backward_is_wrong(tmp_path, right, wrong):
    assert right in NODES
    assert verdict(tmp_path, NODES.replace(right, wrong)).outcome == "wrong"
