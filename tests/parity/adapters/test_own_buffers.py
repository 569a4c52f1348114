"""Layers of one image at a time that keep one array for their results: the next call writes into it."""

import numpy as np
import pytest

from parity.verification.verify import verify


class MaxPool:
    """Into the array of its constructor."""

    bug = 1

    def __init__(self, size, input_shape):
        self.size, (channels, high, wide) = size, input_shape
        self.out = np.zeros((channels, high // size, wide // size))

    def forward(self, x):
        for c, i, j in np.ndindex(self.out.shape):
            part = x[c, i * self.size :, j * self.size :][: self.size, : self.size]
            self.out[c, i, j] = self.bug * part.max()
        return self.out


class NegativeMaxPool(MaxPool):
    bug = -1


class Dense:
    """Of one row; its gradients are written into arrays that it keeps."""

    bug = 1

    def __init__(self, input_size, output_size):
        self.weights, self.biases = np.ones((input_size, output_size)), np.zeros(output_size)
        self.d_weights, self.d_biases = np.zeros_like(self.weights), np.zeros_like(self.biases)
        self.d_input = np.zeros(input_size)

    def forward(self, x):
        if x.ndim > 1:
            raise ValueError("one row")
        self.x = x
        return x @ self.weights + self.biases

    def backward(self, d_out):
        self.d_weights[...], self.d_biases[...] = self.bug * np.outer(self.x, d_out), d_out
        self.d_input[...] = self.weights @ d_out
        return self.d_input


class TwiceDense(Dense):
    bug = 2


WRITES = "its own next call writes into the array that it returned"


@pytest.mark.parametrize(("layer", "kind"), [(MaxPool, "max_pooling"), (Dense, "affine")])
def test_its_numbers_are_right_and_what_is_written_into_is_said(layer, kind):
    verdict = verify(layer, kind, isolated=False)
    assert verdict.outcome == "right_but" and WRITES in verdict.headline, str(verdict)


@pytest.mark.parametrize(("layer", "kind"), [(NegativeMaxPool, "max_pooling"), (TwiceDense, "affine")])
def test_a_bug_beside_it_is_wrong(layer, kind):
    assert verify(layer, kind, isolated=False).outcome == "wrong"
