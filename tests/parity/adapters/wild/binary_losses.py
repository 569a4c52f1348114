"""Binary cross entropies and absolute errors as people write them."""

import numpy as np


def binary_cross_entropy(y_true, y_pred):
    return np.mean(-y_true * np.log(y_pred) - (1 - y_true) * np.log(1 - y_pred))


def binary_cross_entropy_prime(y_true, y_pred):
    return ((1 - y_true) / (1 - y_pred) - y_true / y_pred) / np.size(y_true)


class BCELoss:
    def forward(self, y, t):
        self.y, self.t = np.clip(y, 1e-7, 1 - 1e-7), t
        return -np.mean(t * np.log(self.y) + (1 - t) * np.log(1 - self.y))

    def backward(self):
        return (self.y - self.t) / (self.y * (1 - self.y)) / len(self.y)


class BinaryCrossEntropy:
    def loss(self, y, p):
        p = np.clip(p, 1e-15, 1 - 1e-15)
        return -y * np.log(p) - (1 - y) * np.log(1 - p)

    def gradient(self, y, p):
        p = np.clip(p, 1e-15, 1 - 1e-15)
        return -(y / p) + (1 - y) / (1 - p)


def log_loss(AL, Y):
    m = Y.shape[1]
    cost = -1 / m * (np.dot(Y, np.log(AL).T) + np.dot(1 - Y, np.log(1 - AL).T))
    return np.squeeze(cost)


class Loss_BinaryCrossentropy:
    def forward(self, y_pred, y_true):
        p = np.clip(y_pred, 1e-7, 1 - 1e-7)
        return np.mean(-(y_true * np.log(p) + (1 - y_true) * np.log(1 - p)), axis=-1)

    def backward(self, dvalues, y_true):
        c = np.clip(dvalues, 1e-7, 1 - 1e-7)
        self.dinputs = -(y_true / c - (1 - y_true) / (1 - c)) / len(dvalues[0])
        self.dinputs = self.dinputs / len(dvalues)


def bce(y, y_hat):
    return -np.sum(y * np.log(y_hat + 1e-8) + (1 - y) * np.log(1 - y_hat + 1e-8)) / len(y)


def bce_grad(y, y_hat):
    return (y_hat - y) / (y_hat * (1 - y_hat) + 1e-8) / len(y)


def bce_loss(a, y):
    m = y.shape[1]
    return -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)) / m


def bce_loss_backward(a, y):
    return -(np.divide(y, a) - np.divide(1 - y, 1 - a))


class BinaryCrossEntropyLoss:
    def __call__(self, logits, y):
        self.p, self.y = 1 / (1 + np.exp(-logits)), y
        return -np.mean(y * np.log(self.p) + (1 - y) * np.log(1 - self.p))

    def backward(self):
        return (self.p - self.y) / self.y.size


class BCECost:
    def forward(self, a, y):
        self.a, self.y = a, y
        return np.mean(-y * np.log(a) - (1 - y) * np.log(1 - a))

    def backward(self):
        return (self.a - self.y) / self.y.size


class SigmoidLogLoss:
    def forward(self, a, y):
        self.a, self.y = a, y
        return np.mean(-y * np.log(a) - (1 - y) * np.log(1 - a))

    def backward(self):
        return (self.a - self.y) / self.y.size


def binary_crossentropy(y_true, y_pred):
    return -np.mean(y_true * np.log(y_pred))


def mae(y_true, y_pred):
    return np.mean(np.abs(y_true - y_pred))


def mae_derivative(y_true, y_pred):
    return np.where(y_pred > y_true, 1, -1) / y_true.size


class L1Loss:
    def forward(self, pred, target):
        self.d = pred - target
        return np.abs(self.d).mean()

    def backward(self):
        return np.sign(self.d) / self.d.size


class CrossEntropyLoss:
    def execute(self, y_pred, y_true):
        y_pred = np.clip(y_pred, 1e-12, 1.0 - 1e-12)
        return -np.sum(y_true * np.log(y_pred)) / y_true.shape[1]

    def derivative(self, y_pred, y_true):
        return (y_pred - y_true) / y_true.shape[1]


class CrossEntropy:
    def forward(self, y_pred, y_true):
        return -np.sum(y_true * np.log(y_pred)) / y_true.shape[1]

    def backward(self, y_pred, y_true):
        return -y_true / y_pred / y_true.shape[0]
