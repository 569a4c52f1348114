"""Containers whose file has no layers: they are given some, and judged by what they do with them."""

import ast

import pytest

from parity.verification.listed_networks import is_container_of
from parity.verification.verify import verify

MODEL = """
class Model:
    def __init__(self, optimizer=None):
        self.layers = []
        self.loss = None

    def add(self, layer):
        self.layers.append(layer)

    def set_loss(self, loss):
        self.loss = loss

    def forward(self, X):
        for layer in self.layers:
            X = layer.forward(X)
        return X

    def backward(self, y_true, y_pred, learning_rate):
        grad = self.loss.gradient(y_true, y_pred)
        for layer in reversed(self.layers):
            grad = layer.backward(grad, learning_rate)

    def train(self, X, y, epochs, learning_rate):
        for epoch in range(epochs):
            y_pred = self.forward(X)
            loss = self.loss.calculate(y, y_pred)
            self.backward(y, y_pred, learning_rate)
"""
HANDED = """
class Chain:
    def __init__(self, optimizer, *layers):
        self.optimizer = optimizer
        self.layers = list(layers)

    def forward(self, x, training=True):
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def backward(self, grad):
        for layer in self.layers[::-1]:
            grad = layer.backward(grad)
        return grad

    def train_batch(self, x, grad):
        self.forward(x)
        self.backward(grad)
"""
TREES = """
class Forest:
    def __init__(self, trees):
        self.trees = trees

    def fit(self, X, y):
        for tree in self.trees:
            tree.fit(X, y)

    def predict(self, X):
        return sum(tree.predict(X) for tree in self.trees)
"""


def container(tmp_path, name, text):
    (tmp_path / "own.py").write_text(text)
    return verify(f"{tmp_path / 'own.py'}:{name}", "network")


@pytest.mark.parametrize(("name", "text"), [("Model", MODEL), ("Chain", HANDED)])
def test_a_container_without_layers_is_given_some(tmp_path, name, text):
    verdict = container(tmp_path, name, text)
    assert verdict.outcome == "right" and "[Dense(4, 5), Tanh(), Dense(5, 6)" in verdict.called, str(verdict)
    assert any(one.endswith("of its own: its file has none") for one in verdict.not_checked)
    turned = text.replace("reversed(self.layers)", "self.layers").replace("self.layers[::-1]", "self.layers")
    verdict = container(tmp_path, name, turned)
    assert verdict.outcome == "wrong" and "from the first to the last" in verdict.culprit.sentence, str(
        verdict
    )


def test_arguments_of_a_loss_that_are_exchanged_are_not_seen_and_a_turned_sign_is(tmp_path):
    exchanged = MODEL.replace("gradient(y_true, y_pred)", "gradient(y_pred, y_true)")
    assert container(tmp_path, "Model", exchanged).outcome == "right"
    turned = MODEL.replace("= self.loss.gradient", "= -self.loss.gradient")
    verdict = container(tmp_path, "Model", turned)
    assert verdict.outcome == "wrong" and "the wrong sign" in verdict.culprit.sentence, str(verdict)


def test_what_calls_no_backward_is_none():
    nodes = {one.name: one for one in ast.parse(MODEL + HANDED + TREES).body}
    assert is_container_of(nodes["Model"], {"Model": nodes["Model"]})
    assert is_container_of(nodes["Chain"], {"Chain": nodes["Chain"]})
    assert not is_container_of(nodes["Forest"], {"Forest": nodes["Forest"]})
