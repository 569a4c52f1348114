"""Optimizers that are handed their arrays in rarer shapes; names that end in Wrong are wrong."""

import numpy as np


class HoldsTwoLists:
    def __init__(self, weights=None, biases=None, lr=0.01, momentum=0.9):
        self.weights, self.biases, self.lr, self.momentum = weights, biases, lr, momentum
        self.of_weights = [np.zeros_like(w) for w in weights]
        self.of_biases = [np.zeros_like(b) for b in biases]

    def update(self, dW, dB):
        both = ((self.weights, self.of_weights, dW), (self.biases, self.of_biases, dB))
        for arrays, velocities, slopes in both:
            for i, g in enumerate(slopes):
                velocities[i] = self.momentum * velocities[i] + g
                arrays[i] = arrays[i] - self.lr * velocities[i]


class HoldsTwoListsWrong(HoldsTwoLists):
    """The biases' velocities are forgotten."""

    def update(self, dW, dB):
        self.of_biases = [np.zeros_like(b) for b in self.biases]
        super().update(dW, dB)


class MakesNewLists:
    def __init__(self, lr, weights, biases):
        self.rate, self.w, self.b = lr, weights, biases

    def step(self, nabla_b, nabla_w):
        self.w = [w - self.rate * g for w, g in zip(self.w, nabla_w, strict=True)]
        self.b = [b - self.rate * g for b, g in zip(self.b, nabla_b, strict=True)]


class MakesNewListsWrong(MakesNewLists):
    def step(self, nabla_b, nabla_w):
        self.w = [w - self.rate * g for w, g in zip(self.w, nabla_w, strict=True)]
        self.b = [b + self.rate * g for b, g in zip(self.b, nabla_b, strict=True)]


class GivesTwoLists:
    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def update(self, weights, biases, grad_weights, grad_biases):
        if not isinstance(weights, list):
            raise TypeError("lists, please")
        pairs = zip((weights, biases), (grad_weights, grad_biases), strict=True)
        return tuple(
            [a - self.learning_rate * g for a, g in zip(arrays, slopes, strict=True)]
            for arrays, slopes in pairs
        )


class MomentsOfTheLayer:
    """The layer has had its velocities from its beginning."""

    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.learning_rate, self.momentum = learning_rate, momentum

    def update_parms(self, layer):
        layer.v_weights = self.momentum * layer.v_weights + layer.weights_gradient
        layer.v_bias = self.momentum * layer.v_bias + layer.bias_gradient
        layer.weights -= self.learning_rate * layer.v_weights
        layer.bias -= self.learning_rate * layer.v_bias


class MomentsOfTheLayerWrong(MomentsOfTheLayer):
    def update_parms(self, layer):
        layer.v_bias[...] = 0
        super().update_parms(layer)


class AsksForAnotherMomentWrong(MomentsOfTheLayer):
    """It asks for an attribute that is never there, so that each step begins from 0."""

    def update_parms(self, layer):
        if not hasattr(layer, "weights_momentum"):
            layer.v_weights, layer.v_bias = np.zeros_like(layer.weights), np.zeros_like(layer.bias)
        super().update_parms(layer)


class OfHeldPairs:
    def __init__(self, params, lr=0.01, momentum=0.9):
        self.params, self.lr, self.momentum = params, lr, momentum
        self.v = [np.zeros_like(pair[0]) for pair in params]

    def step(self):
        for i, (p, g) in enumerate(self.params):
            self.v[i] = self.momentum * self.v[i] + g
            p -= self.lr * self.v[i]


class OfHeldPairsWrong(OfHeldPairs):
    def step(self):
        self.v = [np.zeros_like(v) for v in self.v]
        super().step()


class OfHeldDicts:
    def __init__(self, params, lr=0.01):
        self.params, self.lr = params, lr

    def step(self):
        for p in self.params:
            p["value"] = p["value"] - self.lr * p["grad"]


class OfHeldDictsWrong(OfHeldDicts):
    def step(self):
        for p in self.params:
            p["value"] = p["value"] + self.lr * p["grad"]


class OnlyWithMomentum:
    def __init__(self, learning_rate=0.01, momentum=0.0):
        self.learning_rate, self.momentum = learning_rate, momentum

    def update_params(self, layer):
        if self.momentum:
            raise ValueError("momentum is to come")


class CountsAfterEachStep:
    """Both calls around the steps, under other names."""

    def __init__(self, lr=0.01):
        self.lr, self.now = lr, 0.0

    def pre_step(self):
        self.now = self.lr

    def update_layer_params(self, layer):
        layer.W -= self.now * layer.dW
        layer.b -= self.now * layer.db

    def post_step(self):
        self.now = 0.0


class FromMomentumOn:
    """The momentum's branch forgets to change anything."""

    def __init__(self, learning_rate=0.01, momentum=0.0):
        self.learning_rate, self.momentum = learning_rate, momentum

    def update_params(self, layer):
        if self.momentum:
            layer.moved = (-self.learning_rate * layer.dweights, -self.learning_rate * layer.dbiases)
        else:
            layer.weights += -self.learning_rate * layer.dweights
            layer.biases += -self.learning_rate * layer.dbiases


class ChangesByMomentumAlone:
    """Without a momentum nothing is changed."""

    def __init__(self, learning_rate=0.01, momentum=0.0):
        self.learning_rate, self.momentum, self.v = learning_rate, momentum, {}

    def update(self, params, grads):
        for key in params if self.momentum else ():
            self.v[key] = self.momentum * self.v.get(key, 0) + grads[key]
            params[key] -= self.learning_rate * self.v[key]


class DecaysItsRate:
    def __init__(self, learning_rate=0.01, decay=1e-3):
        self.learning_rate, self.decay, self.iterations = learning_rate, decay, 0

    def update(self, params, grads):
        for key in params:
            params[key] -= self.learning_rate / (1 + self.decay * self.iterations) * grads[key]
        self.iterations += 1


class DecaysItsRateByAFactor(DecaysItsRate):
    def __init__(self, learning_rate=0.01, lr_decay=0.99):
        self.learning_rate, self.lr_decay = learning_rate, lr_decay

    def update(self, params, grads):
        for key in params:
            params[key] -= self.learning_rate * grads[key]
        self.learning_rate *= self.lr_decay


class DecaysItsRateWrong(DecaysItsRate):
    def update(self, params, grads):
        super().update(params, {key: -grad for key, grad in grads.items()})


class BiasesReadTheFirstRate:
    """The rate of the biases is not the one that decays."""

    def __init__(self, learning_rate=0.01):
        self.learning_rate = self.current_learning_rate = learning_rate

    def update_params(self, layer):
        layer.weights -= self.current_learning_rate * layer.dweights
        layer.biases -= self.learning_rate * layer.dbiases


class CountsItsLists:
    """Arrays would do for as many rows as there are."""

    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, weights, biases, dweights, dbiases):
        for i in range(len(weights)):
            weights[i] -= self.lr * dweights[i]
            biases[i] -= self.lr * dbiases[i]


class LeavesAColumnWrong:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, w, dw):
        w[..., 1:] -= self.lr * dw[..., 1:]
        return w
