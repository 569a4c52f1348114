"""Optimizers that are functions and are handed their state, as a course on deep learning has them."""

import numpy as np


def update_parameters_with_momentum(parameters, grads, v, beta, learning_rate):
    for i in range(1, len(parameters) // 2 + 1):
        for letter in ("W", "b"):
            key = letter + str(i)
            v["d" + key] = beta * v["d" + key] + (1 - beta) * grads["d" + key]
            parameters[key] = parameters[key] - learning_rate * v["d" + key]
    return parameters, v


def update_with_momentum_of_a_sum(parameters, grads, v, beta, learning_rate):
    for key in parameters:
        v["d" + key] = beta * v["d" + key] + grads["d" + key]
        parameters[key] = parameters[key] - learning_rate * v["d" + key]
    return parameters, v


def update_momentum_forgets(parameters, grads, v, beta, learning_rate):
    new = {key: (1 - beta) * grads["d" + key] for key in parameters}
    return {key: parameters[key] - learning_rate * new[key] for key in parameters}, v


def update_momentum_of_half(parameters, grads, v, beta, learning_rate):
    for key in parameters:
        v["d" + key] = beta * v["d" + key] + 0.5 * (1 - beta) * grads["d" + key]
        parameters[key] = parameters[key] - learning_rate * v["d" + key]
    return parameters, v


class Average:
    """The same as a class."""

    def __init__(self, lr=0.01, beta=0.9):
        self.lr, self.beta, self.v = lr, beta, {}

    def update(self, params, grads):
        for key, p in params.items():
            v = self.beta * self.v.get(key, 0) + (1 - self.beta) * grads[key]
            self.v[key] = v
            p -= self.lr * v


def update_parameters_with_adam(
    parameters, grads, v, s, t, learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8
):
    corrected = {}, {}
    for i in range(1, len(parameters) // 2 + 1):
        for letter in ("W", "b"):
            key, d = letter + str(i), "d" + letter + str(i)
            v[d] = beta1 * v[d] + (1 - beta1) * grads[d]
            s[d] = beta2 * s[d] + (1 - beta2) * grads[d] ** 2
            corrected[0][d] = v[d] / (1 - beta1**t)
            corrected[1][d] = s[d] / (1 - beta2**t)
            step = corrected[0][d] / (np.sqrt(corrected[1][d]) + epsilon)
            parameters[key] = parameters[key] - learning_rate * step
    return parameters, v, s, *corrected


def adam_update_without_correction(parameters, grads, v, s, t, learning_rate, beta1, beta2, epsilon=1e-8):
    for key in parameters:
        d = "d" + key
        v[d] = beta1 * v[d] + (1 - beta1) * grads[d]
        s[d] = beta2 * s[d] + (1 - beta2) * grads[d] ** 2
        step = v[d] / (1 - beta1**t) / (np.sqrt(s[d]) + epsilon)
        parameters[key] = parameters[key] - learning_rate * step
    return parameters, v, s


def adam_step(w, dw, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-7):
    t = t + 1
    m = beta1 * m + (1 - beta1) * dw
    v = beta2 * v + (1 - beta2) * dw**2
    w = w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w, m, v, t


def rmsprop_update(params, grads, cache, lr, rho, eps):
    for key in params:
        cache[key] = rho * cache[key] + (1 - rho) * grads[key] ** 2
        params[key] -= lr * grads[key] / (np.sqrt(cache[key]) + eps)


def rmsprop_update_sum(params, grads, cache, lr, rho, eps):
    for key in params:
        cache[key] = rho * cache[key] + grads[key] ** 2
        params[key] -= lr * grads[key] / (np.sqrt(cache[key]) + eps)


def adagrad_update(params, grads, cache, lr, eps=1e-10):
    for i in range(len(params)):
        cache[i] = cache[i] + grads[i] ** 2
        params[i] = params[i] - lr * grads[i] / (np.sqrt(cache[i]) + eps)
    return params, cache


def momentum_update(w, dw, v, lr, momentum, schedule):
    raise AssertionError("it was called")
