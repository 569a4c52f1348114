"""Losses of one sample, and of probabilities named x, pred or output; names that end in Wrong are wrong."""

import numpy as np


class OfOneSample:
    def forward(self, x, label):
        shifted = x - np.max(x)
        self.p, self.label = np.exp(shifted) / np.sum(np.exp(shifted)), label
        return np.log(np.sum(np.exp(shifted))) - shifted[label]

    def backward(self):
        d = self.p.copy()
        d[self.label] -= 1
        return d


class OfOneSampleWrong(OfOneSample):
    def backward(self):
        return self.p.copy()


class OfOneHotSample:
    """A batch goes through too, and makes one softmax of it."""

    def forward(self, x, t):
        shifted = x - np.max(x)
        log_p = shifted - np.log(np.sum(np.exp(shifted)))
        self.p, self.t = np.exp(log_p), t
        return -np.sum(t * log_p)

    def backward(self):
        return self.p - self.t


class OfOneHotSampleWrong(OfOneHotSample):
    def backward(self):
        return self.t - self.p


class OfABatchWrong(OfOneHotSample):
    """The softmax lacks its axis; that it is meant for a batch shows in the division."""

    def forward(self, x, t):
        return super().forward(x, t) / len(x)

    def backward(self):
        return super().backward() / len(self.t)


class OfOneColumn(OfOneHotSample):
    def forward(self, x, t):
        shifted = x - np.max(x)
        log_p = shifted - np.log(np.sum(np.exp(shifted)))
        self.p, self.t = np.exp(log_p), t
        return -(t.T @ log_p)[0, 0]


class CrossEntropy:
    def forward(self, x, y):
        self.x, self.y = x, y
        return -np.sum(y * np.log(x)) / x.shape[0]

    def backward(self):
        return -self.y / self.x / self.x.dtype.type(len(self.x))


class CrossEntropyWrong(CrossEntropy):
    def backward(self):
        return self.y / self.x / self.x.dtype.type(len(self.x))


class CrossEntropySumWrong(CrossEntropy):
    def forward(self, x, y):
        return super().forward(x, y) * len(x)


class NegativeLogLikelihood:
    """One sample's probabilities."""

    def loss(self, output, label):
        return -np.log(output[label])

    def gradient(self, output, label):
        d = np.zeros_like(output)
        d[label] = -1 / output[label]
        return d


class NegativeLogLikelihoodWrong(NegativeLogLikelihood):
    def gradient(self, output, label):
        d = np.zeros_like(output)
        d[label] = -output[label]
        return d


class CategoricalCrossEntropy:
    def loss(self, pred, y):
        return -np.mean(np.sum(y * np.log(pred), axis=1))

    def gradient(self, pred, y):
        return (pred - y) / y.dtype.type(len(y))


class CategoricalCrossEntropyWrong(CategoricalCrossEntropy):
    def gradient(self, pred, y):
        return pred - y


class CrossEntropyOfScores:
    """By its name it might take probabilities; that a shift changes nothing shows that it does not."""

    def forward(self, x, t):
        shifted = x - x.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.p, self.t = np.exp(log_p), t
        return -log_p[np.arange(len(x)), t].mean()

    def backward(self):
        d = self.p.copy()
        d[np.arange(len(d)), self.t] -= 1
        return d / d.dtype.type(len(d))


class OfEveryNumberWrong(CrossEntropyOfScores):
    def forward(self, x, t):
        return super().forward(x, t) * np.ones_like(x)


class WithAConstant:
    """Loss and gradient add the same small number."""

    @staticmethod
    def loss(y, t):
        return -np.sum(t * np.log(y + 1e-8)) / y.shape[0]

    @staticmethod
    def grad(y, t):
        return -t / (y + 1e-8) / y.dtype.type(len(y))


class WithAConstantWrong(WithAConstant):
    @staticmethod
    def grad(y, t):
        return -t / (y + 1e-2) / y.dtype.type(len(y))


def cross_entropy(p, y):
    return -np.log(p[np.arange(len(y)), y]).mean()


def cross_entropy_grad(p, y):
    d = np.zeros_like(p)
    d[np.arange(len(y)), y] = -1 / p[np.arange(len(y)), y]
    return d / d.dtype.type(len(y))
