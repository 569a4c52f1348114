"""Gradients of losses that no function of the file computes: the loss is said, and only a gradient of none
is wrong."""

import numpy as np
import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify

SQUARED, SOFTMAX, BINARY = "mean_squared_error", "softmax_with_loss", "binary_cross_entropy"


def mse_prime(y_true, y_pred):
    return 2 * (y_pred - y_true) / y_true.size


def mse_grad(output, target):
    return output - target


def mae_prime(y, y_hat):
    return np.sign(y_hat - y) / len(y)


def d_cross_entropy(p, t):
    return -t / p / len(t)


def cross_entropy_derivative(y, a):
    """By their names a is the output, and it is what is divided by."""
    return -y / a


def cce_prime(y_true, y_pred):
    return (y_pred - y_true) / y_true.shape[0]


def grad_softmax_cross_entropy(logits, labels):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p


def grad_of_one_sample(logits, label):
    e = np.exp(logits - logits.max())
    p = e / e.sum()
    p[label] -= 1
    return p


def bce_prime(y_true, y_pred):
    return ((1 - y_true) / (1 - y_pred) - y_true / y_pred) / y_true.size


def sigmoid_cross_entropy_grad(z, y):
    return 1 / (1 + np.exp(-z)) - y


def mse_prime_of_the_other_sign(y_true, y_pred):
    return y_true - y_pred


def mse_prime_squared(y_true, y_pred):
    return (y_pred - y_true) ** 2


def d_cross_entropy_of_the_other_sign(p, t):
    return t / p


def grad_without_labels(logits, labels):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    labels[...] = labels
    return e / e.sum(axis=1, keepdims=True)


def mse_prime_of_the_batch(y_true, y_pred):
    return np.mean(y_pred - y_true)


def ask(factory, kind):
    return verify(factory, kind, isolated=False)


@pytest.mark.parametrize(
    ("factory", "kind", "says"),
    [
        (mse_prime, SQUARED, "the mean over all outputs"),
        (mse_grad, SQUARED, "half the sum over all outputs"),
        (mae_prime, "mean_absolute_error", "the sum divided by N"),
        (
            d_cross_entropy,
            SOFTMAX,
            "takes probabilities, with their gradient; the loss is taken to be the mean",
        ),
        (cross_entropy_derivative, SOFTMAX, "the sum over the rows"),
        (
            cce_prime,
            SOFTMAX,
            "with the gradient of the scores; the loss is taken to be the mean over the rows",
        ),
        (grad_softmax_cross_entropy, SOFTMAX, "the sum over the rows"),
        (grad_of_one_sample, SOFTMAX, "rows (F), one at a time"),
        (bce_prime, BINARY, "the mean over all outputs"),
        (sigmoid_cross_entropy_grad, BINARY, "takes scores"),
    ],
)
def test_its_loss_is_said(factory, kind, says):
    verdict = ask(factory, kind)
    assert verdict.outcome in ("right", "right_but"), str(verdict)
    assert "a gradient alone" in verdict.called and says in verdict.called, str(verdict)
    assert "as nothing but its gradient says" in verdict.called and "loss" in verdict.not_checked


@pytest.mark.parametrize(
    ("factory", "kind"),
    [
        (mse_prime_of_the_other_sign, SQUARED),
        (mse_prime_squared, SQUARED),
        (d_cross_entropy_of_the_other_sign, SOFTMAX),
    ],
)
def test_a_gradient_of_no_such_loss_is_wrong(factory, kind):
    verdict = ask(factory, kind)
    assert verdict.outcome == "wrong" and "a gradient alone" in verdict.called, str(verdict)


def test_one_number_is_no_gradient():
    verdict = ask(mse_prime_of_the_batch, SQUARED)
    assert verdict.outcome == "not_checked"
    assert "returns a gradient of shape (), x is (6, 4)" in verdict.unchecked


FILE = """
import numpy as np
def mse(y, p): return np.mean((y - p) ** 2)
def mse_prime(y, p): return 2 * (p - y) / y.size
def grad_cross_entropy(y, p): return -y / p
def log_loss_prime(y, p): return (1 - y) / (1 - p) - y / p
def numerical_mse_grad(y, p): return y
def mae_prime(y, p): return np.sign(p - y)
class Absolute:
    def gradient(self, y, p): return mae_prime(y, p)
"""


def test_those_of_a_loss_of_the_file_are_not_alone(tmp_path):
    file = tmp_path / "losses.py"
    file.write_text(FILE)
    found = {one.name: one.kind for one in listed(file) if one.kind}
    assert found == {"mse": SQUARED, "grad_cross_entropy": SOFTMAX, "log_loss_prime": BINARY}


def grad_that_looks_for_an_infinity(logits, labels):
    if np.isinf(np.exp(logits)).any():
        raise ValueError("one of the values is overflowing")
    return grad_softmax_cross_entropy(logits, labels)


def test_a_refusal_of_large_scores_is_an_overflow():
    verdict = ask(grad_that_looks_for_an_infinity, SOFTMAX)
    assert verdict.outcome == "right_but", str(verdict)
    assert "it overflows at inputs of 901 (it raises ValueError)" in verdict.buts


class Softmax:
    """Gives the probabilities, and takes the labels to go back."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, y_true):
        dx = self.p.copy()
        dx[np.arange(len(y_true)), y_true] -= 1
        return self.scaled(dx)

    def scaled(self, dx):
        return dx / len(dx)


class OfOneHotRows(Softmax):
    def loss(self, y):
        return -np.sum(y * np.log(self.p))

    def backward(self, y):
        return self.scaled(self.p - y)


class OfTheSum(Softmax):
    def scaled(self, dx):
        return dx


class OfTheOtherSign(Softmax):
    def scaled(self, dx):
        return -dx


class TakesAGradient(Softmax):
    def backward(self, dout):
        return self.p * (dout - (dout * self.p).sum(axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("factory", "says"),
    [
        (Softmax, "the mean over the rows"),
        (OfOneHotRows, "the mean over"),
        (OfTheSum, "the sum over the rows"),
    ],
)
def test_a_class_whose_backward_takes_the_labels(factory, says):
    verdict = ask(factory, SOFTMAX)
    assert verdict.outcome in ("right", "right_but") and says in verdict.called, str(verdict)
    assert {"loss", "what forward returns"} <= {*verdict.not_checked}


def test_a_class_whose_backward_takes_the_labels_may_be_wrong():
    assert ask(OfTheOtherSign, SOFTMAX).outcome == "wrong"
    assert ask(TakesAGradient, "softmax").outcome == "right"
