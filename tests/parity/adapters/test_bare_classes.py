"""Classes whose functions are written without self, some of them without a parameter; labels as factors."""

import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify

SOURCE = """import numpy as np

class Loss:
    def compute(y_true, y_pred):
        raise NotImplementedError

    def name():
        raise NotImplementedError


class CategoricalCrossEntropy(Loss):
    def compute(y_true, y_pred):
        y_true, y_pred = np.atleast_2d(y_true), np.atleast_2d(y_pred)
        return -np.mean(np.sum(y_true * np.log({inside}), axis=1))

    def derivative(y_true, y_pred):
        return {sign}y_true / y_pred / len(y_pred)

    def name():
        return "categorical cross entropy"


class GD:
    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def update(self, layer, grad_w, grad_b):
        layer.weights -= self.learning_rate * grad_w
        layer.bias -= self.learning_rate * grad_b
"""


@pytest.mark.parametrize(
    ("inside", "sign", "outcomes"),
    [
        ("y_pred", "-", ("right", "right_but")),
        ("y_pred", "", ("wrong",)),
        ("1 - y_pred", "-", ("wrong",)),
    ],
)
def test_a_loss_without_self_is_judged_on_one_hot_rows(tmp_path, inside, sign, outcomes):
    file = tmp_path / "losses.py"
    file.write_text(SOURCE.format(inside=inside, sign=sign))
    verdict = verify(f"{file}:CategoricalCrossEntropy", "softmax_with_loss")
    assert verdict.outcome in outcomes, str(verdict)
    if "wrong" not in outcomes:  # numbers of classes would be factors
        assert "labels as numbers of classes" in verdict.not_checked


def test_gd_is_plain_gradient_descent(tmp_path):
    file = tmp_path / "optimizers.py"
    file.write_text(SOURCE.format(inside="y_pred", sign="-"))
    assert {one.name: one.kind for one in listed(file)}["GD"] == "sgd"
    assert verify(f"{file}:GD", "sgd").outcome == "right"
