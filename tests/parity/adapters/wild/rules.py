"""Optimizers: of one array, by a step over parameters, over the layers' attributes, as functions."""

import numpy as np


class StochasticGradientDescent:
    def __init__(self, learning_rate=0.01, momentum=0):
        self.learning_rate, self.momentum, self.w_updt = learning_rate, momentum, None

    def update(self, w, grad_wrt_w):
        if self.w_updt is None:
            self.w_updt = np.zeros(np.shape(w), w.dtype)
        self.w_updt = self.momentum * self.w_updt + grad_wrt_w
        return w - self.learning_rate * self.w_updt


class Adam:
    def __init__(self, learning_rate=0.001, b1=0.9, b2=0.999):
        self.learning_rate, self.b1, self.b2, self.eps, self.t, self.m = learning_rate, b1, b2, 1e-8, 0, None

    def update(self, w, grad_wrt_w):
        if self.m is None:
            self.m, self.v = np.zeros_like(grad_wrt_w), np.zeros_like(grad_wrt_w)
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * grad_wrt_w
        self.v = self.b2 * self.v + (1 - self.b2) * grad_wrt_w**2
        m, v = self.m / (1 - self.b1**self.t), self.v / (1 - self.b2**self.t)
        return w - self.learning_rate * m / (np.sqrt(v) + self.eps)


class AdamWrong(Adam):
    """The second moment is not corrected."""

    def update(self, w, grad_wrt_w):
        new = super().update(w, grad_wrt_w)
        return new + self.learning_rate * 0.01 * np.sign(grad_wrt_w)


class OptimizerSGD:
    """Over a layer's weights and biases."""

    def __init__(self, learning_rate=1.0):
        self.learning_rate = learning_rate

    def update_params(self, layer):
        layer.weights += -self.learning_rate * layer.dweights
        layer.biases += -self.learning_rate * layer.dbiases


class SGD:
    """PyTorch's: parameters with data and grad, then step()."""

    def __init__(self, params, lr=0.01):
        self.params, self.lr = list(params), lr

    def step(self):
        for p in self.params:
            p.data -= self.lr * p.grad

    def zero_grad(self):
        for p in self.params:
            p.grad = None


class SGDOfDicts:
    """Keys by step."""

    def __init__(self, lr):
        self.lr = lr

    def step(self, params, grads):
        for key in params:
            params[key] -= self.lr * grads[key]


def sgd(w, dw, config=None):
    return w - config["learning_rate"] * dw, config
