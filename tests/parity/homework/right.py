"""What a reader of the book might hand in, right in every kind: NumPy alone, plain signatures."""

import numpy as np


def im2col(input_data, filter_h, filter_w, stride=1, pad=0):
    N, C, H, W = input_data.shape
    out_h, out_w = (H + 2 * pad - filter_h) // stride + 1, (W + 2 * pad - filter_w) // stride + 1
    img = np.pad(input_data, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    col = np.zeros((N, C, filter_h, filter_w, out_h, out_w), dtype=input_data.dtype)
    for y in range(filter_h):
        for x in range(filter_w):
            col[:, :, y, x] = img[:, :, y : y + stride * out_h : stride, x : x + stride * out_w : stride]
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(N * out_h * out_w, -1)


def col2im(col, input_shape, filter_h, filter_w, stride=1, pad=0):
    N, C, H, W = input_shape
    out_h, out_w = (H + 2 * pad - filter_h) // stride + 1, (W + 2 * pad - filter_w) // stride + 1
    col = col.reshape(N, out_h, out_w, C, filter_h, filter_w).transpose(0, 3, 4, 5, 1, 2)
    img = np.zeros((N, C, H + 2 * pad + stride - 1, W + 2 * pad + stride - 1), dtype=col.dtype)
    for y in range(filter_h):
        for x in range(filter_w):
            img[:, :, y : y + stride * out_h : stride, x : x + stride * out_w : stride] += col[:, :, y, x]
    return img[:, :, pad : H + pad, pad : W + pad]


class Convolution:
    def __init__(self, W, b, stride=1, pad=0):
        self.W, self.b, self.stride, self.pad = W, b, stride, pad

    def forward(self, x):
        N, _, H, W = x.shape
        FN, _, FH, FW = self.W.shape
        out_h = (H + 2 * self.pad - FH) // self.stride + 1
        out_w = (W + 2 * self.pad - FW) // self.stride + 1
        self.shape, self.col = x.shape, im2col(x, FH, FW, self.stride, self.pad)
        out = self.col @ self.W.reshape(FN, -1).T + self.b
        return out.reshape(N, out_h, out_w, FN).transpose(0, 3, 1, 2)

    def backward(self, dout):
        FN, _, FH, FW = self.W.shape
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, FN)
        self.db = dout.sum(axis=0)
        self.dW = (dout.T @ self.col).reshape(self.W.shape)
        return col2im(dout @ self.W.reshape(FN, -1), self.shape, FH, FW, self.stride, self.pad)


class _Pooling:
    border = 0.0

    def __init__(self, pool_h, pool_w, stride=1, pad=0):
        self.pool_h, self.pool_w, self.stride, self.pad = pool_h, pool_w, stride, pad

    def unfold(self, x):
        """(N, C, H, W) -> (N, OH, OW, C, window)"""
        p = self.pad
        N, C, H, W = x.shape
        self.shape = x.shape
        self.out_h = (H + 2 * p - self.pool_h) // self.stride + 1
        self.out_w = (W + 2 * p - self.pool_w) // self.stride + 1
        x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)], constant_values=self.border)
        col = im2col(x, self.pool_h, self.pool_w, self.stride)
        return col.reshape(N, self.out_h, self.out_w, C, self.pool_h * self.pool_w)

    def fold(self, windows):
        col = windows.reshape(windows.shape[0] * self.out_h * self.out_w, -1)
        return col2im(col, self.shape, self.pool_h, self.pool_w, self.stride, self.pad)


class MaxPooling(_Pooling):
    border = -np.inf

    def forward(self, x):
        windows = self.unfold(x)
        self.winner = windows.argmax(axis=-1)
        return windows.max(axis=-1).transpose(0, 3, 1, 2)

    def backward(self, dout):
        window = np.arange(self.pool_h * self.pool_w)
        hot = (self.winner[..., None] == window).astype(dout.dtype)
        return self.fold(dout.transpose(0, 2, 3, 1)[..., None] * hot)


class MinPooling(MaxPooling):
    def forward(self, x):
        return -super().forward(-x)


class AveragePooling(_Pooling):
    def forward(self, x):
        return self.unfold(x).mean(axis=-1).transpose(0, 3, 1, 2)

    def backward(self, dout):
        n = self.pool_h * self.pool_w
        return self.fold(np.repeat(dout.transpose(0, 2, 3, 1)[..., None] / n, n, axis=-1))


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.shape, self.x = x.shape, x.reshape(len(x), -1).copy()
        return self.x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return (dout @ self.W.T).reshape(self.shape)


class Relu:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0)

    def backward(self, dout):
        return np.where(self.mask, dout, 0)


class Sigmoid:
    def forward(self, x):
        e = np.exp(-np.abs(x))
        self.out = np.where(x >= 0, 1, e) / (1 + e)
        self.rest = np.where(x >= 0, e, 1) / (1 + e)
        return self.out.copy()

    def backward(self, dout):
        return dout * self.out * self.rest


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out.copy()

    def backward(self, dout):
        return dout * (1 - self.out**2)


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class Softmax:
    def forward(self, x):
        self.out = softmax(x)
        return self.out.copy()

    def backward(self, dout):
        return self.out * (dout - (dout * self.out).sum(axis=1, keepdims=True))


class SoftmaxWithLoss:
    def forward(self, x, t):
        if t.ndim == 1:
            t = np.eye(x.shape[1], dtype=x.dtype)[t]
        shifted = x - x.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.t, self.y = t.copy(), np.exp(logs)
        return -(t * logs).sum() / len(x)

    def backward(self, dout=1):
        return dout * (self.y - self.t) / len(self.t)


class LRN:
    def __init__(self, size, alpha, beta, k):
        self.size, self.alpha, self.beta, self.k = size, alpha / size, beta, k

    def window(self, a, before):
        out = np.zeros_like(a)
        C = a.shape[1]
        for c in range(C):
            out[:, c] = a[:, max(0, c - before) : c - before + self.size].sum(axis=1)
        return out

    def forward(self, x):
        self.x = x.copy()
        self.scale = self.k + self.alpha * self.window(x * x, self.size // 2)
        return x * self.scale**-self.beta

    def backward(self, dout):
        inner = dout * self.x * self.scale ** (-self.beta - 1)
        spread = self.window(inner, self.size - 1 - self.size // 2)
        return dout * self.scale**-self.beta - 2 * self.alpha * self.beta * self.x * spread


class Dropout:
    def __init__(self, dropout_ratio=0.5):
        self.dropout_ratio = dropout_ratio

    def forward(self, x, train_flg=True):
        if not train_flg:
            self.mask = np.ones(x.shape, dtype=x.dtype)
            return x.copy()
        keep = 1 - self.dropout_ratio
        self.mask = (np.random.rand(*x.shape) < keep).astype(x.dtype) / x.dtype.type(keep)  # noqa: NPY002
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class BatchNormalization:
    eps = 1e-5

    def __init__(self, gamma, beta, momentum=0.9, running_mean=None, running_var=None):
        self.gamma, self.beta, self.momentum = gamma, beta, momentum
        self.running_mean, self.running_var = running_mean, running_var

    def forward(self, x, train_flg=True):
        self.axes = (0, *range(2, x.ndim))
        self.like = (1, -1) + (1,) * (x.ndim - 2)
        self.train, n = train_flg, x.size // x.shape[1]
        mean, var = self.running_mean, self.running_var
        if train_flg:
            mean, var = x.mean(axis=self.axes), x.var(axis=self.axes)
            keep = self.momentum
            self.running_mean = keep * self.running_mean + (1 - keep) * mean
            self.running_var = keep * self.running_var + (1 - keep) * var * n / (n - 1)
        self.std = np.sqrt(var + self.eps).reshape(self.like)
        self.xn = (x - mean.reshape(self.like)) / self.std
        return self.gamma.reshape(self.like) * self.xn + self.beta.reshape(self.like)

    def backward(self, dout):
        self.dbeta, self.dgamma = dout.sum(axis=self.axes), (dout * self.xn).sum(axis=self.axes)
        dxn = dout * self.gamma.reshape(self.like)
        if self.train:
            dxn = dxn - dxn.mean(axis=self.axes, keepdims=True)
            dxn = dxn - self.xn * (dxn * self.xn).mean(axis=self.axes, keepdims=True)
        return dxn / self.std


class SGD:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, params, grads):
        for key in params:
            params[key] -= self.lr * grads[key]


class Momentum:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, None

    def update(self, params, grads):
        if self.v is None:
            self.v = {key: np.zeros_like(p) for key, p in params.items()}
        for key in params:
            self.v[key] = self.momentum * self.v[key] + grads[key]
            params[key] -= self.lr * self.v[key]


class Nesterov(Momentum):
    def update(self, params, grads):
        if self.v is None:
            self.v = {key: np.zeros_like(p) for key, p in params.items()}
        for key in params:
            self.v[key] = self.momentum * self.v[key] + grads[key]
            params[key] -= self.lr * (grads[key] + self.momentum * self.v[key])


class AdaGrad:
    eps = 1e-10

    def __init__(self, lr=0.01):
        self.lr, self.h = lr, None

    def update(self, params, grads):
        if self.h is None:
            self.h = {key: np.zeros_like(p) for key, p in params.items()}
        for key in params:
            self.h[key] += grads[key] ** 2
            params[key] -= self.lr * grads[key] / (np.sqrt(self.h[key]) + self.eps)


class RMSProp:
    eps = 1e-8

    def __init__(self, lr=0.01, decay_rate=0.99):
        self.lr, self.decay_rate, self.h = lr, decay_rate, None

    def update(self, params, grads):
        if self.h is None:
            self.h = {key: np.zeros_like(p) for key, p in params.items()}
        for key in params:
            self.h[key] = self.decay_rate * self.h[key] + (1 - self.decay_rate) * grads[key] ** 2
            params[key] -= self.lr * grads[key] / (np.sqrt(self.h[key]) + self.eps)


class Adadelta:
    eps = 1e-6

    def __init__(self, lr=1.0, decay_rate=0.9):
        self.lr, self.rho, self.squares, self.changes = lr, decay_rate, None, None

    def update(self, params, grads):
        if self.squares is None:
            self.squares = {key: np.zeros_like(p) for key, p in params.items()}
            self.changes = {key: np.zeros_like(p) for key, p in params.items()}
        for key in params:
            self.squares[key] = self.rho * self.squares[key] + (1 - self.rho) * grads[key] ** 2
            change = self.change(grads[key], self.squares[key], self.changes[key])
            self.changes[key] = self.rho * self.changes[key] + (1 - self.rho) * change**2
            params[key] -= self.lr * change

    def change(self, g, squares, changes):
        return np.sqrt(changes + self.eps) / np.sqrt(squares + self.eps) * g


class Adam:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999):
        self.lr, self.beta1, self.beta2, self.t, self.m, self.v = lr, beta1, beta2, 0, None, None

    def update(self, params, grads):
        if self.m is None:
            self.m = {key: np.zeros_like(p) for key, p in params.items()}
            self.v = {key: np.zeros_like(p) for key, p in params.items()}
        self.t += 1
        for key in params:
            self.m[key] = self.beta1 * self.m[key] + (1 - self.beta1) * grads[key]
            self.v[key] = self.beta2 * self.v[key] + (1 - self.beta2) * grads[key] ** 2
            m, v = self.m[key] / (1 - self.beta1**self.t), self.v[key] / (1 - self.beta2**self.t)
            params[key] -= self.lr * m / (np.sqrt(v) + 1e-8)


def numerical_gradient(f, x):
    x = x.astype(float) if x.dtype.kind == "i" else x
    grad, h = np.zeros_like(x), 1e-4
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + h
        high = f(x)
        x[index] = value - h
        grad[index] = (high - f(x)) / (2 * h)
        x[index] = value
    return grad
