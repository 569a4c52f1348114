"""A derivative of a short name beside a function of the long one, and the other way round."""

import pytest

from parity.adapters.short_names import in_full
from parity.adapters.signatures import is_backward_of
from parity.verification.listing import listed
from parity.verification.verify import verify

PAIRS = [
    ("bce_prime", "binary_cross_entropy", True),
    ("BCE_Prime", "binary_crossentropy", True),
    ("cce_prime", "categorical_cross_entropy", True),
    ("cce_prime", "sparse_categorical_cross_entropy", False),
    ("d_mae", "mean_absolute_error", True),
    ("mean_squared_error_derivative", "mse", True),
    ("mse_grad", "mean_square_error", True),
    ("bce_prime", "categorical_cross_entropy", False),
    ("mse_prime", "mean_absolute_error", False),
    ("sig_prime", "sigmoid", True),
    ("bce", "binary_cross_entropy", False),
    ("sigmoid_p", "sigmoid", True),
    ("prelu", "relu", False),
]
SOURCE = """
import numpy as np

def binary_cross_entropy(y_true, y_pred):
    return np.mean(-y_true * np.log(y_pred) - (1 - y_true) * np.log(1 - y_pred))

def bce_prime(y_true, y_pred):
    return ((1 - y_true) / (1 - y_pred) - y_true / y_pred) / np.size(y_true)

def categorical_cross_entropy(y_true, y_pred):
    return -np.sum(y_true * np.log(y_pred)) / len(y_true)

def cce_prime(y_true, y_pred):
    return -y_true / y_pred / len(y_true)
"""
WRONG = SOURCE.replace(" / np.size(y_true)\n", "\n").replace(
    "    return -y_true / y_pred /", "    return y_true / y_pred /"
)


@pytest.mark.parametrize(("name", "first", "belongs"), PAIRS)
def test_pairs(name, first, belongs):
    assert is_backward_of(name, first, [first]) == belongs


def test_it_is_that_of_its_own_function_where_there_is_one():
    there = ["binary_cross_entropy", "bce"]
    assert is_backward_of("bce_prime", "bce", there)
    assert not is_backward_of("bce_prime", "binary_cross_entropy", there)


def test_in_full():
    assert in_full(["mse", "loss"]) == ["mean", "squared", "error", "loss"]


@pytest.mark.parametrize("name", ["binary_cross_entropy", "categorical_cross_entropy"])
def test_verdicts(name, tmp_path):
    kind = {"b": "binary_cross_entropy", "c": "softmax_with_loss"}[name[0]]
    for text, outcome in ((SOURCE, "right"), (WRONG, "wrong")):
        path = tmp_path / f"{outcome}.py"
        path.write_text(text)
        assert [one.name for one in listed(path)] == ["binary_cross_entropy", "categorical_cross_entropy"]
        verdict = verify(f"{path}:{name}", kind, isolated=False)
        assert verdict.outcome == outcome, verdict
        assert "_prime(y_true, y_pred)" in verdict.called


def test_another_function_is_no_derivative(tmp_path):
    path = tmp_path / "activations.py"
    path.write_text(
        "import numpy as np\n\nclass Activations:\n"
        "    @staticmethod\n    def relu(x):\n        return np.maximum(0, x)\n\n"
        "    @staticmethod\n    def relu_derivative(x):\n        return (x > 0).astype(x.dtype)\n\n"
        "    @staticmethod\n    def prelu(x, alpha=0.01):\n        return np.where(x > 0, x, alpha * x)\n"
    )
    verdict = verify(f"{path}:Activations.relu", "relu", isolated=False)
    assert verdict.outcome == "right" and "relu_derivative(x)" in verdict.called, str(verdict)


@pytest.mark.parametrize(
    "first", ["batchnorm_forward_pass", "batchnorm_forward_propagation", "batchnorm_fprop"]
)
def test_a_backward_belongs_to_a_forward_in_another_style(first):
    there = [first, "conv_backward", "batchnorm_backward"]
    assert is_backward_of("batchnorm_backward", first, there)
    assert not is_backward_of("conv_backward", first, there)
