"""Functions that classes keep: static, of the class, without self, and methods that need no object."""

import numpy as np


class Activations:
    @staticmethod
    def relu(x):
        return np.maximum(0, x)

    @staticmethod
    def relu_derivative(x):
        return (x > 0).astype(x.dtype)

    @staticmethod
    def leaky_relu(x, alpha=0.01):
        return np.where(x > 0, x, alpha * x)

    @staticmethod
    def leaky_relu_prime(x, alpha=0.01):
        return np.where(x >= 0, alpha, 1).astype(x.dtype)

    @classmethod
    def sigmoid(cls, z, derivative=False):
        if derivative:
            return cls.sigmoid(z) * (1 - cls.sigmoid(z))
        e = np.exp(-np.abs(z))
        return np.where(z < 0, e, 1).astype(z.dtype) / (1 + e)

    @classmethod
    def tanh(cls, z):
        return np.tanh(z)

    @classmethod
    def d_tanh(cls, z):
        return 1 - cls.tanh(z)

    @staticmethod
    def swirl(x):
        return x * np.cos(x)


class Losses:
    def mse(y_true, y_pred):
        return np.mean((y_true - y_pred) ** 2)

    def mse_prime(y_true, y_pred):
        return 2 * (y_pred - y_true) / y_true.size

    def mae(y_true, y_pred):
        return np.mean(np.abs(y_true - y_pred))

    def mae_prime(y_true, y_pred):
        return np.sign(y_true - y_pred) / y_true.size


class Regressor:
    def __init__(self, rate):
        self.rate = rate

    def relu(self, z):
        return np.maximum(z, 0)

    def relu_prime(self, z):
        return np.where(self.relu(z) > 0, 1, 0).astype(z.dtype)

    def tanh(self, z):
        return np.tanh(z) * self.rate

    def train(self, x, y):
        return self.relu(x) - y


class ReLU:
    @staticmethod
    def forward(x):
        return np.maximum(0, x)

    @staticmethod
    def backward(dout, x):
        return dout * (x > 0)


class Tanh:
    @classmethod
    def __call__(cls, x):
        return np.tanh(x)

    @classmethod
    def derivative(cls, x):
        return 1 + np.tanh(x) ** 2


class Softmax:
    @staticmethod
    def softmax(x):
        e = np.exp(x - np.max(x, axis=1, keepdims=True))
        return e / np.sum(e, axis=1, keepdims=True)


class Steps:
    @staticmethod
    def sgd(params, grads, lr):
        for key in params:
            params[key] -= lr * grads[key]


class ChosenActivation:
    """Private methods, of which the constructor hands one out."""

    def __init__(self, name="tanh"):
        self.f, self.df = self.__tanh, self.__tanh_deriv
        if name == "logistic":
            self.f = self.__logistic
        self._inner = self.__relu

    def __tanh(self, x):
        return np.tanh(x)

    def __tanh_deriv(self, a):
        return 1 - a**2

    def __logistic(self, x):
        return 1 / (1 + np.exp(-x))

    def __logistic_deriv(self, a):
        return a * (1 + a)

    def __relu(self, x):
        return x
