"""A small library built live: params and grads in dicts, activations of a function and its prime."""

import numpy as np


class Layer:
    def __init__(self):
        self.params, self.grads = {}, {}


class Linear(Layer):
    def __init__(self, input_size, output_size):
        super().__init__()
        rng = np.random.default_rng(0)
        self.params["w"] = rng.standard_normal((input_size, output_size))
        self.params["b"] = rng.standard_normal(output_size)

    def forward(self, inputs):
        self.inputs = inputs
        return inputs @ self.params["w"] + self.params["b"]

    def backward(self, grad):
        self.grads["b"] = np.sum(grad, axis=0)
        self.grads["w"] = self.inputs.T @ grad
        return grad @ self.params["w"].T


class LinearWrong(Linear):
    def backward(self, grad):
        self.grads["b"] = np.mean(grad, axis=0)
        self.grads["w"] = self.inputs.T @ grad
        return grad @ self.params["w"].T


class Activation(Layer):
    def __init__(self, f, f_prime):
        super().__init__()
        self.f, self.f_prime = f, f_prime

    def forward(self, inputs):
        self.inputs = inputs
        return self.f(inputs)

    def backward(self, grad):
        return self.f_prime(self.inputs) * grad


def tanh(x):
    return np.tanh(x)


def tanh_prime(x):
    y = tanh(x)
    return 1 - y**2


class Tanh(Activation):
    def __init__(self):
        super().__init__(tanh, tanh_prime)


class Sigmoid(Activation):
    def __init__(self):
        def sigmoid(x):
            return 1 / (1 + np.exp(-x))

        def sigmoid_prime(x):
            s = sigmoid(x)
            return s * (1 - s)

        super().__init__(sigmoid, sigmoid_prime)


class SigmoidWrong(Activation):
    def __init__(self):
        super().__init__(lambda x: 1 / (1 + np.exp(-x)), lambda x: x * (1 - x))


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class Softmax:
    def forward(self, x):
        self.y = softmax(x)
        return self.y

    def backward(self, dout):
        dx = np.empty_like(dout)
        for i, (y, d) in enumerate(zip(self.y, dout, strict=True)):
            y = y.reshape(-1, 1)
            dx[i] = (np.diagflat(y) - y @ y.T) @ d
        return dx


class SoftmaxWrong(Softmax):
    def backward(self, dout):
        return self.y * (1 - self.y) * dout
