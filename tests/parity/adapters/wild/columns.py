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


def pool_forward(A_prev, hparameters, mode="max"):
    """Images are (N, H, W, C), a window is a square, and a mode chooses what is taken of it."""
    f, s = hparameters["f"], hparameters["stride"]
    N, H, W, C = A_prev.shape
    out = np.zeros((N, (H - f) // s + 1, (W - f) // s + 1, C))
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            window = A_prev[:, i * s : i * s + f, j * s : j * s + f]
            out[:, i, j] = window.max(axis=(1, 2)) if mode == "max" else window.mean(axis=(1, 2))
    return out, (A_prev, hparameters)


class SoftmaxCrossEntropyOfColumns:
    """Scores (classes, N), one-hot columns."""

    def forward(self, Z, Y):
        Z = Z - Z.max(axis=0)
        self.A, self.Y = np.exp(Z) / np.exp(Z).sum(axis=0), Y
        return -np.sum(Y * (Z - np.log(np.exp(Z).sum(axis=0)))) / Z.shape[1]

    def backward(self):
        return (self.A - self.Y) / self.Y.shape[1]


class SoftmaxCrossEntropyOfColumnsWrong(SoftmaxCrossEntropyOfColumns):
    def backward(self):
        return (self.A - self.Y) / self.Y.shape[0]
