"""Functions that make optimizers: they return the function that is the step; names in wrong are wrong."""

import numpy as np


def make_adam(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m = v = t = 0

    def update(w, grad):
        nonlocal m, v, t
        t += 1
        m = beta1 * m + (1 - beta1) * grad
        v = beta2 * v + (1 - beta2) * grad**2
        return w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)

    return update


def momentum(lr, mu=0.9):
    state = {}

    def step(params, grads):
        for key in params:
            state[key] = mu * state.get(key, 0) - lr * grads[key]
            params[key] += state[key]

    return step


def create_sgd(lr=0.1):  # wrong: it goes uphill
    def descend(params, grads):
        return [p + lr * g for p, g in zip(params, grads, strict=True)]

    return descend


def rmsprop_schedule(lr, steps):  # no optimizer: it returns a function of the step's number
    def rate(t):
        return lr * 0.5 ** (t / steps)

    return rate
