"""More styles: functions in a class without self, options under other names, float32 results."""

import numpy as np


class Tanh:
    def function(x):
        return np.tanh(x)

    def derivative(x):
        return 1 - np.tanh(x) ** 2


class Sigmoid:
    def apply(z):
        return 1 / (1 + np.exp(-z))

    def prime(z):
        return Sigmoid.apply(z)  # wrong: without (1 - s)


class MSE:
    def loss(y_true, y_pred):
        return np.mean((y_true - y_pred) ** 2)

    def gradient(y_true, y_pred):
        return 2 * (y_pred - y_true) / y_true.size


def heavy_ball(w, dw, config=None):
    config = config if config is not None else {}
    mu, rate = config.get("mu", 0.9), config.setdefault("lr", 1e-2)
    config["velocity"] = mu * config.get("velocity", 0.0) - rate * dw
    return w + config["velocity"], config


def heavy_ball_of_half(w, dw, config=None):
    new, config = heavy_ball(w, dw, config)
    return w + (new - w) / 2, config


def adam_short(w, dw, config):
    t = config["t"] = config.get("t", 0) + 1
    b1, b2 = config["b1"], config["beta_2"]
    config["m"] = b1 * config.get("m", np.zeros_like(w)) + (1 - b1) * dw
    config["v"] = b2 * config.get("v", np.zeros_like(w)) + (1 - b2) * dw**2
    m, v = config["m"] / (1 - b1**t), config["v"] / (1 - b2**t)
    return w - config["step_size"] * m / (np.sqrt(v) + 1e-8), config


def linear(x, slope=1):
    return slope * x


def dlinear(slope=1):
    return slope


def identity(x, scale=1):
    return scale * x


def didentity(scale=1):
    return 2 * scale


class Affine:
    """Its output lies in an array of zeros of float32, whatever comes in."""

    def __init__(self, n_in, n_out):
        self.W, self.b = np.ones((n_in, n_out)), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        out = np.zeros((len(x), self.W.shape[1]), dtype=np.float32)
        out += (x @ self.W + self.b).astype(np.float32)
        return out

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class AffineOff(Affine):
    def forward(self, x):
        return super().forward(x) * np.float32(1 + 2**-16)
