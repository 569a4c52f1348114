"""Optimizers that are wrong, each in one place."""

import numpy as np
import right


class SGDUphill(right.SGD):
    def update(self, params, grads):
        for key in params:
            params[key] += self.lr * grads[key]


class SGDReplaces(right.SGD):
    def update(self, params, grads):
        for key in params:
            params[key] = params[key] - self.lr * grads[key]


class SGDSpoilsGradients(right.SGD):
    def update(self, params, grads):
        for key in params:
            grads[key] *= self.lr
            params[key] -= grads[key]


class MomentumDamped(right.Momentum):
    def update(self, params, grads):
        super().update(params, {key: (1 - self.momentum) * g for key, g in grads.items()})


class MomentumForgets(right.Momentum):
    def update(self, params, grads):
        self.v = None
        super().update(params, grads)


class MomentumClipped(right.Momentum):
    """Nothing that the catalogue knows: gradients cut off at 1/2."""

    def update(self, params, grads):
        super().update(params, {key: np.clip(g, -0.5, 0.5) for key, g in grads.items()})


class NesterovBook(right.Nesterov):
    """The book's: the velocity has moved already when momentum is squared."""

    def update(self, params, grads):
        if self.v is None:
            self.v = {key: np.zeros_like(p) for key, p in params.items()}
        for key in params:
            self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
            params[key] += self.momentum**2 * self.v[key] - (1 + self.momentum) * self.lr * grads[key]


class NesterovIsMomentum(right.Momentum):
    pass


class NesterovForgets(right.Nesterov):
    def update(self, params, grads):
        self.v = None
        super().update(params, grads)


class AdaGradNoRoot(right.AdaGrad):
    def update(self, params, grads):
        if self.h is None:
            self.h = {key: np.zeros_like(p) for key, p in params.items()}
        for key in params:
            self.h[key] += grads[key] ** 2
            params[key] -= self.lr * grads[key] / (self.h[key] + 1e-10)


class AdaGradBook(right.AdaGrad):
    eps = 1e-7


class AdaGradForgets(right.AdaGrad):
    def update(self, params, grads):
        self.h = None
        super().update(params, grads)


class RMSPropReversed(right.RMSProp):
    def __init__(self, lr=0.01, decay_rate=0.99):
        super().__init__(lr, 1 - decay_rate)


class RMSPropBook(right.RMSProp):
    eps = 1e-7


class RMSPropForgets(right.RMSProp):
    def update(self, params, grads):
        self.h = None
        super().update(params, grads)


class AdadeltaOfSmallEps(right.Adadelta):
    eps = 1e-8


class AdadeltaForgetsChanges(right.Adadelta):
    def change(self, g, squares, changes):
        return super().change(g, squares, 0 * changes)


class AdadeltaRateInside(right.Adadelta):
    def __init__(self, lr=1.0, decay_rate=0.9):
        super().__init__(1.0, decay_rate)
        self.rate = lr

    def change(self, g, squares, changes):
        return self.rate * super().change(g, squares, changes)


class AdadeltaOfFourthPowers(right.Adadelta):
    def change(self, g, squares, changes):
        return super().change(g, squares**2, changes)


class AdamBook:
    """The book's: bias corrected in the learning rate, so that epsilon sits elsewhere."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999):
        self.lr, self.beta1, self.beta2, self.iter, self.m, self.v = lr, beta1, beta2, 0, None, None

    def update(self, params, grads):
        if self.m is None:
            self.m = {key: np.zeros_like(p) for key, p in params.items()}
            self.v = {key: np.zeros_like(p) for key, p in params.items()}
        self.iter += 1
        lr_t = self.lr * np.sqrt(1.0 - self.beta2**self.iter) / (1.0 - self.beta1**self.iter)
        for key in params:
            self.m[key] += (1 - self.beta1) * (grads[key] - self.m[key])
            self.v[key] += (1 - self.beta2) * (grads[key] ** 2 - self.v[key])
            params[key] -= lr_t * self.m[key] / (np.sqrt(self.v[key]) + 1e-7)


class AdamUncorrected(right.Adam):
    def update(self, params, grads):
        self.t = 10**6
        super().update(params, grads)


class AdamSwappedBetas(right.Adam):
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999):
        super().__init__(lr, beta2, beta1)
