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
