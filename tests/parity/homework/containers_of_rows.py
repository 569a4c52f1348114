"""Networks to which layers are added, and which train row by row, right and wrong."""

import numpy as np


class FCLayer:
    def __init__(self, input_size, output_size):
        self.weights = np.full((input_size, output_size), 0.5)
        self.bias = np.zeros((1, output_size))

    def forward_propagation(self, x):
        self.x = x
        return x @ self.weights + self.bias

    def backward_propagation(self, dout, learning_rate):
        dx = dout @ self.weights.T
        self.weights -= learning_rate * self.x.T @ dout
        self.bias -= learning_rate * dout
        return dx


class ActivationLayer:
    def __init__(self, activation, activation_prime):
        self.activation = activation
        self.activation_prime = activation_prime

    def forward_propagation(self, x):
        self.x = x
        return self.activation(x)

    def backward_propagation(self, dout, learning_rate):
        return self.activation_prime(self.x) * dout


def tanh(x):
    return np.tanh(x)


def tanh_prime(x):
    return 1 - np.tanh(x) ** 2


def mse(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)


def mse_prime(y_true, y_pred):
    return 2 * (y_pred - y_true) / y_true.size


class Network:
    def __init__(self):
        self.layers = []

    def add(self, layer):
        self.layers.append(layer)

    def use(self, loss, loss_prime):
        self.loss = loss
        self.loss_prime = loss_prime

    def predict(self, x):
        found = []
        for row in x:
            for layer in self.layers:
                row = layer.forward_propagation(row)
            found.append(row)
        return found

    def fit(self, x_train, y_train, epochs, learning_rate):
        for _ in range(epochs):
            for j in range(len(x_train)):
                out = x_train[j]
                for layer in self.layers:
                    out = layer.forward_propagation(out)
                error = self.loss_prime(y_train[j], out)
                for layer in reversed(self.layers):
                    error = layer.backward_propagation(error, learning_rate)


class NetworkOfExchangedArguments:
    def __init__(self):
        self.layers = []

    def add(self, layer):
        self.layers.append(layer)

    def use(self, loss, loss_prime):
        self.loss = loss
        self.loss_prime = loss_prime

    def predict(self, x):
        found = []
        for row in x:
            for layer in self.layers:
                row = layer.forward_propagation(row)
            found.append(row)
        return found

    def fit(self, x_train, y_train, epochs, learning_rate):
        for _ in range(epochs):
            for j in range(len(x_train)):
                out = x_train[j]
                for layer in self.layers:
                    out = layer.forward_propagation(out)
                error = self.loss_prime(out, y_train[j])
                for layer in reversed(self.layers):
                    error = layer.backward_propagation(error, learning_rate)


class NetworkOfATurnedRate:
    def __init__(self):
        self.layers = []

    def add(self, layer):
        self.layers.append(layer)

    def use(self, loss, loss_prime):
        self.loss = loss
        self.loss_prime = loss_prime

    def predict(self, x):
        found = []
        for row in x:
            for layer in self.layers:
                row = layer.forward_propagation(row)
            found.append(row)
        return found

    def fit(self, x_train, y_train, epochs, learning_rate):
        for _ in range(epochs):
            for j in range(len(x_train)):
                out = x_train[j]
                for layer in self.layers:
                    out = layer.forward_propagation(out)
                error = self.loss_prime(y_train[j], out)
                for layer in reversed(self.layers):
                    error = layer.backward_propagation(error, -learning_rate)


class NetworkThatPredictsOtherwise:
    def __init__(self):
        self.layers = []

    def add(self, layer):
        self.layers.append(layer)

    def use(self, loss, loss_prime):
        self.loss = loss
        self.loss_prime = loss_prime

    def predict(self, x):
        found = []
        for row in x:
            for layer in self.layers:
                out = layer.forward_propagation(row)
            found.append(out)
        return found

    def fit(self, x_train, y_train, epochs, learning_rate):
        for _ in range(epochs):
            for j in range(len(x_train)):
                out = x_train[j]
                for layer in self.layers:
                    out = layer.forward_propagation(out)
                error = self.loss_prime(y_train[j], out)
                for layer in reversed(self.layers):
                    error = layer.backward_propagation(error, learning_rate)


class NetworkOfAttributes:
    def __init__(self):
        self.layers = []
        self.epochs = None
        self.learning_rate = None

    def add(self, layer):
        self.layers.append(layer)

    def use(self, loss, loss_prime):
        self.loss = loss
        self.loss_prime = loss_prime

    def predict(self, x):
        for layer in self.layers:
            x = layer.forward_propagation(x)
        return np.argmax(x)

    def fit(self, x_train, y_train):
        for _ in range(self.epochs):
            for j in range(len(x_train)):
                out = x_train[j].reshape(1, x_train.shape[1])
                for layer in self.layers:
                    out = layer.forward_propagation(out)
                error = self.loss_prime(y_train[j], out)
                for layer in reversed(self.layers):
                    error = layer.backward_propagation(error, self.learning_rate)
