"""Activations that are chosen by a word: of a function, of a class, of a dense layer, in a dict."""

from itertools import pairwise

import numpy as np

RNG = np.random.default_rng(0)


def activation(x, func, derivative=False):
    if func == "sigmoid":
        s = 1 / (1 + np.exp(-x))
        return s * (1 - s) if derivative else s
    if func in ("relu", "ReLU"):
        return np.where(x > 0, x * 0 + 1, x * 0) if derivative else np.maximum(x, 0)
    if func == "tanh":
        return 1 - np.tanh(x) if derivative else np.tanh(x)  # it is not squared
    if func == "sawtooth":
        return x % 1
    raise ValueError(func)


def squash(x, how):
    return {"tanh": np.tanh, "softplus": lambda v: np.log1p(np.exp(v))}[how](x)


def squash_derivative(x, how):
    return {"tanh": lambda v: 1 - np.tanh(v) ** 2, "softplus": lambda v: np.exp(-v)}[how](x)


class Activation:
    def __init__(self, name):
        self.name = name.lower()

    def forward(self, x):
        self.x = x
        match self.name:
            case "relu":
                return np.maximum(x, 0)
            case "identity" | "linear":
                return x * 1

    def backward(self, dout):
        return dout * (self.x > 0) if self.name == "relu" else dout * 1


class Dense:
    def __init__(self, n_in, n_out, activation=None):
        self.W, self.b = RNG.standard_normal((n_in, n_out)), np.zeros(n_out)
        self.activation = activation

    def forward(self, x):
        self.x, z = x, x @ self.W + self.b
        self.out = {"relu": lambda v: v * (v > 0), "tanh": np.tanh}.get(self.activation, lambda v: v)(z)
        return self.out

    def backward(self, dout):
        if self.activation == "relu":
            dout = dout * (self.out > 0)
        elif self.activation == "tanh":
            dout = dout * (1 - self.out)  # it is not squared
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class Tools:
    @staticmethod
    def apply(x, kind="relu"):
        table = {"relu": lambda v: np.maximum(v, 0), "sigmoid": lambda v: 1 / (1 + np.exp(v))}
        return table[kind](x)


def linear_activation_forward(A_prev, W, b, activation):
    Z = W @ A_prev + b
    if activation == "sigmoid":
        A = 1 / (1 + np.exp(-Z))
    elif activation == "relu":
        A = np.maximum(0, Z)
    return A, ((A_prev, W, b), Z)


def linear_activation_backward(dA, cache, activation):
    (A_prev, W, _), Z = cache
    if activation == "relu":
        dZ = dA * (Z > 0)
    elif activation == "sigmoid":
        s = 1 / (1 + np.exp(-Z))
        dZ = dA * s * (1 + s)  # a wrong sign
    return W.T @ dZ, dZ @ A_prev.T, dZ.sum(axis=1, keepdims=True)


class NeuralNetwork:
    def __init__(self, sizes, activation="relu"):
        self.layers = [Dense(m, n, activation) for m, n in pairwise(sizes)]
        self.name = activation == "relu"

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x
