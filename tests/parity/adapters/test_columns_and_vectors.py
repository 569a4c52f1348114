"""Cross entropies of columns with numbers of classes, a softmax of one vector, and gradients that are
called errors."""

import numpy as np
import pytest

from parity.verification.verify import verify


class CrossEntropyOfColumns:
    def forward(self, x, t):
        self.t, self.at = t, np.arange(len(t))
        scores = x - x.max(axis=0, keepdims=True)
        self.log = scores - np.log(np.exp(scores).sum(axis=0, keepdims=True))
        return -self.log[t, self.at].mean()

    def backward(self):
        dx = np.exp(self.log)
        dx[self.t, self.at] -= 1
        return self.scaled(dx)

    def scaled(self, dx):
        return dx / dx.shape[1]


class NotDivided(CrossEntropyOfColumns):
    def scaled(self, dx):
        return dx


class DividedByClasses(CrossEntropyOfColumns):
    def scaled(self, dx):
        return dx / dx.shape[0]


class SoftmaxOfAVector:
    def forward(self, x):
        e = np.exp(x - np.max(x))
        self.y = e / np.sum(e)
        return self.y

    def backward(self, dout):
        return self.jacobian(self.y) @ dout

    def jacobian(self, y):
        return np.diag(y) - np.outer(y, y)


class SoftmaxOfAColumn(SoftmaxOfAVector):
    def jacobian(self, y):
        return np.diagflat(y) - y @ y.T


class Diagonal(SoftmaxOfAVector):
    def jacobian(self, y):
        return np.diag(y - y**2)


class Turned(SoftmaxOfAVector):
    """Its dx adds up to 0, and is not the softmax's."""

    def jacobian(self, y):
        return np.roll(np.diag(y) - np.outer(y, y), 1, axis=0)


class Parameters:
    pass


class Dense:
    """Nothing but the names tells the gradients from what lies beside them."""

    def __init__(self, n_in, n_out):
        self.layer = Parameters()
        self.layer.weights, self.layer.biases = np.ones((n_in, n_out)), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.layer.weights + self.layer.biases

    def backward(self, dout):
        W, b = self.x.T @ dout, dout.sum(axis=0)
        self.layer.scratch, self.layer.other = W / 2, 2 * b
        self.keep(self.layer, W, b)
        return dout @ self.layer.weights.T

    def keep(self, layer, W, b):
        layer.weights_error, layer.biases_error = W, b


class DenseOfDeltas(Dense):
    def keep(self, layer, W, b):
        layer.weights_delta, layer.biases_delta = W, b


class DenseOfDerivatives(Dense):
    def keep(self, layer, W, b):
        layer.weights_derivative, layer.biases_derivative = W, b


class DenseOfMeans(Dense):
    def keep(self, layer, W, b):
        layer.weights_error, layer.biases_error = W / len(self.x), b


RIGHT = [
    (CrossEntropyOfColumns, "softmax_with_loss", "rows (F, N)"),
    (SoftmaxOfAVector, "softmax", "rows (F), one at a time"),
    (SoftmaxOfAColumn, "softmax", "rows (F, 1), one at a time"),
    (Dense, "affine", ".layer.weights_error"),
    (DenseOfDeltas, "affine", ".layer.weights_delta"),
    (DenseOfDerivatives, "affine", ".layer.weights_derivative"),
]
WRONG = [
    (NotDivided, "softmax_with_loss"),
    (DividedByClasses, "softmax_with_loss"),
    (Diagonal, "softmax"),
    (Turned, "softmax"),
    (DenseOfMeans, "affine"),
]


@pytest.mark.parametrize(("factory", "kind", "called"), RIGHT)
def test_right(factory, kind, called):
    verdict = verify(factory, kind, isolated=False)
    assert verdict.outcome == "right" and called in verdict.called, str(verdict)


@pytest.mark.parametrize(("factory", "kind"), WRONG)
def test_wrong(factory, kind):
    verdict = verify(factory, kind, isolated=False)
    assert verdict.outcome == "wrong", str(verdict)
