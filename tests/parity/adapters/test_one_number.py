"""Functions and classes for one number, and no array, are handed the numbers of an array one by one."""

import math

import numpy as np
import pytest

from parity.verification.verify import verify


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def sigmoid_derivative(x):
    return sigmoid(x) * (1 - sigmoid(x))


def sigmoid_derivative_wrong(x):
    return sigmoid(x) * (1 + sigmoid(x))


def relu(x):
    return x if x > 0 else 0


def relu_prime(x):
    return 1 if x > 0 else 0


def relu_prime_wrong(x):
    return 1 if x > 1 else 0


def gelu(x):
    return 0.5 * x * (1 + math.erf(x / math.sqrt(2)))


class Tanh:
    def forward(self, x):
        self.y = math.tanh(x)
        return self.y

    def backward(self, dout):
        return dout * self.slope()

    def slope(self):
        return 1 - self.y**2


class TanhWrong(Tanh):
    def slope(self):
        return 1 - self.y


def binary_cross_entropy(y, t):
    return -t * math.log(y) - (1 - t) * math.log(1 - y)


def binary_cross_entropy_grad(y, t):
    return (y - t) / (y * (1 - y))


def binary_cross_entropy_grad_wrong(y, t):
    return y - t


def squared_error(y, t):
    return 0.5 * math.pow(y - t, 2)


def squared_error_derivative(y, t):
    return y - t


def ask(factory, kind):
    return verify(factory, kind, isolated=False)


RIGHT = [
    (relu, "relu", "right"),
    ((relu, relu_prime), "relu", "right"),
    (gelu, "gelu", "right"),
    (Tanh, "tanh", "right"),
    ((binary_cross_entropy, binary_cross_entropy_grad), "binary_cross_entropy", "right"),
    ((squared_error, squared_error_derivative), "mean_squared_error", "right"),
    ((sigmoid, sigmoid_derivative), "sigmoid", "right_but"),
]
WRONG = [
    ((relu, relu_prime_wrong), "relu", "dx"),
    ((sigmoid, sigmoid_derivative_wrong), "sigmoid", "dx"),
    (TanhWrong, "tanh", "dx"),
    ((binary_cross_entropy, binary_cross_entropy_grad_wrong), "binary_cross_entropy", "dx"),
    (lambda x: 1 / (1 + math.exp(x)), "sigmoid", "out"),
]


@pytest.mark.parametrize(("factory", "kind", "outcome"), RIGHT)
def test_right(factory, kind, outcome):
    verdict = ask(factory, kind)
    assert verdict.outcome == outcome, str(verdict)
    assert "one number at a time" in verdict.called
    assert "whole arrays (it takes one number)" in verdict.not_checked


@pytest.mark.parametrize(("factory", "kind", "tensor"), WRONG)
def test_wrong(factory, kind, tensor):
    verdict = ask(factory, kind)
    assert verdict.outcome == "wrong" and verdict.first.record.tensor == tensor, str(verdict)


def test_an_exponential_that_raises_overflows():
    verdict = ask((sigmoid, sigmoid_derivative), "sigmoid")
    assert any("it overflows at inputs of" in but and "OverflowError" in but for but in verdict.buts)


def test_what_takes_arrays_is_given_arrays():
    def tanh(x):
        return np.tanh(x)

    assert "one number" not in ask(tanh, "tanh").called
