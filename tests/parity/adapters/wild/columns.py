"""Layers that take one sample as a column, and dropout that an attribute switches."""

import numpy as np


class Softmax:
    def forward(self, input):
        exps = np.exp(input - np.max(input))
        self.output = exps / np.sum(exps)
        return self.output

    def backward(self, output_gradient, learning_rate):
        n = np.size(self.output)
        return np.dot((np.identity(n) - self.output.T) * self.output, output_gradient)


class SoftmaxTransposed(Softmax):
    def backward(self, output_gradient, learning_rate):
        n = np.size(self.output)
        return np.dot((np.identity(n) - self.output) * self.output, output_gradient)


class Dropout:
    def __init__(self, p=0.5):
        self.p = p
        self.training = True

    def forward(self, x):
        if not self.training:
            return x
        self.mask = ((np.random.rand(*x.shape) >= self.p) / (1 - self.p)).astype(x.dtype)  # noqa: NPY002
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class DropoutThatNeverStops(Dropout):
    def forward(self, x):
        self.mask = ((np.random.rand(*x.shape) >= self.p) / (1 - self.p)).astype(x.dtype)  # noqa: NPY002
        return x * self.mask


class SoftmaxThatOverflows(Softmax):
    """In float64, whatever comes in."""

    def forward(self, input):
        exps = np.exp(input)
        self.output = exps / np.sum(exps)
        return self.output
