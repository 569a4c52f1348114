"""Optimizers that are handed arrays and return the step, or change the array in place and return something
else; names in Wrong are wrong."""

import numpy as np


class ToBeAdded:
    def __init__(self, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m = self.v = None

    def update(self, params, grads, step):
        if self.m is None:
            self.m, self.v = np.zeros_like(params), np.zeros_like(params)
        self.m = self.beta1 * self.m + (1 - self.beta1) * grads
        self.v = self.beta2 * self.v + (1 - self.beta2) * grads**2
        m_hat = self.m / (1 - self.beta1 ** (step + 1))
        v_hat = self.v / (1 - self.beta2 ** (step + 1))
        return -(self.lr * m_hat) / (np.sqrt(v_hat) + self.eps)


class ToBeAddedWrong(ToBeAdded):
    def update(self, params, grads, step):
        return super().update(params, grads, 0)


class ByItsWords:
    def __init__(self, lr=0.1, rho=0.9, eps=1e-8):
        self.lr, self.rho, self.eps, self.h = lr, rho, eps, {}

    def update(self, key, w, dw):
        """The step that is to be subtracted from w."""
        self.h[key] = self.rho * self.h.get(key, 0) + (1 - self.rho) * dw**2
        return self.lr * dw / (np.sqrt(self.h[key]) + self.eps)


class ByItsWordsWrong(ByItsWords):
    def update(self, key, w, dw):
        """The step that is to be subtracted from w."""
        return -super().update(key, w, dw)


class ByItsFile:
    def __init__(self, lr=0.1, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, 0

    def get_step(self, w, dw):
        self.v = self.momentum * self.v - self.lr * dw
        return self.v


class ByItsFileWrong(ByItsFile):
    def get_step(self, w, dw):
        self.v = self.momentum * self.v - self.lr * dw
        return self.momentum * self.v


def moved(optimizer, w, dw):
    w += optimizer.get_step(w, dw)
    return w


class InDicts:
    def __init__(self, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
        self.lr, self.beta1, self.beta2, self.eps, self.decay = lr, beta1, beta2, eps, weight_decay
        self.m, self.v, self.t = {}, {}, 0

    def update(self, params, grads):
        self.t += 1
        return {key: self.step_of(key, params[key], g) for key, g in grads.items()}

    def step_of(self, key, w, g):
        self.m[key] = self.beta1 * self.m.get(key, 0) + (1 - self.beta1) * g
        self.v[key] = self.beta2 * self.v.get(key, 0) + (1 - self.beta2) * g**2
        m, v = self.m[key] / (1 - self.beta1**self.t), self.v[key] / (1 - self.beta2**self.t)
        return -self.lr * (m / (np.sqrt(v) + self.eps) + self.decay * w)


class InDictsWrong(InDicts):
    def update(self, params, grads):
        self.t = 1
        return {key: self.step_of(key, params[key], g) for key, g in grads.items()}


class InPlace:
    def __init__(self, lr=0.1, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def update(self, key, w, dw):
        self.v[key] = self.momentum * self.v.get(key, 0) - self.lr * dw
        w += self.v[key]
        return self.v[key]


class InPlaceWrong(InPlace):
    def update(self, key, w, dw):
        w -= self.lr * dw
        return self.lr * dw


class OfTwoLists:
    def __init__(self, weights, biases, lr=0.1):
        self.lr, self.h = lr, [[np.zeros_like(a) for a in arrays] for arrays in (weights, biases)]

    def get_update(self, dw, db):
        """What is to be added to weights and biases."""
        for h, slopes in zip(self.h, (dw, db), strict=True):
            for a, g in zip(h, slopes, strict=True):
                a += g**2
        return tuple(
            [-self.lr * g / (np.sqrt(a) + 1e-10) for a, g in zip(h, slopes, strict=True)]
            for h, slopes in zip(self.h, (dw, db), strict=True)
        )


class OfTwoListsWrong(OfTwoLists):
    def get_update(self, dw, db):
        found = super().get_update(dw, db)
        self.h = [[np.zeros_like(a) for a in h] for h in self.h]
        return found


class ForgetsItsArrayWrong:
    def __init__(self, lr=0.1):
        self.lr = lr

    def update(self, w, dw):
        """Returns the updated weights."""
        return -self.lr * dw


class PutsTheStepIntoItsArrayWrong:
    def __init__(self, lr=0.1):
        self.lr = lr

    def update(self, params, grads):
        for key in params:
            params[key] = -self.lr * grads[key]
        return params


class NumberByNumber:
    def __init__(self, lr=0.1, rho=0.9):
        self.lr, self.rho, self.h = lr, rho, 0

    def delta(self, grad):
        self.h = self.rho * self.h + (1 - self.rho) * grad**2
        return self.lr * grad / (float(self.h) ** 0.5 + 1e-8)


class NumberByNumberWrong(NumberByNumber):
    def delta(self, grad):
        self.h = self.rho * self.h + grad**2
        return self.lr * grad / (float(self.h) ** 0.5 + 1e-8)


class ARateForEachGradient:
    """A schedule: the caller multiplies the gradient by it."""

    def __init__(self, lr=0.1, eps=1e-10):
        self.lr, self.eps, self.h = lr, eps, 0

    def __call__(self, t, grad):
        self.h += grad**2
        return self.lr / (np.sqrt(self.h) + self.eps)


class HandedWhatItCorrects:
    def __init__(self, lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps

    def update(self, gradient, weights, m, v, m_hat, v_hat, t):
        m = self.beta1 * m + (1 - self.beta1) * gradient
        v = self.beta2 * v + (1 - self.beta2) * gradient**2
        m_hat, v_hat = m / (1 - self.beta1**t), v / (1 - self.beta2**t)
        weights -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)
        return weights, m, v, m_hat, v_hat


class HandedWhatItCorrectsWrong(HandedWhatItCorrects):
    def update(self, gradient, weights, m, v, m_hat, v_hat, t):
        return super().update(gradient, weights, m, v, m_hat, v_hat, 1)


class ShownItsArraysByRows:
    def __init__(self, lr=0.1, eps=1e-10):
        self.lr, self.eps, self.h = lr, eps, []

    def initialize(self, params):
        self.h = [[np.zeros(row.shape) for row in layer] for layer in params]

    def get_update(self, gradients):
        self.h = [
            [h + g**2 for h, g in zip(own, slopes, strict=True)]
            for own, slopes in zip(self.h, gradients, strict=True)
        ]
        return [
            [self.lr * g / (np.sqrt(h) + self.eps) for h, g in zip(own, slopes, strict=True)]
            for own, slopes in zip(self.h, gradients, strict=True)
        ]


class ShownItsArraysByRowsWrong(ShownItsArraysByRows):
    def get_update(self, gradients):
        self.initialize(self.h)
        return super().get_update(gradients)


class SetsItsOptions:
    def __init__(self, eta=0.1, gamma=0.9):
        self.eta, self.gamma, self.update = eta, gamma, 0

    def set_params(self, params):
        for key in params:
            setattr(self, key, params[key])

    def get_update(self, grad):
        self.update = self.gamma * self.update + self.eta * grad
        return self.update


class SetsItsOptionsWrong(SetsItsOptions):
    def get_update(self, grad):
        found = super().get_update(grad)
        self.update = 0
        return found


class OfParametersByName:
    def __init__(self, model, lr=0.1):
        self.model, self.lr, self.h = model, lr, {}

    def step(self):
        for layer in self.model.layers:
            if layer.weight is not None:
                for param in layer.get_params().values():
                    key = id(param)
                    self.h[key] = self.h.get(key, 0) + param.grad**2
                    param.value -= self.lr * param.grad / (np.sqrt(self.h[key]) + 1e-10)


class OfParametersByNameWrong(OfParametersByName):
    def step(self):
        super().step()
        self.h.clear()


class NadamInside:
    """The overview's form, with its eps inside the root."""

    def __init__(self, lr=0.002, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m = self.v = self.t = 0

    def get_update(self, grad):
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * grad
        self.v = self.beta2 * self.v + (1 - self.beta2) * grad**2
        ahead = (self.beta1 * self.m + (1 - self.beta1) * grad) / (1 - self.beta1**self.t)
        return self.lr * ahead / (self.v / (1 - self.beta2**self.t) + self.eps) ** 0.5


class NadamInsideWrong(NadamInside):
    def get_update(self, grad):
        found = super().get_update(grad)
        self.m = 0
        return found


class AdadeltaOfGamma:
    """The paper's, which has no rate, and an eps of its own."""

    def __init__(self, gamma=0.9):
        self.gamma, self.eps, self.h, self.d = gamma, 1e-8, 0, 0

    def delta(self, grad):
        self.h = self.gamma * self.h + (1 - self.gamma) * grad**2
        step = np.sqrt(self.d + self.eps) / np.sqrt(self.h + self.eps) * grad
        self.d = self.gamma * self.d + (1 - self.gamma) * step**2
        return step


class AdadeltaOfGammaWrong(AdadeltaOfGamma):
    def delta(self, grad):
        step = super().delta(grad)
        self.d = 0
        return step
