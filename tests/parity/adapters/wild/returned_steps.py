"""Optimizers that return the step, or are shown arrays or sizes before; names in Wrong are wrong."""

import numpy as np


class OfAGradient:
    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = learning_rate, momentum, 0

    def compute_update(self, grad):
        self.v = self.momentum * self.v - self.lr * grad
        return self.v


class OfAGradientWrong(OfAGradient):
    def compute_update(self, grad):
        self.v = self.momentum * self.v + 2 * self.lr * grad
        return super().compute_update(grad)


class OfANameAndAGradient:
    def __init__(self, lr=0.01, rho=0.9, epsilon=1e-8):
        self.lr, self.rho, self.epsilon, self.cache = lr, rho, epsilon, {}

    def update(self, key, grad):
        self.cache[key] = self.rho * self.cache.get(key, 0) + (1 - self.rho) * grad**2
        return self.lr * grad / (np.sqrt(self.cache[key]) + self.epsilon)


class OfANameAndAGradientWrong(OfANameAndAGradient):
    def update(self, key, grad):
        self.cache.clear()
        return super().update(key, grad)


class OfGradientsInAList:
    def __init__(self, lr=0.01):
        self.lr = lr

    def get_updates(self, grads):
        return [-self.lr * g for g in grads]


class OfGradientsInAListWrong(OfGradientsInAList):
    def get_updates(self, grads):
        return [self.lr * g * (-1) ** i for i, g in enumerate(grads)]


class WithoutARate:
    def __init__(self, momentum=0.9):
        self.momentum, self.v = momentum, {}

    def step(self, grads):
        self.v = {key: self.momentum * self.v.get(key, 0) + g for key, g in grads.items()}
        return self.v


class WithoutARateWrong(WithoutARate):
    def step(self, grads):
        self.v = {}
        return super().step(grads)


class ShownItsArrays:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum = lr, momentum

    def initialize(self, params):
        self.v = {key: np.zeros_like(p) for key, p in params.items()}

    def update(self, params, grads):
        for key, g in grads.items():
            self.v[key] = self.momentum * self.v[key] + g
            params[key] -= self.lr * self.v[key]


class ShownItsArraysWrong(ShownItsArrays):
    def update(self, params, grads):
        self.initialize(params)
        super().update(params, grads)


class ShownItsTarget:
    def __init__(self, lr=0.01):
        self.lr = lr

    def setup(self, target):
        self.target = target
        return self

    def update(self):
        for param in self.target.params():
            param.data -= self.lr * param.grad.data


class ShownItsTargetWrong(ShownItsTarget):
    def update(self):
        for param in self.target.params():
            param.data += self.lr * param.grad.data


class OfSizes:
    def __init__(self, layer_dims, learning_rate, momentum):
        self.learning_rate, self.momentum, self.v = learning_rate, momentum, {}
        for i in range(1, len(layer_dims)):
            self.v[f"dW{i}"] = np.zeros((layer_dims[i], layer_dims[i - 1]))
            self.v[f"db{i}"] = np.zeros((layer_dims[i], 1))

    def step(self, parameters, grads):
        for key in parameters:
            self.v["d" + key] = self.momentum * self.v["d" + key] + grads["d" + key]
            parameters[key] = parameters[key] - self.learning_rate * self.v["d" + key]
        return parameters


class OfSizesWrong(OfSizes):
    def step(self, parameters, grads):
        self.v["db1"] = 0 * self.v["db1"]
        return super().step(parameters, grads)


class OfShapes:
    def __init__(self, w_shape, b_shape, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v, self.u = lr, momentum, np.zeros(w_shape), np.zeros(b_shape)

    def update(self, w, b, dw, db):
        self.v = self.momentum * self.v + dw
        self.u = self.momentum * self.u + db
        return w - self.lr * self.v, b - self.lr * self.u


class OfShapesWrong(OfShapes):
    def update(self, w, b, dw, db):
        self.u[...] = 0
        return super().update(w, b, dw, db)


class AddsUpItsSlopes:
    def __init__(self, model, learning_rate, batch_size):
        self.model, self.lr, self.batch_size = model, learning_rate, batch_size
        self.zero_gradient()

    def zero_gradient(self):
        self.dw = [0 * w for w in self.model.weights]
        self.db = [0 * b for b in self.model.bias]

    def update(self, delta_w, delta_b):
        self.dw = [a + g for a, g in zip(self.dw, delta_w, strict=True)]
        self.db = [a + g for a, g in zip(self.db, delta_b, strict=True)]

    def step(self):
        rate = self.lr / self.batch_size
        self.model.weights = [w - rate * g for w, g in zip(self.model.weights, self.dw, strict=True)]
        self.model.bias = [b - rate * g for b, g in zip(self.model.bias, self.db, strict=True)]


class AddsUpItsSlopesWrong(AddsUpItsSlopes):
    def update(self, delta_w, delta_b):
        super().update(delta_w, [-g for g in delta_b])


def adam(grads, v, s, t, learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
    steps = {}
    for key, g in grads.items():
        v[key] = beta1 * v[key] + (1 - beta1) * g
        s[key] = beta2 * s[key] + (1 - beta2) * g**2
        steps[key] = learning_rate * v[key] / (1 - beta1**t) / (np.sqrt(s[key] / (1 - beta2**t)) + epsilon)
    return steps


def adamWrong(grads, v, s, t, learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return adam(grads, v, {key: 0 * a for key, a in s.items()}, t, learning_rate, beta1, beta2, epsilon)


def update(t, grads, adam_param, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return adam(grads, *adam_param, t, 1.0, beta1, beta2, epsilon)


def updateWrong(t, grads, adam_param, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return adam(grads, *adam_param, 1, 1.0, beta1, beta2, epsilon)
