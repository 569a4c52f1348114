"""Squared errors as people write them: what divides the sum, who comes first, and how backward is called."""

import numpy as np


def mse(y_true, y_pred):
    return np.mean(np.power(y_true - y_pred, 2))


def mse_prime(y_true, y_pred):
    return 2 * (y_pred - y_true) / np.size(y_true)


def squared_error(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)


def squared_error_prime(y_true, y_pred):
    return 2 * (y_true - y_pred) / np.size(y_true)


class MSE:
    def forward(self, y, t):
        self.diff = y - t
        return np.sum(self.diff**2) / (2 * len(y))

    def backward(self):
        return self.diff / len(self.diff)


class MSELoss:
    def __call__(self, pred, target):
        self.pred, self.target = pred, target
        return np.mean((pred - target) ** 2)

    def backward(self):
        return 2 * (self.pred - self.target)


class SquareLoss:
    def loss(self, y, y_pred):
        return 0.5 * np.power(y - y_pred, 2)

    def gradient(self, y, y_pred):
        return -(y - y_pred)


class Loss_MeanSquaredError:
    def forward(self, y_pred, y_true):
        return np.mean((y_true - y_pred) ** 2, axis=-1)

    def backward(self, dvalues, y_true):
        self.dinputs = -2 * (y_true - dvalues) / len(dvalues[0])
        self.dinputs = self.dinputs / len(dvalues)


class KerasMSE:
    def __call__(self, y_true, y_pred):
        return np.mean((y_true - y_pred) ** 2, axis=1)

    def grad(self, y_true, y_pred):
        return 2 * (y_pred - y_true) / y_true.shape[1]


def mean_squared_error(y, t):
    return 0.5 * np.sum((y - t) ** 2)


def mse_loss(a, b):
    return np.mean((a - b) ** 2)


def mse_loss_grad(a, b):
    return 2 * (a - b) / a.size


class MeanSquaredError:
    @staticmethod
    def calc(y_hat, y):
        return np.sum((y_hat - y) ** 2) / (2 * y.shape[1])

    @staticmethod
    def derivative(y_hat, y):
        return (y_hat - y) / y.shape[1]


class QuadraticCost:
    @staticmethod
    def fn(a, y):
        return 0.5 * np.linalg.norm(a - y) ** 2

    @staticmethod
    def delta(z, a, y):
        return (a - y) * np.exp(-z) / (1 + np.exp(-z)) ** 2


class SquaredErrorOfOne:
    def __call__(self, y, t):
        loss = 0
        for i in range(len(y)):
            loss += (y[i] - t[i]) ** 2
        return loss / len(y)


class MSEWithHalf:
    def loss(self, pred, target):
        return 0.5 * np.mean((pred - target) ** 2)

    def gradient(self, pred, target):
        return 2 * (pred - target) / pred.size


class MSEOfRows:
    def forward(self, outputs, labels):
        self.d = outputs - labels
        return np.mean(self.d**2)

    def backward(self):
        return 2 * self.d / self.d.shape[0]


class RootMSE:
    def forward(self, outputs, labels):
        self.d = outputs - labels
        return np.sqrt(np.mean(self.d**2))

    def backward(self):
        return 2 * self.d / self.d.size


class MeanSquaredErrorLoss:
    def calculate(self, x, target):
        return np.mean((x - target) ** 2), 2 * (x - target) / x.size


class MSECriterion:
    def execute(self, y_pred, y_true):
        return float(np.mean((y_pred - y_true) ** 2))

    def derivative(self, y_pred, y_true):
        return 2 * (y_pred - y_true) / y_true.size


class MSEOfChoices:
    def __init__(self, reduction="mean"):
        self.reduction = reduction

    def forward(self, x, t):
        self.d = x - t
        return (self.d**2).mean() if self.reduction == "mean" else (self.d**2).sum()

    def backward(self):
        return 2 * self.d / (self.d.size if self.reduction == "mean" else 1)


class MSEOfNoChoice(MSEOfChoices):
    def backward(self):
        return 2 * self.d / self.d.size


class MSEOfRowsOrSum(MSEOfChoices):
    def forward(self, x, t):
        self.d = x - t
        return (self.d**2).sum() / (len(x) if self.reduction == "mean" else 1)

    def backward(self):
        return 2 * self.d / (len(self.d) if self.reduction == "mean" else 1)


def mse_of_choices(x, t, reduction="mean"):
    return np.mean((x - t) ** 2) if reduction == "mean" else np.sum((x - t) ** 2)


def mse_of_choices_grad(x, t):
    return 2 * (x - t) / x.size
