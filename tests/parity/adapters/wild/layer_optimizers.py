"""Optimizers that are handed layers, a model or lists of dicts; names that end in Wrong are wrong."""

import numpy as np


class HoldsLayers:
    def __init__(self, layers, lr=0.01):
        self.layers, self.lr = layers, lr

    def step(self):
        for layer in self.layers:
            for name in layer.params:
                layer.params[name] -= self.lr * layer.grads[name]


class HoldsLayersWrong(HoldsLayers):
    def step(self):
        for layer in self.layers:
            for name in layer.params:
                layer.params[name] -= self.lr * np.sign(layer.grads[name])


class AsksEachLayer:
    def __init__(self, layers, lr=0.01):
        self.layers, self.lr = layers, lr

    def step(self):
        for layer in self.layers:
            for p, g in zip(layer.get_params(), layer.get_grads(), strict=True):
                p -= self.lr * g


class MomentumOfOneLayer:
    """New arrays in the place of the old ones."""

    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.rate, self.momentum, self.velocity = learning_rate, momentum, {}

    def update(self, layer):
        old = self.velocity.get(layer, (0, 0))
        new = [
            self.momentum * v - self.rate * g
            for v, g in zip(old, (layer.grad_weights, layer.grad_bias), strict=True)
        ]
        layer.weights, layer.bias = layer.weights + new[0], layer.bias + new[1]
        self.velocity[layer] = new


class MomentumOfOneLayerWrong(MomentumOfOneLayer):
    def update(self, layer):
        self.velocity.pop(layer, None)
        super().update(layer)


class OfANet:
    def __init__(self, lr=0.01):
        self.lr = lr

    def step(self, net):
        for param, grad in net.params_and_grads():
            param -= self.lr * grad


class OfAModelsParameters:
    def __init__(self, model, lr=0.01):
        self.model, self.lr = model, lr

    def step(self):
        for p in self.model.parameters():
            p.data = p.data - self.lr * p.grad


class OfParameters:
    def __init__(self, lr=0.01):
        self.lr = lr

    def step(self, parameters):
        for p in parameters:
            p.data -= self.lr * p.grad


class OfListsOfDicts:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, params, grads):
        for p, g in zip(params, grads, strict=True):
            for key in p:
                p[key] -= self.lr * g[key]


class WhereThereIsAWeightWrong:
    def __init__(self, lr=0.01):
        self.lr = lr

    def step(self, layers):
        for layer in layers:
            if hasattr(layer, "W"):
                layer.W -= self.lr * layer.dW
                layer.b -= 2 * self.lr * layer.db


class AdamW:
    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, weight_decay=0.0):
        self.lr, self.betas, self.decay = lr, (beta1, beta2), weight_decay
        self.t, self.m, self.v = 0, {}, {}

    def update(self, params, grads):
        self.t += 1
        one, two = self.betas
        for key, g in grads.items():
            self.m[key] = one * self.m.get(key, 0) + (1 - one) * g
            self.v[key] = two * self.v.get(key, 0) + (1 - two) * g * g
            m, v = self.m[key] / (1 - one**self.t), self.v[key] / (1 - two**self.t)
            params[key] -= self.lr * self.decayed(params[key])
            params[key] -= self.lr * m / (np.sqrt(v) + 1e-8)

    def decayed(self, p):
        return self.decay * p


class AdamWWrong(AdamW):
    def decayed(self, p):
        return self.decay * np.sign(p)


class OfANamedArray:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def update(self, name, param, grad):
        self.v[name] = self.momentum * self.v.get(name, 0) - self.lr * grad
        return param + self.v[name]


class OfANamedArrayWrong(OfANamedArray):
    """One velocity for all arrays of one shape."""

    def update(self, name, param, grad):
        return super().update(param.shape, param, grad)


class OfAWeightAndItsBias:
    def __init__(self, learning_rate=0.01):
        self.rate = learning_rate

    def update(self, W, b, dW, db):
        return W - self.rate * dW, b - self.rate * db


class OfAWeightAndItsBiasWrong(OfAWeightAndItsBias):
    def update(self, W, b, dW, db):
        return W - self.rate * dW, b + self.rate * db


class HoldsADict:
    def __init__(self, params, lr=0.01):
        self.params, self.lr = params, lr

    def step(self, grads):
        for key in self.params:
            self.params[key] = self.params[key] - self.lr * grads[key]


class OfPairs:
    def __init__(self, lr=0.01):
        self.lr = lr

    def step(self, params_grads):
        for p, g in params_grads:
            p -= self.lr * g
