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


def cross_entropy(y, t):
    if y.ndim == 1:
        t, y = t.reshape(1, t.size), y.reshape(1, y.size)
    if t.size == y.size:
        t = t.argmax(axis=1)
    return -np.mean(np.log(y[np.arange(len(y)), t]))


class SigmoidWithLoss:
    """Takes the labels for indices, so that they have to be whole numbers."""

    def forward(self, x, t):
        self.t, self.y = t, 1 / (1 + np.exp(-x))
        return cross_entropy(np.c_[1 - self.y, self.y], t)

    def backward(self, dout=1):
        return (self.y - self.t) * dout / len(self.t)


class SigmoidWithLossOfSum(SigmoidWithLoss):
    def backward(self, dout=1):
        return (self.y - self.t) * dout


class Flatten:
    """Takes what has no fourth axis for one image."""

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1) if x.ndim == 4 else x.reshape(1, -1)

    def backward(self, dout):
        return dout.reshape(self.shape)


class FlattenTurned(Flatten):
    def forward(self, x):
        out = super().forward(x)
        return out[:, ::-1] if x.ndim == 4 else out


class MatMul:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        self.x = x
        return x @ self.params[0]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        return dout @ self.params[0].T


class Linear:
    def forward(self, x):
        return x

    def backward(self, dvalues):
        return dvalues.copy()


class LinearLayer:
    def __init__(self):
        self.W = None

    def forward(self, x):
        self.W = np.ones((x.shape[1], 4)) if self.W is None else self.W
        return np.dot(x, self.W)


class Softmax:
    def forward(self, x, labels):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y, self.labels = e / e.sum(axis=1, keepdims=True), labels
        return -np.mean(np.log(self.y[np.arange(len(x)), labels]))

    def backward(self):
        dx = self.y.copy()
        dx[np.arange(len(dx)), self.labels] -= 1
        return dx / len(dx)


class MeanAbsoluteError:
    def forward_pass(self, y_pred, y_true):
        return np.mean(np.abs(y_pred - y_true), axis=-1)

    def backward_loss(self, dvalues, y_true):
        self.dinputs = np.sign(y_true - dvalues) / dvalues.size  # wrong: its sign


def sigmoide(x):
    return 1 / (1 + np.exp(-x))


def derivada_sigmoide(x):
    return sigmoide(x) * (1 - sigmoide(x))


class Adam:
    """Its constants stand in the constructor, which takes the rate alone."""

    def __init__(self, lr=0.001):
        self.lr, self.m, self.v, self.t = lr, {}, {}, 0
        self.beta1, self.beta_2 = 0.9, 0.999

    def update(self, params, grads):
        self.t += 1
        for name, g in grads.items():
            self.m[name] = self.beta1 * self.m.get(name, 0) + (1 - self.beta1) * g
            self.v[name] = self.beta_2 * self.v.get(name, 0) + (1 - self.beta_2) * g**2
            m, v = self.m[name] / (1 - self.beta1**self.t), self.v[name] / (1 - self.beta_2**self.t)
            params[name] -= self.lr * m / (np.sqrt(v) + 1e-8)


class AdamOfPowers(Adam):
    """Begins with the powers of its constants, which are others than those that would be set."""

    def __init__(self, lr=0.001):
        super().__init__(lr)
        self.power1, self.power2 = self.beta1, self.beta_2

    def update(self, params, grads):
        for name, g in grads.items():
            self.m[name] = self.beta1 * self.m.get(name, 0) + (1 - self.beta1) * g
            self.v[name] = self.beta_2 * self.v.get(name, 0) + (1 - self.beta_2) * g**2
            m, v = self.m[name] / (1 - self.power1), self.v[name] / (1 - self.power2)
            params[name] -= self.lr * m / (np.sqrt(v) + 1e-8)
        self.power1, self.power2 = self.power1 * self.beta1, self.power2 * self.beta_2


class Momentum:
    def __init__(self, learning_rate=0.01):
        self.learning_rate, self.momentum, self.v = learning_rate, 0.9, {}

    def update(self, params, grads):
        for name, g in grads.items():
            self.v[name] = self.momentum * self.v.get(name, 0) - self.learning_rate * g
            params[name] += self.v[name]


class MomentumForgotten(Momentum):
    def update(self, params, grads):
        for name, g in grads.items():
            self.v[name] = self.momentum * self.learning_rate * g
            params[name] -= self.v[name]


class Average:
    """The constant of its average is the last of what it takes, and `decay` is none of the kind's."""

    def __init__(self, parameters, lr, decay=0, beta=0.9):
        self.lr, self.keep, self.beta, self.parameters = lr, 1 - decay, beta, list(parameters)
        self.v = [np.zeros(p.data.shape) for p in self.parameters]

    def update(self):
        for i, p in enumerate(self.parameters):
            self.v[i] = self.beta * self.v[i] + (1 - self.beta) * p.grad
            p.data *= self.keep
            p.data -= self.lr * self.v[i]


class AverageForgotten(Average):
    def update(self):
        self.v = [0 * v for v in self.v]
        super().update()
