"""Networks of one layer that state no loss: their gradients are those of a known one, or nothing is said."""

import textwrap

import pytest

from parity.adapters.network_words import meanings_of_call
from parity.verification.verify import verify

NEURON = """
import numpy as np

class NeuralNetwork:
    def __init__(self):
        self.synaptic_weights = np.random.random((3, 1))

    def sigmoid(self, x):
        return 1 / (1 + np.exp(-x))

    def think(self, inputs):
        return self.sigmoid(np.dot(inputs, self.synaptic_weights))

    def train(self, training_inputs, training_outputs, training_iterations):
        for _ in range(training_iterations):
            out = self.think(training_inputs)
            error = training_outputs - out
            self.synaptic_weights += np.dot(training_inputs.T, error * out * (1 - out))
"""
LINE = """
class Network:
    def __init__(self, lr=0.01):
        self.lr, self.w, self.b = lr, 0.5, 0.0

    def predict(self, x):
        return self.w * x + self.b

    def train_on_batch(self, x, y):
        s, w, b = self.predict(x), 0.0, 0.0
        for i in range(len(x)):
            w += 2 * (s[i] - y[i]) * x[i]
            b += 2 * (s[i] - y[i])
        self.w -= w / len(x) * self.lr
        self.b -= b / len(x) * self.lr
"""


def network(tmp_path, name, text):
    (tmp_path / "own.py").write_text(textwrap.dedent(text))
    return verify(f"{tmp_path / 'own.py'}:{name}", "network")


@pytest.mark.parametrize(
    ("name", "text", "loss"),
    [
        ("NeuralNetwork", NEURON, "squared error"),
        ("NeuralNetwork", NEURON.replace("error * out * (1 - out)", "error"), "cross entropy of two classes"),
        ("Network", LINE, "squared error"),
    ],
)
def test_one_layer_has_the_gradients_of_a_loss_that_is_known(tmp_path, name, text, loss):
    verdict = network(tmp_path, name, text)
    assert verdict.outcome == "right", str(verdict)
    assert verdict.remarks[-1] == f"they are those of a {loss}, up to a factor"
    assert list(verdict.not_checked) == ["its loss, which it does not state", "outputs (no twin)"]


def test_a_derivative_of_no_known_loss_has_no_verdict(tmp_path):
    verdict = network(tmp_path, "NeuralNetwork", NEURON.replace("out * (1 - out)", "(1 - out)"))
    assert verdict.outcome == "not_checked", str(verdict)
    assert "neither those of a squared error nor those of a cross entropy" in verdict.unchecked


def test_of_one_row_that_is_not_followed_by_the_chain_rule_it_is_wrong(tmp_path):
    turned = NEURON.replace("np.dot(training_inputs.T, error", "np.dot(training_inputs.T**2, error")
    verdict = network(tmp_path, "NeuralNetwork", turned)
    assert verdict.outcome == "wrong" and "wrong: synaptic_weights" in verdict.culprit.sentence, str(verdict)
    verdict = network(tmp_path, "Network", LINE.replace("b += 2", "b += 3"))
    assert verdict.outcome == "wrong", str(verdict)


def test_rows_that_do_not_add_up_are_said(tmp_path):
    text = NEURON.replace(
        "_inputs.T, error * out * (1 - out)", "_inputs[:1].T, (error * out * (1 - out))[:1]"
    )
    verdict = network(tmp_path, "NeuralNetwork", text)
    assert verdict.outcome == "right" and "several rows at once" in verdict.not_checked, str(verdict)


def test_names_of_labels_and_rounds_are_read():
    names = ["inputs_list", "answers_list", "train_desired_labels", "num_train_itr", "max_epoch", "epoches"]
    assert meanings_of_call(names) == ["x", "t", "t", "epochs", "epochs", "epochs"]
    others = ["num_inputs", "label_count", "input_size", "targeted", "n_samples", "y_pred"]
    assert not {"x", "t", "epochs"} & {*meanings_of_call(others)}
