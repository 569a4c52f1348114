"""Optimizers that are given numbers at each call, take gradients first, or keep what their constructor saw.

Names that end in Wrong are wrong.
"""

import numpy as np


class RateAtEachCall:
    def __init__(self):
        self.steps = 0

    def update(self, params, grads, lr):
        self.steps += 1
        for key in params:
            params[key] -= lr * grads[key]


class RateAtEachCallWrong(RateAtEachCall):
    def update(self, params, grads, lr):
        super().update(params, grads, lr / (1 + self.steps))


class RateOfALayer:
    def update(self, layer, learning_rate=0.01):
        layer.W = layer.W - learning_rate * layer.dW
        layer.b = layer.b - learning_rate * layer.db


class RateOfALayerWrong(RateOfALayer):
    def update(self, layer, learning_rate=0.01):
        layer.W = layer.W - learning_rate * layer.dW
        layer.b = layer.b + learning_rate * layer.db


class MomentumGivenAll:
    def __init__(self):
        self.v = {}

    def step(self, params, grads, lr, momentum):
        for key in params:
            self.v[key] = momentum * self.v.get(key, 0) + self.of(grads[key])
            params[key] -= lr * self.v[key]

    def of(self, g):
        return g


class MomentumGivenAllWrong(MomentumGivenAll):
    def of(self, g):
        return np.clip(g, -0.5, 0.5)


class GradientsFirst:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, grads, params):
        return {key: params[key] - self.lr * grads[key] for key in params}


class GradientsFirstWrong(GradientsFirst):
    def update(self, grads, params):
        return {key: params[key] + self.lr * grads[key] for key in params}


class GradientOfAnArrayFirst:
    def __init__(self, lr=0.01):
        self.lr = lr

    def step(self, grad, w):
        return w - self.lr * grad


class GradientsOfALayerFirst:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, grads, layer):
        layer.weights -= self.lr * grads["weights"]
        layer.bias -= self.lr * grads["bias"]


def sgd_update(grads, params, lr):
    return [p - lr * g for p, g in zip(params, grads, strict=True)]


def sgd_step(grads, params, lr):
    return [g - lr * p for p, g in zip(params, grads, strict=True)]


def gradient_descent_step(params, lr, grads):
    return {key: params[key] - lr * grads[key] for key in params}


class AdamOfDictsAndSteps:
    """The number of the step comes from the loop of the training."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps, self.m, self.v = lr, beta1, beta2, eps, {}, {}

    def update(self, params, grads, t):
        return self.stepped(params, grads, t, self.lr, self.beta1, self.beta2, self.eps)

    def stepped(self, params, grads, t, lr, one, two, eps):
        for key, g in grads.items():
            self.m[key] = one * self.m.get(key, 0) + (1 - one) * g
            self.v[key] = two * self.v.get(key, 0) + (1 - two) * g * g
            m, v = self.m[key] / (1 - one**t), self.v[key] / (1 - two**t)
            params[key] -= lr * m / (np.sqrt(v) + eps)


class AdamOfDictsAndStepsFromZero(AdamOfDictsAndSteps):
    def update(self, params, grads, t):
        super().update(params, grads, t + 1)


class AdamOfDictsAndStepsWrong(AdamOfDictsAndSteps):
    def update(self, params, grads, t):
        super().update(params, grads, t + 5)


class AdamOfArguments(AdamOfDictsAndSteps):
    """Its constructor takes nothing."""

    def __init__(self):
        self.t, self.m, self.v = 0, {}, {}

    def update(self, params, grads, lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.t += 1
        self.stepped(params, grads, self.t, lr, beta_1, beta_2, epsilon)


class AdamOfArgumentsWrong(AdamOfArguments):
    def update(self, params, grads, lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        super().update(params, grads, lr, beta_2, beta_1, epsilon)


class AdamOfTheClass(AdamOfDictsAndSteps):
    """Its constants are those of the class."""

    beta1, beta2, eps = 0.9, 0.999, 1e-8

    def __init__(self, learning_rate):
        self.learning_rate, self.t, self.m, self.v = learning_rate, 0, {}, {}

    def update(self, params, grads):
        self.t += 1
        self.stepped(params, grads, self.t, self.learning_rate, self.beta1, self.beta2, self.eps)


class AdamOfTheClassWrong(AdamOfTheClass):
    def update(self, params, grads):
        self.t += 1
        self.stepped(params, grads, 1, self.learning_rate, self.beta1, self.beta2, self.eps)


class AdamByTheNameOfItsClass(AdamOfTheClass):
    """What is set in the object is not what is read."""

    beta1, beta2, eps = 0.9, 0.999, 1e-8

    def update(self, params, grads):
        self.t += 1
        own = AdamByTheNameOfItsClass
        self.stepped(params, grads, self.t, self.learning_rate, own.beta1, own.beta2, own.eps)


class AdamOfNumbersInTheCode(AdamOfTheClass):
    beta1 = beta2 = eps = None

    def update(self, params, grads):
        self.t += 1
        self.stepped(params, grads, self.t, self.learning_rate, 0.9, 0.999, 1e-8)


class AdamOfNumbersInTheCodeWrong(AdamOfNumbersInTheCode):
    def update(self, params, grads):
        self.t += 1
        self.stepped(params, grads, self.t, self.learning_rate, 0.999, 0.9, 1e-8)


class AdamThatRecordsThem(AdamOfNumbersInTheCode):
    """Its attributes are there to be read by others."""

    def __init__(self, learning_rate):
        super().__init__(learning_rate)
        self.beta1, self.beta2 = 0.9, 0.999


FIRST, SECOND = 0.9, 0.999


class AdamOfNumbersOfTheFile(AdamOfNumbersInTheCode):
    def update(self, params, grads):
        self.t += 1
        self.stepped(params, grads, self.t, self.learning_rate, FIRST, SECOND, 1e-8)


class AdamOfAnotherNumber(AdamOfTheClass):
    """What it has is not PyTorch's default."""

    beta1 = beta2 = None

    def update(self, params, grads):
        self.t += 1
        self.stepped(params, grads, self.t, self.learning_rate, 0.9, 0.99, 1e-8)


class AdamOfAThirdNumber(AdamOfNumbersInTheCode):
    """Which of the three are its constants is not known."""

    def update(self, params, grads):
        super().update(params, grads)
        self.learning_rate *= 0.99


class MomentumOfABeta:
    def __init__(self, lr):
        self.lr, self.beta, self.velocity = lr, 0.9, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.velocity[key] = self.beta * self.velocity.get(key, 0) - self.lr * self.of(g)
            params[key] += self.velocity[key]

    def of(self, g):
        return g


class MomentumOfABetaWrong(MomentumOfABeta):
    def of(self, g):
        return 2 * g


class SGDWithGamma(MomentumOfABeta):
    """gamma is the momentum, since there is a velocity."""

    def __init__(self, lr=0.01, gamma=0.9):
        super().__init__(lr)
        self.beta = gamma


class SGDWithGammaWrong(SGDWithGamma):
    def of(self, g):
        return g if self.beta == 0 else 2 * g


class KeepsWhatItsLayersHave:
    """Its lists are made once; gradients are written into the old arrays, as in the second volume."""

    def __init__(self, layers, lr=0.01):
        self.lr = lr
        self.params = [p for layer in layers for p in layer.params]
        self.grads = [g for layer in layers for g in layer.grads]

    def step(self):
        for p, g in zip(self.params, self.grads, strict=True):
            p -= self.lr * g


class KeepsWhatItsLayersHaveWrong(KeepsWhatItsLayersHave):
    def __init__(self, layers, lr=0.01):
        super().__init__(layers, lr)
        self.grads = [g.copy() for g in self.grads]


class HoldsBothDicts:
    def __init__(self, params, grads, lr=0.01):
        self.params, self.grads, self.lr = params, grads, lr

    def step(self):
        for key in self.params:
            self.params[key] = self.params[key] - self.lr * self.grads[key]


class HoldsBothDictsWrong(HoldsBothDicts):
    def step(self):
        for key in self.params:
            self.params[key] = self.params[key] - self.lr * np.sign(self.grads[key])


class OfAnotherMethod:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update_param(self, w, grad):
        return w - self.lr * grad


class OfAnotherMethodWrong(OfAnotherMethod):
    def update_param(self, w, grad):
        return w + self.lr * grad
