"""Gradient descent whose rate has another name, on models, and on dicts of numbered arrays."""

import numpy as np


class DescentEps:
    def __init__(self, eps):
        self.eps = eps

    def update(self, params, grads):
        for key in params:
            params[key] -= self.eps * grads[key]


class DescentEpsilon:
    def __init__(self, epsilon=0.5):
        self.epsilon = epsilon

    def update(self, w, dw):
        return w - self.epsilon * dw


class DescentEpsTwice(DescentEps):
    def __init__(self, eps):
        super().__init__(2 * eps)


def sgd_step(params, grads, alpha):
    return {key: w - alpha * grads[key] for key, w in params.items()}


def update_parameters(parameters, grads, learning_rate):
    return {key: w - learning_rate * grads[f"d{key}"] for key, w in parameters.items()}


def update_two_layers(parameters, grads, learning_rate):
    """Knows two layers by their names."""
    return {key: parameters[key] - learning_rate * grads["d" + key] for key in ("W1", "b1", "W2", "b2")}


def update_without_biases(parameters, grads, learning_rate):
    new = dict(parameters)
    for layer in range(1, len(parameters) // 2 + 1):
        new[f"W{layer}"] = parameters[f"W{layer}"] - learning_rate * grads[f"dW{layer}"]
        new[f"b{layer}"] = parameters[f"b{layer}"] - 2 * learning_rate * grads[f"db{layer}"]
    return new


class NumberedMomentum:
    def __init__(self, lr, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def update(self, params, grads):
        for key in params:
            self.v[key] = self.momentum * self.v.get(key, 0) - self.lr * grads["d" + key]
            params[key] += self.v[key]


def sgd_update(model, lr):
    for key in model.params:
        model.params[key] -= lr * model.grads[key]


def sgd_model(model, lr):
    model.W -= lr * model.dW
    model.b -= lr * model.db


def sgd_model_without_bias(model, lr):
    model.W -= lr * model.dW
    model.b -= lr * model.b


def update_layers(net, step_size):
    for layer in net.layers:
        layer.W = layer.W - step_size * layer.dW
        layer.b = layer.b - step_size * layer.db


def sgd_upwards(model, lr):
    for key in model.params:
        model.params[key] += lr * model.grads[key]


def cross_entropy(y, t):
    return -np.sum(t * np.log(y))


class SumOfEntropies:
    def forward(self, y, t):
        self.y, self.t = y, t
        return -np.sum(t * np.log(y))

    def backward(self):
        return -self.t / self.y


class SumOfScores:
    """The gradient of the scores before softmax, not divided either."""

    def forward(self, y, t):
        self.y, self.t = y, t
        return -np.sum(t * np.log(y))

    def backward(self):
        return self.y - self.t


class SoftmaxSum:
    """Of the scores, and the gradient is that of the sum as well."""

    def forward(self, x, t):
        shifted = x - x.max(axis=1, keepdims=True)
        log_y = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.y, self.t = np.exp(log_y), t if t.ndim == 2 else np.eye(x.shape[1], dtype=x.dtype)[t]
        return -np.sum(self.t * log_y)

    def backward(self):
        return self.y - self.t


class SoftmaxSumOfMean(SoftmaxSum):
    def backward(self):
        return super().backward() / self.t.dtype.type(len(self.t))


class SumWithGradientOfMean(SumOfEntropies):
    def backward(self):
        return super().backward() / len(self.t)


class MeanWithGradientOfSum(SumOfEntropies):
    def forward(self, y, t):
        return super().forward(y, t) / len(t)


class LeakyRelu:
    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, 0.1 * x)

    def backward(self, dout):
        return np.where(self.x > 0, dout, 0.01 * dout)


class Dense:
    def __init__(self, layer_dims):
        n_in, n_out = layer_dims
        self.W, self.b = np.zeros((n_in, n_out)), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class DenseOfCapitals(Dense):
    def __init__(self, D, H):
        super().__init__((D, H))


class DenseWithMean(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW /= len(dout)
        return dx
