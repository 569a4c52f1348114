"""Layers of many hands: names and layouts as they come."""

import numpy as np


class AvgPool:
    def __init__(self, size, stride=None):
        self.size, self.stride = size, stride or size

    def forward_pass(self, inputs):
        self.inputs = inputs
        k, s = self.size, self.stride
        N, C, H, W = inputs.shape
        out = np.zeros((N, C, (H - k) // s + 1, (W - k) // s + 1), dtype=inputs.dtype)
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                out[:, :, i, j] = inputs[:, :, i * s : i * s + k, j * s : j * s + k].mean(axis=(2, 3))
        return out

    def backward_pass(self, grads):
        k, s = self.size, self.stride
        dx = np.zeros_like(self.inputs)
        for i in range(grads.shape[2]):
            for j in range(grads.shape[3]):
                dx[:, :, i * s : i * s + k, j * s : j * s + k] += grads[:, :, i : i + 1, j : j + 1] / (k * k)
        return dx


class AvgPoolWrong(AvgPool):
    def backward_pass(self, grads):
        return super().backward_pass(grads) * self.size


class FullyConnectedLayer:
    """Columns (n, 1), sigmoid left to another."""

    def __init__(self, num_inputs, num_outputs):
        self.weights = np.random.default_rng(0).standard_normal((num_outputs, num_inputs))
        self.biases = np.zeros((num_outputs, 1))

    def feedforward(self, a):
        self.a = a
        return np.dot(self.weights, a) + self.biases

    def backprop(self, delta):
        self.nabla_w = np.dot(delta, self.a.T)
        self.nabla_b = delta
        return np.dot(self.weights.T, delta)


class BatchNormalization:
    """Channels last."""

    def __init__(self, n_channels, momentum=0.9, eps=1e-5):
        self.gamma, self.beta = np.ones(n_channels), np.zeros(n_channels)
        self.running_mean, self.running_var = np.zeros(n_channels), np.ones(n_channels)
        self.momentum, self.eps = momentum, eps

    def forward(self, x, training=True):
        axes = tuple(range(x.ndim - 1))
        self.axes = axes
        if training:
            mean, var, n = x.mean(axis=axes), x.var(axis=axes), x.size // x.shape[-1]
            m = self.momentum
            self.running_mean = m * self.running_mean + (1 - m) * mean
            self.running_var = m * self.running_var + (1 - m) * var * n / max(n - 1, 1)
        else:
            mean, var = self.running_mean, self.running_var
        self.training, self.std = training, np.sqrt(var + self.eps)
        self.xhat = (x - mean) / self.std
        return self.gamma * self.xhat + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.xhat).sum(axis=self.axes), dout.sum(axis=self.axes)
        d = dout * self.gamma
        if not self.training:
            return d / self.std
        return (d - d.mean(axis=self.axes) - self.xhat * (d * self.xhat).mean(axis=self.axes)) / self.std


class SoftmaxCrossEntropyLoss:
    def __call__(self, logits, labels):
        self.labels = labels
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        self.probs = e / e.sum(axis=1, keepdims=True)
        return -np.log(self.probs[np.arange(len(labels)), labels]).mean()

    def grad(self):
        g = self.probs.copy()
        g[np.arange(len(self.labels)), self.labels] -= 1
        return g / len(self.labels)


def sgd(params, grads, lr):
    for p, g in zip(params, grads, strict=True):
        p -= lr * g


class Momentum:
    def __init__(self, learning_rate=0.01, beta=0.9):
        self.learning_rate, self.beta, self.velocity = learning_rate, beta, None

    def step(self, params, grads):
        if self.velocity is None:
            self.velocity = [np.zeros_like(p) for p in params]
        for v, p, g in zip(self.velocity, params, grads, strict=True):
            v *= self.beta
            v -= self.learning_rate * g
            p += v
