"""Optimizers as people write them, in our words; the last two are wrong."""

import numpy as np


class AdamOfArrays:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.lr, self.betas, self.eps, self.t = params, lr, betas, eps, 0
        self.m = [np.zeros_like(p) for p in params]
        self.v = [np.zeros_like(p) for p in params]

    def step(self, grads):
        self.t += 1
        one, two = self.betas
        for i, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            self.m[i] = one * self.m[i] + (1 - one) * g
            self.v[i] = two * self.v[i] + (1 - two) * g * g
            m, v = self.m[i] / (1 - one**self.t), self.v[i] / (1 - two**self.t)
            p -= self.lr * m / (np.sqrt(v) + self.eps)


class SGDOfLists:
    def __init__(self, lr=0.01):
        self.lr = lr

    def step(self, params, grads):
        for p, g in zip(params, grads, strict=True):
            p -= self.lr * g


class SGDOfTensors:
    def __init__(self, parameters, lr=0.01):
        self.parameters, self.lr = parameters, lr

    def step(self):
        for p in self.parameters:
            p.data = p.data - self.lr * p.grad


class SGDThatHoldsBoth:
    def __init__(self, params, grads, lr=0.01):
        self.params, self.grads, self.lr = params, grads, lr

    def step(self):
        for i in range(len(self.params)):
            self.params[i] = self.params[i] - self.lr * self.grads[i]


class MomentumOfOneArray:
    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.lr, self.mu, self.v = learning_rate, momentum, None

    def update(self, w, grad_wrt_w):
        if self.v is None:
            self.v = np.zeros_like(w)
        self.v = self.mu * self.v - self.lr * grad_wrt_w
        return w + self.v


class RMSPropOfPairs:
    def __init__(self, lr=0.01, rho=0.99, epsilon=1e-7):
        self.lr, self.rho, self.epsilon, self.cache = lr, rho, epsilon, {}

    def apply_gradients(self, grads_and_vars):
        for i, (g, v) in enumerate(grads_and_vars):
            c = self.rho * self.cache.get(i, np.zeros_like(v)) + (1 - self.rho) * g**2
            self.cache[i] = c
            v -= self.lr * g / (np.sqrt(c) + self.epsilon)


class AdaGradOfLayers:
    def __init__(self, learning_rate=1.0, decay=0.0, epsilon=1e-7):
        self.learning_rate = self.rate = learning_rate
        self.decay, self.steps, self.epsilon = decay, 0, epsilon

    def pre_update_params(self):
        self.rate = self.learning_rate / (1.0 + self.decay * self.steps)

    def update_params(self, layer):
        if not hasattr(layer, "weight_cache"):
            layer.weight_cache = np.zeros_like(layer.weights)
            layer.bias_cache = np.zeros_like(layer.biases)
        layer.weight_cache += layer.dweights**2
        layer.bias_cache += layer.dbiases**2
        layer.weights += -self.rate * layer.dweights / (np.sqrt(layer.weight_cache) + self.epsilon)
        layer.biases += -self.rate * layer.dbiases / (np.sqrt(layer.bias_cache) + self.epsilon)

    def post_update_params(self):
        self.steps += 1


class AdamWithoutCorrection(AdamOfArrays):
    def step(self, grads):
        for i, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            self.m[i] = 0.9 * self.m[i] + 0.1 * g
            self.v[i] = 0.999 * self.v[i] + 0.001 * g * g
            p -= self.lr * self.m[i] / (np.sqrt(self.v[i]) + self.eps)


class ForgetsBiases(AdaGradOfLayers):
    def update_params(self, layer):
        bias = layer.biases
        super().update_params(layer)
        layer.biases = bias - self.rate * layer.dbiases


class AsksForMore:
    def __init__(self, lr, schedule):
        self.lr, self.schedule = lr, schedule

    def update(self, params, grads):
        raise AssertionError("it was called")
