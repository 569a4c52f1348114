"""Optimizers of several styles: what a step may be handed beside its arrays, and in which form these come."""

import numpy as np


class RMSPropByBeta:
    """One array; the rate comes with each step."""

    def __init__(self, param_shape, beta=0.9):
        self.beta, self.s = beta, np.zeros(param_shape)

    def update_parameters(self, param, dparam, learning_rate):
        self.s = self.beta * self.s + self.fresh() * np.square(dparam)
        param -= learning_rate * dparam / (np.sqrt(self.s) + 1e-8)
        return param

    def fresh(self):
        return 1 - self.beta


class RMSPropByBetaWrong(RMSPropByBeta):
    def fresh(self):
        return self.beta


class DividesByM:
    """Gradients are sums over m images."""

    def __init__(self, eta=0.01):
        self.eta = eta

    def optimize(self, W, gW, m):
        return W - gW * (self.eta / m)


class DividesByMWrong(DividesByM):
    def optimize(self, W, gW, m):
        return W + gW * (self.eta / m)


class HelpsItself:
    """Its get_update is no step of its own: it takes a gradient and the average of its squares."""

    def __init__(self, lr=0.01, rho=0.9):
        self.lr, self.rho, self.rms = lr, rho, {}

    def get_update(self, grad, rms):
        return self.lr * grad / (np.sqrt(rms) + 1e-8)

    def train(self, model, batches):
        for x, t in batches:
            for key, grad in model.gradient(x, t).items():
                self.rms[key] = self.rho * self.rms.get(key, 0) + (1 - self.rho) * grad**2
                model.weights[key] -= self.get_update(grad, self.rms[key])
