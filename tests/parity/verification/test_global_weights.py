"""Functions that read their weights as names of their file, and change them with `global`."""

import pytest

from parity.verification.whole import verify_all

NAMES = """
import numpy as np

W1 = np.random.randn(2, 3)
b1 = np.zeros((1, 3))
W2 = np.random.randn(3, 1)
b2 = np.zeros((1, 1))
rate = open("rate.txt").read()

def forward(X):
    Z1 = X @ W1 + b1
    A1 = np.tanh(Z1)
    A2 = 1 / (1 + np.exp(-(A1 @ W2 + b2)))
    return Z1, A1, A2

def compute_loss(y_true, y_pred):
    return -np.mean(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))

def backward(X, y, Z1, A1, A2):
    m = len(X)
    dZ2 = (A2 - y) / m
    dW2, db2 = A1.T @ dZ2, dZ2.sum(axis=0, keepdims=True)
    dZ1 = dZ2 @ W2.T * (1 - A1**2)
    dW1, db1 = X.T @ dZ1, dZ1.sum(axis=0, keepdims=True)
    return dW1, db1, dW2, db2
"""
RETURN = "    return dW1, db1, dW2, db2\n"
STEP = """    W1 -= learning_rate * dW1
    b1 -= learning_rate * db1
    W2 -= learning_rate * dW2
    b2 = b2 - learning_rate * db2
"""
STEPS = (
    NAMES.replace("Z1, A1, A2):", "Z1, A1, A2, learning_rate=0.1):")
    .replace(RETURN, STEP)
    .replace("    m = len(X)", "    global W1, b1, W2, b2\n    m = len(X)")
)
OF_FILE = STEPS.replace(", learning_rate=0.1", "").replace("rate = open", "learning_rate = 0.5\nrate = open")


def network(tmp_path, text):
    (tmp_path / "own.py").write_text(text)
    (one,) = (one for one in verify_all(tmp_path / "own.py").verdicts if one.kind == "network")
    return one


@pytest.mark.parametrize(
    "text", [NAMES, STEPS, OF_FILE], ids=["returned", "taken away", "by a rate of the file"]
)
def test_weights_that_are_names_of_the_file(tmp_path, text):
    verdict = network(tmp_path, text)
    assert verdict.name == "forward,compute_loss,backward" and verdict.outcome == "right", str(verdict)
    assert "with weights of W1 (4, 5), b1 (1, 5), W2 (5, 1), b2 (1, 1)" in verdict.called
    assert len(verdict.records) == 12
    verdict = network(tmp_path, text.replace("dZ2 @ W2.T * (1 - A1**2)", "dZ2 @ W2.T"))
    assert verdict.outcome == "wrong" and "wrong: W1, b1; right: W2, b2" in verdict.culprit.sentence, str(
        verdict
    )
