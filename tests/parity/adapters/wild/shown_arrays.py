"""Optimizers that are shown their array by a method, and steps before which the state comes."""

import numpy as np


class RMSPropOfAShownArray:
    late = False

    def __init__(self, lr=0.001, decay_rate=0.9, epsilon=1e-8):
        self._lr, self._decay_rate, self._epsilon, self._g, self._params = lr, decay_rate, epsilon, 0, 0

    def set_parameters(self, params):
        self._params = params

    def update(self, grads):
        old = self._g
        self._g = self._decay_rate * self._g + (1 - self._decay_rate) * grads**2
        self._params = self._params - self._lr * grads / (
            np.sqrt(old if self.late else self._g) + self._epsilon
        )
        return self._params


class RMSPropOfAShownArrayWrong(RMSPropOfAShownArray):
    late = True


class AdaDeltaOfAnotherName:
    power = 2

    def __init__(self, decay_rate=0.95, epsilon=1e-6):
        self._lr = decay_rate
        self._epsilon, self._g, self._delta, self._params = epsilon, 0, 0, 0

    def set_parameters(self, params):
        self._params = params

    def update(self, grads):
        self._g = self._lr * self._g + (1 - self._lr) * grads**2
        step = np.sqrt(self._delta + self._epsilon) / np.sqrt(self._g + self._epsilon) * grads
        self._delta = self._lr * self._delta + (1 - self._lr) * np.abs(step) ** self.power
        self._params -= step
        return self._params


class AdaDeltaOfAnotherNameWrong(AdaDeltaOfAnotherName):
    power = 1


class MomentumOfOptions:
    """`set_params` is of options: the step is returned."""

    factor = 1.0

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v, self.options = lr, momentum, 0.0, None

    def set_params(self, params):
        self.options = params

    def update(self, grad):
        self.v = self.momentum * self.v * self.factor + grad
        return self.lr * self.v


class MomentumOfOptionsWrong(MomentumOfOptions):
    factor = 0.5


def rms_step(w, s, g, lr=0.01, beta=0.99, eps=1e-8):
    s = beta * s + (1 - beta) * g * g
    return w - lr * g / (s**0.5 + eps), s


def rms_step_wrong(w, s, g, lr=0.01, beta=0.99, eps=1e-8):
    s = beta * s + (1 - beta) * g
    return w - lr * g / (abs(s) ** 0.5 + eps), s


class MomentumOnItsParameters:
    """Its parameters have had a velocity from their beginning."""

    factor = 1.0

    def __init__(self, parameters, lr=0.01, momentum=0.9):
        self.parameters, self.lr, self.momentum = parameters, lr, momentum

    def step(self):
        for p in self.parameters:
            p.v = self.momentum * p.v * self.factor + p.grad
            p.data -= self.lr * p.v


class MomentumOnItsParametersWrong(MomentumOnItsParameters):
    factor = 0.5
