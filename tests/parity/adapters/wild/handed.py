"""Dense layers that are handed their activation, gradients that add up until a step, and other small ways."""

import numpy as np

RNG = np.random.default_rng(0)


class DenseOfObject:
    def __init__(self, num_of_inputs, amount_of_neurons, activation):
        self.W, self.b = RNG.standard_normal((num_of_inputs, amount_of_neurons)), np.zeros(amount_of_neurons)
        self.activation = activation

    def forward(self, x):
        self.x, self.z = x, x @ self.W + self.b
        return self.activation.function(self.z)

    def backward(self, dout):
        d = dout * self.activation.derivative(self.z)
        self.dW, self.db = self.x.T @ d, d.sum(axis=0)
        return d @ self.W.T


class DenseOfObjectWrong(DenseOfObject):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = self.db / len(dout)
        return dx


class DenseOfFunctions:
    def __init__(self, n_in, n_out, activation_fn, activation_prime):
        self.weights, self.biases = RNG.standard_normal((n_out, n_in)), np.zeros((n_out, 1))
        self.activation_fn, self.activation_prime = activation_fn, activation_prime

    def feedforward(self, a):
        self.a, self.z = a, self.weights @ a + self.biases
        return self.activation_fn(self.z)

    def backward(self, dout):
        d = dout * self.activation_prime(self.z)
        self.dweights, self.dbiases = d @ self.a.T, d.sum(axis=1, keepdims=True)
        return self.weights.T @ d


class DenseOfPair:
    def __init__(self, size, activation, w_init):
        self.size, self.w_init = size, w_init
        self.activation, self.derivative = activation()
        self.bias, self.weights = np.zeros((1, size)), None

    def initialize(self, prev_size):
        self.weights = self.w_init(prev_size, self.size)

    def forward(self, inputs):
        return self.activation(inputs @ self.weights + self.bias)


class AddsUp:
    """One sample at a time; the gradients of a batch add up until the step."""

    def __init__(self, input_size, output_size, initialiser):
        scale = 0.1 if initialiser == "small" else 1.0
        self.weights, self.bias = (
            scale * RNG.standard_normal((input_size, output_size)),
            np.zeros((1, output_size)),
        )
        self.delta_w, self.delta_b = np.zeros_like(self.weights), np.zeros_like(self.bias)

    def forward(self, input_data):
        self.input = input_data
        return self.input @ self.weights + self.bias

    def backward(self, output_error):
        self.delta_w += self.input.T @ output_error
        self.delta_b += output_error
        return output_error @ self.weights.T

    def step(self, eta):
        self.weights, self.bias = self.weights - eta * self.delta_w, self.bias - eta * self.delta_b
        self.delta_w, self.delta_b = np.zeros_like(self.weights), np.zeros_like(self.bias)


class AddsUpWithoutEnd(AddsUp):
    """Nothing sets them to zero again."""

    def __init__(self, input_size, output_size):
        super().__init__(input_size, output_size, "small")

    def step(self, eta):
        self.weights, self.bias = self.weights - eta * self.delta_w, self.bias - eta * self.delta_b


class Flatten:
    def assign(self, x):
        return x.reshape(len(x), -1)


def relu(x):
    return np.array([0 if number <= 0 else number for number in x])


def relu_derivative(x):
    return np.array([0 if number <= 0 else 1 for number in x])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def d_sigmoid(x, y):
    return y * (1 - y)


def tanh(x):
    return np.tanh(x)


def d_tanh(x, y):
    return 1 - y


class ReLU:
    """Its backward is the derivative alone, in whole numbers, whatever the gradient is."""

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dA):
        return np.where(self.x > 0, 1, 0)


class Sigmoid:
    @staticmethod
    def function(x):
        return sigmoid(x)

    @staticmethod
    def differential(y):
        return y * (1 - y)


class DensePenalized(DenseOfObject):
    """The strength of a penalty is handed to each backward."""

    def __init__(self, n_in, n_out):
        super().__init__(n_in, n_out, None)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dA, reg_lambda):
        self.dW, self.db = self.x.T @ dA + self.W * self.W.dtype.type(reg_lambda), dA.sum(axis=0)
        return dA @ self.W.T


class DensePenalizedMean(DensePenalized):
    def backward(self, dA, reg_lambda):
        dx = super().backward(dA, reg_lambda)
        self.dW = self.dW / len(dA)
        return dx
