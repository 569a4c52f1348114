"""Layers without NumPy: one row as a list of numbers in, a list out; a mask that is a list."""

import math
import random

import pytest

from parity.verification.verify import verify


class Drop:
    """Its flag is set by a method that takes it; the mask is a list, which is empty at first."""

    back = 1.0

    def __init__(self, dropout_rate=0.5):
        self.dropout_rate, self.training, self.mask = dropout_rate, True, None

    def set_training(self, training):
        self.training = training

    def forward(self, input):
        if not self.training:
            return input
        self.mask = [1 if random.random() > self.dropout_rate else 0 for _ in input]
        return [x * m / (1 - self.dropout_rate) for x, m in zip(input, self.mask, strict=True)]

    def backward(self, grad_output):
        if not (self.training and self.mask):
            return grad_output
        scale = self.back / (1 - self.dropout_rate)
        return [g * m * scale for g, m in zip(grad_output, self.mask, strict=True)]


class DropHalf(Drop):
    back = 0.5


class DropUnscaled(Drop):
    def forward(self, input):
        out = super().forward(input)
        return [x * (1 - self.dropout_rate) for x in out] if self.training else out


class Relu:
    slope = 1

    def forward(self, x):
        self.x = x
        return [max(0, v) for v in x]

    def backward(self, grad):
        return [self.slope * g if v > 0 else 0 for v, g in zip(self.x, grad, strict=True)]


class RelusSquare(Relu):
    slope = 2


def sigmoid(x):
    return [1 / (1 + math.exp(-v)) for v in x]


def sigmoid_twice(x):
    return [1 / (1 + math.exp(-2 * v)) for v in x]


class OneForAll(Drop):
    """One number decides for the whole list."""

    def forward(self, input):
        out = super().forward(input)
        if self.training:
            keep = int(random.random() > self.dropout_rate)
            self.mask = [keep for _ in input]
            out = [x * keep / (1 - self.dropout_rate) for x in input]
        return out


CASES = [
    (Drop, "dropout", "right"),
    (DropHalf, "dropout", "wrong"),
    (DropUnscaled, "dropout", "wrong"),
    (OneForAll, "dropout", "wrong"),
    (Relu, "relu", "right"),
    (RelusSquare, "relu", "wrong"),
    (sigmoid, "sigmoid", "right_but"),  # math.exp overflows
    (sigmoid_twice, "sigmoid", "wrong"),
]


@pytest.mark.parametrize(("factory", "kind", "outcome"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_list_is_a_row(factory, kind, outcome):
    verdict = verify(factory, kind, isolated=False, adapter="auto")
    assert verdict.outcome == outcome, str(verdict)
    assert "rows (F), one at a time" in str(verdict)
