"""Adadelta as people write it: without a rate, its constant under another name or as a number."""

import numpy as np


class AdaDelta:
    """The paper's: it has no rate."""

    def __init__(self, rho=0.95, epsilon=1e-6):
        self.rho, self.epsilon, self.gradients, self.changes = rho, epsilon, {}, {}

    def update(self, params, grads):
        for key, g in grads.items():
            squares = self.gradients.get(key, 0.0)
            self.gradients[key] = self.rho * squares + (1 - self.rho) * g**2
            dx = -np.sqrt(self.changes.get(key, 0.0) + self.epsilon) * self.divided(key, g)
            self.changes[key] = self.rho * self.changes.get(key, 0.0) + (1 - self.rho) * self.entering(dx, g)
            params[key] += dx

    def divided(self, key, g):
        return g / np.sqrt(self.gradients[key] + self.epsilon)

    def entering(self, dx, g):
        return dx * dx


class AdaDeltaWrong(AdaDelta):
    def entering(self, dx, g):
        return g * g


class NeverMoves(AdaDelta):
    """Without eps above, the first change is 0 and so is every other one."""

    def update(self, params, grads):
        for key, g in grads.items():
            self.gradients[key] = self.rho * self.gradients.get(key, 0.0) + (1 - self.rho) * g**2
            dx = np.sqrt(self.changes.get(key, 0.0)) * self.divided(key, g)
            self.changes[key] = self.rho * self.changes.get(key, 0.0) + (1 - self.rho) * dx * dx
            params[key] -= dx


class ByGamma:
    """A list of arrays that it holds; gamma is the decay."""

    def __init__(self, params, gamma=0.9, eps=1e-8):
        self.params, self.gamma, self.eps = params, gamma, eps
        self.squares = [np.zeros_like(p) for p in params]
        self.deltas = [np.zeros_like(p) for p in params]

    def step(self, grads):
        for i, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            self.squares[i] = self.gamma * self.squares[i] + (1 - self.gamma) * g**2
            delta = np.sqrt(self.deltas[i] + self.eps) / np.sqrt(self.squares[i] + self.eps) * g
            self.deltas[i] = self.gamma * self.deltas[i] + self.share() * delta**2
            p -= delta

    def share(self):
        return 1 - self.gamma


class ByGammaWrong(ByGamma):
    def share(self):
        return 1.0


class OfNumbers:
    """The paper's decay is a number in the code."""

    def __init__(self):
        self.h, self.d = {}, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.h[key] = 0.95 * self.h.get(key, 0.0) + 0.05 * g * g
            step = np.sqrt(self.d.get(key, 0.0) + 1e-6) / np.sqrt(self.h[key] + 1e-6) * g
            self.d[key] = 0.95 * self.d.get(key, 0.0) + 0.05 * step * step
            params[key] -= step


class OfNumbersWrong:
    def __init__(self):
        self.h, self.d = {}, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.h[key] = 0.95 * self.h.get(key, 0.0) + 0.05 * g * g
            params[key] -= np.sqrt(self.d.get(key, 0.0) + 1e-6) / np.sqrt(self.h[key] + 1e-6) * g


def adadelta(w, dw, config):
    """cs231n's form, which asks its dict for no rate."""
    rho, eps = config.setdefault("rho", 0.95), config.setdefault("epsilon", 1e-6)
    config["cache"] = rho * config.get("cache", 0.0) + (1 - rho) * dw * dw
    step = np.sqrt(config.get("delta", 0.0) + eps) / np.sqrt(config["cache"] + eps) * dw
    config["delta"] = rho * config.get("delta", 0.0) + (1 - rho) * step**2
    return w - step, config


def adadelta_wrong(w, dw, config):
    rho, eps = config.setdefault("rho", 0.95), config.setdefault("epsilon", 1e-6)
    config["cache"] = rho * config.get("cache", 0.0) + (1 - rho) * dw * dw
    step = np.sqrt(config.get("delta", 0.0) + eps) / np.sqrt(config["cache"] + eps) * dw
    config["delta"] = rho * config.get("delta", 0.0) + step**2
    return w - step, config


def adadelta_update(params, grads, s, delta, rho, eps=1e-6):
    """Both states are handed over."""
    for key in params:
        s[key] = rho * s[key] + (1 - rho) * grads[key] ** 2
        step = np.sqrt(delta[key] + eps) / np.sqrt(s[key] + eps) * grads[key]
        params[key] -= step
        delta[key] = rho * delta[key] + (1 - rho) * step**2
    return params, s, delta


def adadelta_update_wrong(params, grads, s, delta, rho, eps=1e-6):
    for key in params:
        s[key] = rho * s[key] + (1 - rho) * grads[key] ** 2
        step = np.sqrt(delta[key] + eps) / np.sqrt(s[key] + eps) * grads[key]
        params[key] -= step
        delta[key] = rho * delta[key] + (1 - rho) * np.abs(step)
    return params, s, delta


def adadelta_optimizer(grad, x0, rho=0.9, eps=1e-6, n_iter=100):
    """All steps in one call."""
    x, h, d = x0.copy(), np.zeros_like(x0), np.zeros_like(x0)
    for _ in range(n_iter):
        g = grad(x)
        h = rho * h + (1 - rho) * g**2
        step = np.sqrt(d + eps) / np.sqrt(h + eps) * g
        d = rho * d + (1 - rho) * step**2
        x -= step
    return x


class OutsideTheRoots:
    """Of one array; eps stands beside the roots, as in the other rules."""

    def __init__(self, lr=1.0, rho=0.9, eps=1e-6):
        self.lr, self.rho, self.eps, self.h, self.d = lr, rho, eps, 0.0, 0.0

    def update(self, w, dw):
        self.h = self.rho * self.h + (1 - self.rho) * dw**2
        step = (np.sqrt(self.d) + self.eps) / (np.sqrt(self.h) + self.eps) * dw
        self.d = self.rho * self.d + (1 - self.rho) * self.entering(step)
        return w - self.lr * step

    def entering(self, step):
        return step**2


class OutsideTheRootsWrong(OutsideTheRoots):
    def entering(self, step):
        return (self.lr * step) ** 2


class AdaMax:
    """Dicts; eps where it divides, as in Keras."""

    def __init__(self, lr=0.002, beta1=0.9, beta2=0.999, eps=1e-7):
        self.lr, self.beta1, self.beta2, self.eps, self.t, self.m, self.u = lr, beta1, beta2, eps, 0, {}, {}

    def update(self, params, grads):
        self.t += 1
        for key, g in grads.items():
            self.m[key] = self.beta1 * self.m.get(key, 0.0) + (1 - self.beta1) * g
            self.u[key] = self.larger(self.beta2 * self.u.get(key, 0.0), g)
            rate = self.lr / (1 - self.beta1**self.t)
            params[key] -= rate * self.m[key] / (self.u[key] + self.eps)

    def larger(self, u, g):
        return np.maximum(u, np.abs(g))


class AdaMaxSigned(AdaMax):
    def larger(self, u, g):
        return np.maximum(u, g)


class Adamax:
    """The paper's, of one array: without eps."""

    def __init__(self, learning_rate=0.002, betas=(0.9, 0.999)):
        self.learning_rate, (self.b1, self.b2) = learning_rate, betas
        self.m, self.u, self.t = 0.0, 0.0, 0

    def update(self, w, dw):
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * dw
        self.u = np.maximum(self.kept() * self.u, np.abs(dw))
        return w - self.learning_rate / (1 - self.b1**self.t) * self.m / self.u

    def kept(self):
        return self.b2


class AdamaxWrong(Adamax):
    def kept(self):
        return 1.0


def adamax(w, dw, config):
    """cs231n's form, with PyTorch's eps."""
    b1, b2 = config.setdefault("beta1", 0.9), config.setdefault("beta2", 0.999)
    config["t"] = config.get("t", 0) + 1
    config["m"] = b1 * config.get("m", 0.0) + (1 - b1) * dw
    config["u"] = np.maximum(b2 * config.get("u", 0.0), np.abs(dw) + 1e-8)
    return w - config["learning_rate"] * config["m"] / (1 - b1 ** config["t"]) / config["u"], config


def adamax_wrong(w, dw, config):
    b1, b2 = config.setdefault("beta1", 0.9), config.setdefault("beta2", 0.999)
    config["m"] = b1 * config.get("m", 0.0) + (1 - b1) * dw
    config["u"] = np.maximum(b2 * config.get("u", 0.0), np.abs(dw) + 1e-8)
    return w - config["learning_rate"] * config["m"] / config["u"], config


class Nadam:
    """The overview's: one momentum, and both terms corrected by 1 - beta1**t."""

    def __init__(self, lr=0.002, beta1=0.9, beta2=0.999):
        self.lr, self.beta1, self.beta2, self.t, self.m, self.v = lr, beta1, beta2, 0, {}, {}

    def update(self, params, grads):
        self.t += 1
        for key, g in grads.items():
            self.m[key] = self.beta1 * self.m.get(key, 0.0) + (1 - self.beta1) * g
            self.v[key] = self.beta2 * self.v.get(key, 0.0) + (1 - self.beta2) * g**2
            v = self.v[key] / (1 - self.beta2**self.t)
            params[key] -= self.lr * self.ahead(self.m[key], g) / (np.sqrt(v) + 1e-8)

    def ahead(self, m, g):
        return (self.beta1 * m + (1 - self.beta1) * g) / (1 - self.beta1**self.t)


class NadamAlikeWrong(Nadam):
    def ahead(self, m, g):
        return (self.beta1 * m + g) / (1 - self.beta1**self.t)


class NAdam(Nadam):
    """The paper's first formula: one momentum, corrected for the step ahead."""

    def ahead(self, m, g):
        left = 1 - self.beta1 ** (self.t + 1)
        return self.beta1 * m / left + (1 - self.beta1) * g / (1 - self.beta1**self.t)


class NAdamWrong(Nadam):
    def ahead(self, m, g):
        left = 1 - self.beta1 ** (self.t + 1)
        return self.beta1 * m / left + (1 - self.beta1) * g


class NAdamOptimizer:
    """PyTorch's schedule, with its numbers in the code; of one array."""

    def __init__(self, learning_rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.learning_rate, self.b1, self.b2, self.epsilon = learning_rate, beta_1, beta_2, epsilon
        self.t, self.m, self.v, self.product = 0, 0.0, 0.0, 1.0

    def update(self, w, dw):
        self.t += 1
        now, then = self.momentum(self.t), self.momentum(self.t + 1)
        self.product *= now
        self.m = self.b1 * self.m + (1 - self.b1) * dw
        self.v = self.b2 * self.v + (1 - self.b2) * dw**2
        ahead = self.following(then) * self.m + (1 - now) * dw / (1 - self.product)
        return w - self.learning_rate * ahead / (np.sqrt(self.v / (1 - self.b2**self.t)) + self.epsilon)

    def momentum(self, t):
        return self.b1 * (1 - 0.5 * 0.96 ** (0.004 * t))

    def following(self, then):
        return then / (1 - self.product * then)


class NAdamOptimizerWrong(NAdamOptimizer):
    def following(self, then):
        return then / (1 - self.product)


class Unrated(AdaDelta):
    """It accepts a rate, which the paper does not have."""

    def __init__(self, lr=0.01, rho=0.95, epsilon=1e-6):
        super().__init__(rho, epsilon)
        self.lr = lr


class UnratedWrong(Unrated):
    def entering(self, dx, g):
        return g * g
