"""Containers as people write them, right and wrong: handed their layers, one gradient handed to backward."""

import numpy as np


class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.full((n_in, n_out), 0.5)
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class Sigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * self.out * (1 - self.out)


class MSE:
    def forward(self, y_pred, y_true):
        self.d = y_pred - y_true
        return np.mean(self.d**2)

    def backward(self):
        return 2 * self.d / self.d.size


class SGD:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr = lr

    def step(self, layers):
        for layer in layers:
            if hasattr(layer, "W"):
                layer.W -= self.lr * layer.dW
                layer.b -= self.lr * layer.db


class Chain:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout


class ChainByNumber:
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for i in range(len(self.layers)):
            layer = self.layers[i]
            x = layer.forward(x)
        return x

    def backward(self, grad):
        for i in range(len(self.layers) - 1, -1, -1):
            grad = self.layers[i].backward(grad)
        return grad


class NotReversed:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in self.layers:
            dout = layer.backward(dout)
        return dout


class NotHandedOn:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.layers):
            layer.backward(dout)
        return dout


class WithoutTheFirst:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in self.layers[:0:-1]:
            dout = layer.backward(dout)
        return dout


class Trained:
    def __init__(self, layers):
        self.layers = layers

    def compile(self, optimizer, loss):
        self.optimizer, self.loss = optimizer, loss

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def train_step(self, x, y):
        loss = self.loss.forward(self.forward(x), y)
        dout = self.loss.backward()
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        self.optimizer.step(self.layers)
        return loss


class NeverStepping:
    def __init__(self, layers):
        self.layers = layers

    def compile(self, optimizer, loss):
        self.optimizer, self.loss = optimizer, loss

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def train_step(self, x, y):
        loss = self.loss.forward(self.forward(x), y)
        dout = self.loss.backward()
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return loss


class Climbing:
    def __init__(self, layers):
        self.layers = layers

    def compile(self, optimizer, loss):
        self.optimizer, self.loss = optimizer, loss

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def train_step(self, x, y):
        loss = self.loss.forward(self.forward(x), y)
        dout = -self.loss.backward()
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        self.optimizer.step(self.layers)
        return loss


class ReturningAnother:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return input  # the builtin


class InReverse:
    def __init__(self, layers):
        self.layers = []
        for layer in layers:
            self.layers.insert(0, layer)

    def forward(self, x):
        for layer in reversed(self.layers):
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in self.layers:
            dout = layer.backward(dout)
        return dout


class WithoutTheLast:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in self.layers[-2::-1]:
            dout = layer.backward(dout)
        return dout


class Interrupted:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
            layer.count += 1  # which no layer has
        return dout
