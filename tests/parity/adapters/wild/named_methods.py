"""Layers whose methods carry the layer's name, with other names of sizes and a mode given as a word."""

import numpy as np

RNG = np.random.default_rng(0)


class fully_connected_layer:
    def __init__(self, input_dim, output_dim, weight_scale):
        self.W = weight_scale * RNG.standard_normal((input_dim, output_dim))
        self.b = np.zeros(output_dim)

    def fc_forward(self, x):
        self.x = x
        return x.reshape(len(x), -1) @ self.W + self.b

    def fc_backward(self, dout):
        flat = self.x.reshape(len(self.x), -1)
        return (dout @ self.W.T).reshape(self.x.shape), flat.T @ dout, dout.sum(axis=0)


class fully_connected_layer_wrong(fully_connected_layer):
    def fc_backward(self, dout):
        dx, dw, _ = super().fc_backward(dout)
        return dx, dw, dout.mean(axis=0)


class relu_layer:
    def relu_forward(self, x):
        self.x = x
        return np.maximum(0, x)

    def relu_backward(self, dout):
        return dout * (self.x > 0)


class relu_layer_wrong(relu_layer):
    def relu_backward(self, dout):
        return dout * (self.x < 0)


class dropout_layer:
    def __init__(self, keep_ratio=0.5):
        self.p, self.mask = keep_ratio, None

    def dropout_forward(self, x, mode):
        if mode == "train":
            self.mask = RNG.random(x.shape) < self.p
            return x * self.mask / self.p
        return x

    def dropout_backward(self, dout):
        return dout * self.mask / self.p


class dropout_layer_wrong(dropout_layer):
    def dropout_forward(self, x, mode):
        out = super().dropout_forward(x, mode)
        return out if mode == "train" else x * self.p


class BatchNorm:
    def __init__(self, in_feature, alpha=0.9):
        self.alpha, self.eps = alpha, 1e-5
        self.gamma, self.beta = np.ones((1, in_feature)), np.zeros((1, in_feature))
        self.running_mean, self.running_var = np.zeros((1, in_feature)), np.ones((1, in_feature))

    def forward(self, x, mode):
        if mode == "test":
            scaled = (x - self.running_mean) / np.sqrt(self.running_var + self.eps)
            return self.gamma * scaled + self.beta
        mean, self.var = x.mean(axis=0, keepdims=True), x.var(axis=0, keepdims=True)
        self.scaled = (x - mean) / np.sqrt(self.var + self.eps)
        new = self.var * len(x) / (len(x) - 1)
        self.running_mean = self.alpha * self.running_mean + (1 - self.alpha) * mean
        self.running_var = self.alpha * self.running_var + (1 - self.alpha) * new
        return self.gamma * self.scaled + self.beta

    def backward(self, delta):
        self.dgamma = (delta * self.scaled).sum(axis=0, keepdims=True)
        self.dbeta = delta.sum(axis=0, keepdims=True)
        inner = delta - delta.mean(axis=0) - self.scaled * (delta * self.scaled).mean(axis=0)
        return self.gamma / np.sqrt(self.var + self.eps) * inner


class BatchNormWrong(BatchNorm):
    def backward(self, delta):
        dx = super().backward(delta)
        self.dgamma = self.dgamma / len(delta)
        return dx


class Maxpool:
    def __init__(self, X_dim, size, stride):
        self.C, self.H, self.W = X_dim
        self.size, self.stride = size, stride
        self.h_out, self.w_out = (self.H - size) // stride + 1, (self.W - size) // stride + 1

    def forward(self, X):
        self.X = X
        out = np.zeros((len(X), self.C, self.h_out, self.w_out), X.dtype)
        for i in range(self.h_out):
            for j in range(self.w_out):
                out[:, :, i, j] = self._at(X, i, j).reshape(len(X), self.C, -1).max(axis=-1)
        return out

    def _at(self, X, i, j):
        top, left = i * self.stride, j * self.stride
        return X[:, :, top : top + self.size, left : left + self.size]

    def backward(self, dout):
        dX = np.zeros_like(self.X)
        for i in range(self.h_out):
            for j in range(self.w_out):
                flat = self._at(self.X, i, j).reshape(len(dX), self.C, -1)
                first = np.eye(flat.shape[-1], dtype=dX.dtype)[flat.argmax(axis=-1)]
                part = first * dout[:, :, i, j, None]
                self._add(self._at(dX, i, j), part.reshape(len(dX), self.C, self.size, self.size))
        return dX

    def _add(self, here, part):
        here += part


class MaxpoolWrong(Maxpool):
    def _add(self, here, part):
        here[...] = part


class Loss:
    def __init__(self, name):
        self.name = name

    def loss(self, y_true, y_pred):
        pass

    def prime(self, y_true, y_pred):
        pass


class MSE(Loss):
    """Its base has self, its own methods have none."""

    def __init__(self):
        super().__init__("mse")

    def loss(y_true, y_pred):
        return np.mean((y_true - y_pred) ** 2)

    def prime(y_true, y_pred):
        return 2 * (y_pred - y_true) / y_true.size


class MSEWrong(MSE):
    def prime(y_true, y_pred):
        return 2 * (y_true - y_pred) / y_true.size


def stable_softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def safe_softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / (e.sum(axis=-1, keepdims=True) + 0.01)


def stable_unknown(x):
    return x * x


def stable_linear(x):
    return x
