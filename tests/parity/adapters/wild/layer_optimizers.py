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


class AdamOfCountedSteps:
    """The number of the step comes with every call, and the moments are nobody's in particular."""

    def __init__(self, eta=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.m_dw, self.v_dw, self.m_db, self.v_db = 0, 0, 0, 0
        self.eta, self.beta1, self.beta2, self.epsilon = eta, beta1, beta2, epsilon

    def squared(self, db):
        return db**2

    def update(self, t, w, b, dw, db):
        self.m_dw = self.beta1 * self.m_dw + (1 - self.beta1) * dw
        self.m_db = self.beta1 * self.m_db + (1 - self.beta1) * db
        self.v_dw = self.beta2 * self.v_dw + (1 - self.beta2) * dw**2
        self.v_db = self.beta2 * self.v_db + (1 - self.beta2) * self.squared(db)
        one, two = 1 - self.beta1**t, 1 - self.beta2**t
        w = w - self.eta * (self.m_dw / one) / (np.sqrt(self.v_dw / two) + self.epsilon)
        b = b - self.eta * (self.m_db / one) / (np.sqrt(self.v_db / two) + self.epsilon)
        return w, b


class AdamOfCountedStepsWrong(AdamOfCountedSteps):
    def squared(self, db):
        return abs(db)


class AdamOfHandedMoments:
    """The caller keeps the moments."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.lr, self.beta1, self.beta2, self.epsilon, self.t = lr, beta1, beta2, epsilon, 0

    def update(self, param, grad, m, v):
        self.t += 1
        m = self.beta1 * m + (1 - self.beta1) * grad
        v = self.beta2 * v + (1 - self.beta2) * grad**2
        m_hat, v_hat = m / (1 - self.beta1**self.t), v / (1 - self.beta2**self.t)
        param -= self.lr * m_hat / (np.sqrt(v_hat) + self.epsilon)
        return param, m, v


class AdamOfHandedMomentsWrong(AdamOfHandedMoments):
    """What it hands back as a moment is the corrected one."""

    def update(self, param, grad, m, v):
        param, m, v = super().update(param, grad, m, v)
        return param, m / (1 - self.beta1**self.t), v


class AdamThatReturnsMomentsFirst(AdamOfHandedMoments):
    def update(self, param, grad, m, v):
        param, m, v = super().update(param, grad, m, v)
        return m, v, param


class MomentumOfALayerAndItsSlopes:
    def __init__(self, learning_rate=0.01, momentum=0.9, clip=None):
        self.rate, self.momentum, self.clip, self.velocity = learning_rate, momentum, clip, {}

    def update(self, layer, gradients):
        for grad in gradients.values() if self.clip else ():
            np.clip(grad, -self.clip, self.clip, out=grad)
        for name in ("weights", "bias"):
            old = self.velocity.get(name, 0)
            self.velocity[name] = self.momentum * old - self.rate * gradients[name]
            setattr(layer, name, getattr(layer, name) + self.velocity[name])


class MomentumOfALayerAndItsSlopesWrong(MomentumOfALayerAndItsSlopes):
    """The velocity of the bias is forgotten."""

    def update(self, layer, gradients):
        super().update(layer, gradients)
        self.velocity["bias"] = 0


class OfALayerAndTwoArrays:
    def __init__(self, lr=0.01):
        self.lr = lr

    def step(self, layer, dW, db):
        layer.weight -= self.lr * dW
        layer.bias -= self.lr * db


class OfALayerAndTwoArraysWrong(OfALayerAndTwoArrays):
    def step(self, layer, dW, db):
        super().step(layer, dW, 2 * db)


class OfParamsThatHaveParams:
    """A framework whose parameters have .params, .grads and a shape."""

    def __init__(self, params, lr=0.01, momentum=0.9):
        self.params, self.lr, self.momentum = list(params), lr, momentum
        for p in self.params:
            p.velocity = np.zeros(p.shape)

    def step(self):
        for p in self.params:
            p.velocity = self.momentum * p.velocity + p.grads
            p.params = p.params - self.lr * p.velocity


class OfParamsThatHaveParamsWrong(OfParamsThatHaveParams):
    def step(self):
        super().step()
        for p in self.params:
            p.velocity = p.velocity * (1 - self.lr)


class RMSpropOfCountedSteps:
    """Corrects nothing by the number of the step, which begins where its caller likes."""

    def __init__(self, lr=0.01, alpha=0.99, eps=1e-8):
        self.lr, self.alpha, self.eps, self.v = lr, alpha, eps, 0

    def update(self, w, dw, t):
        self.v = self.alpha * self.v + (1 - self.alpha) * dw**2
        return w - self.lr * dw / (np.sqrt(self.v) + self.eps)


class AdamOfStepsFromZero(AdamOfCountedSteps):
    def update(self, t, w, b, dw, db):
        return super().update(t + 1, w, b, dw, db)


class AdamOfStepsFromZeroWrong(AdamOfStepsFromZero):
    def squared(self, db):
        return abs(db)
