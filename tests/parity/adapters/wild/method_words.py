"""Layers and functions whose methods have names of their own, right ones and wrong neighbours."""

import numpy as np


class Sigmoid:
    def value(self, x):
        return 1 / (1 + np.exp(-x))

    def diff(self, x):
        y = self.value(x)
        return y * (1 - y)


class SigmoidWrong(Sigmoid):
    def diff(self, x):
        y = self.value(x)
        return y * (1 + y)


class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.ones((n_in, n_out))
        self.b = np.zeros(n_out)

    def forward_batch(self, x):
        self.x = x
        return x @ self.W + self.b

    def backprop_batch(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T

    def update_gradients(self, rate):
        self.W = self.W - rate * self.dW


class DenseWrong(Dense):
    def backprop_batch(self, dout):
        super().backprop_batch(dout)
        self.dW = -self.dW
        return dout @ self.W.T


class Tanh:
    def foward(self, x):
        self.out = np.tanh(x)
        return self.out

    def bakward(self, dout):
        return dout * (1 - self.out**2)


class TanhWrong(Tanh):
    def bakward(self, dout):
        return dout * (1 - self.out)


class Flatten:
    def flatten(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backpropagate_error(self, error):
        return error.reshape(self.shape)


class FlattenWrong(Flatten):
    def flatten(self, x):
        self.shape = x.shape
        return x.T.reshape(len(x), -1)


class Softmax:
    """The matrix of a row's derivatives, one for each row."""

    def result(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def prime(self, x):
        y = self.result(x)
        return y[:, :, None] * np.eye(y.shape[1], dtype=y.dtype) - y[:, :, None] * y[:, None, :]


class SoftmaxWrong(Softmax):
    def prime(self, x):
        y = self.result(x)
        return y[:, :, None] * np.eye(y.shape[1], dtype=y.dtype) - y[:, None, :]


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def softmax_prime(z):
    y = softmax(z).reshape(-1, 1)
    return np.diagflat(y) - y @ y.T


def softmax_wrong(z):
    return softmax(z)


def softmax_wrong_prime(z):
    y = softmax(z).reshape(-1, 1)
    return np.diagflat(y) + y @ y.T


class LeftBehind:
    """Its result is in an attribute, and its backward calls forward without an input."""

    def forward(self, x):
        self.out = np.tanh(x)

    def backward(self):
        return 1 - self.forward() ** 2


class Backprop:
    """Its backward has another name than the book's, and asks for what nothing sets."""

    def forward(self, x):
        return np.tanh(x)

    def backprop(self, dout):
        return dout * (1 - self.last**2)


class CategoricalCrossEntropy:
    """Columns of probabilities, with the gradient of the scores."""

    def compute(self, y, y_hat):
        return -np.sum(y * np.log(y_hat)) / y.shape[1]

    def derivative(self, y, y_hat):
        return (y_hat - y) / y.shape[1]


class CategoricalCrossEntropyWrong(CategoricalCrossEntropy):
    def derivative(self, y, y_hat):
        return (y_hat + y) / y.shape[1]


class BacthNormalization:
    def __init__(self, num_features):
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)

    def forward(self, x):
        self.root = np.sqrt(x.var(axis=0) + 1e-5)
        self.xhat = (x - x.mean(axis=0)) / self.root
        return self.gamma * self.xhat + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.xhat).sum(axis=0), dout.sum(axis=0)
        d = dout * self.gamma
        return (d - d.mean(axis=0) - self.xhat * (d * self.xhat).mean(axis=0)) / self.root


class BacthNormalizationWrong(BacthNormalization):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dgamma = dout.sum(axis=0)
        return dx
