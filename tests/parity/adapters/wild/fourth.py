"""More styles: other orders of columns, gradients that go to a model, methods that a constructor picks."""

import numpy as np


def im2col(X, kernel_size):
    """(N, C, H, W) -> (N, C*k*k, OH*OW), at stride 1."""
    N, C, H, W = X.shape
    k = kernel_size
    cols = np.zeros((N, C, k, k, H - k + 1, W - k + 1), X.dtype)
    for i in range(k):
        for j in range(k):
            cols[:, :, i, j] = X[:, :, i : i + H - k + 1, j : j + W - k + 1]
    return cols.reshape(N, C * k * k, -1)


def im2col_turned(X, kernel_size):
    k, C = kernel_size, X.shape[1]
    cols = im2col(X, k).reshape(len(X), C, k, k, -1)
    return cols.transpose(0, 1, 3, 2, 4).reshape(len(X), C * k * k, -1)


def col2im(cols, X_shape, kernel_size):
    N, C, H, W = X_shape
    k = kernel_size
    cols = cols.reshape(N, C, k, k, H - k + 1, W - k + 1)
    X = np.zeros(X_shape, cols.dtype)
    for i in range(k):
        for j in range(k):
            X[:, :, i : i + H - k + 1, j : j + W - k + 1] += cols[:, :, i, j]
    return X


def col2im_overwrites(cols, X_shape, kernel_size):
    N, C, H, W = X_shape
    k = kernel_size
    cols = cols.reshape(N, C, k, k, H - k + 1, W - k + 1)
    X = np.zeros(X_shape, cols.dtype)
    for i in range(k):
        for j in range(k):
            X[:, :, i : i + H - k + 1, j : j + W - k + 1] = cols[:, :, i, j]
    return X


def im2col_last(x, kernel_size, stride, padding):
    """Images (N, H, W, C), windows (k, k, C); the sizes of the result come with it."""
    N, H, W, C = x.shape
    k, p = kernel_size, padding
    oh, ow = (H + 2 * p - k) // stride + 1, (W + 2 * p - k) // stride + 1
    x = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
    cols = np.zeros((N, oh, ow, k, k, C), x.dtype)
    for i in range(k):
        for j in range(k):
            cols[:, :, :, i, j] = x[:, i : i + stride * oh : stride, j : j + stride * ow : stride]
    return cols.reshape(N * oh * ow, -1), oh, ow


def im2col_last_turned(x, kernel_size, stride, padding):
    cols, oh, ow = im2col_last(x, kernel_size, stride, padding)
    windows = cols.reshape(len(cols), kernel_size, kernel_size, -1)
    return windows.transpose(0, 2, 1, 3).reshape(cols.shape), oh, ow


def col2im_last(cols, x_shape, kernel_size, stride, padding, off=0):
    N, H, W, C = x_shape
    k, p = kernel_size, padding
    oh, ow = (H + 2 * p - k) // stride + 1, (W + 2 * p - k) // stride + 1
    cols = cols.reshape(N, oh, ow, k, k, C)
    x = np.zeros((N, H + 2 * p, W + 2 * p, C), cols.dtype)
    for i in range(k - off):
        for j in range(k):
            x[:, i : i + stride * oh : stride, j : j + stride * ow : stride] += cols[:, :, :, i, j]
    return x[:, p : p + H, p : p + W]


def col2im_last_short(cols, x_shape, kernel_size, stride, padding):
    """The last row of each window is left out."""
    return col2im_last(cols, x_shape, kernel_size, stride, padding, off=1)


class Flatten:
    """Samples come out as columns; backward's Z is a gradient."""

    def forward(self, Z):
        self.shape = Z.shape
        return Z.reshape(Z.shape[0], -1).T

    def backward(self, Z, lr):
        return Z.T.reshape(self.shape)


class FlattenNotTurned(Flatten):
    def backward(self, Z, lr):
        return Z.reshape(self.shape)


class CrossEntropyLoss:
    """The gradient goes on to the model."""

    def __init__(self, model=None):
        self.model = model

    def forward(self, logits, labels):
        loss, self.probs = cross_entropy_with_probs(logits, labels)
        self.labels = labels
        return loss

    def backward(self):
        grad = self.probs.copy()
        grad[np.arange(len(grad)), self.labels] -= 1
        self.model.backward(self.divided(grad))

    def divided(self, grad):
        return grad / grad.dtype.type(len(grad))


class CrossEntropyLossOfSum(CrossEntropyLoss):
    def divided(self, grad):
        return grad


def cross_entropy_with_probs(logits, labels):
    """The loss and the probabilities, which are no gradient."""
    logits = logits - logits.max(axis=1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -np.mean(log_probs[np.arange(len(labels)), labels]), np.exp(log_probs)


def cross_entropy_of_sum_with_probs(logits, labels):
    loss, probs = cross_entropy_with_probs(logits, labels)
    return loss * logits.dtype.type(len(labels)), probs


def cross_entropy_with_gradient(logits, labels):
    loss, probs = cross_entropy_with_probs(logits, labels)
    probs[np.arange(len(labels)), labels] -= 1
    return loss, probs


def cross_entropy_of_column(probs, target_index):
    """Probabilities of one sample, as a column."""
    return -np.log(probs[target_index, 0])


def cross_entropy_of_column_log2(probs, target_index):
    return -np.log2(probs[target_index, 0])


def batchnorm_forward(x, gamma, beta, running_mean, running_var, momentum, eps, training):
    """Statistics are (1, C, 1, 1); the cache is the last of what is returned."""
    mu, var = running_mean, running_var
    if training:
        mu, var = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
    x_norm = (x - mu) / np.sqrt(var + x.dtype.type(eps))
    out = gamma.reshape(1, -1, 1, 1) * x_norm + beta.reshape(1, -1, 1, 1)
    return out.astype(x.dtype), mu, var, (x_norm, var, gamma, eps)


def batchnorm_backward(dout, cache):
    x_norm, var, gamma, eps = cache
    m = dout.dtype.type(dout.size / dout.shape[1])
    dgamma, dbeta = (dout * x_norm).sum((0, 2, 3)), dout.sum((0, 2, 3))
    inner = m * dout - dbeta.reshape(1, -1, 1, 1) - x_norm * dgamma.reshape(1, -1, 1, 1)
    dx = gamma.reshape(1, -1, 1, 1) * inner / np.sqrt(var + dout.dtype.type(eps)) / m
    return dx.astype(dout.dtype), dgamma.astype(dout.dtype), dbeta


def batchnorm_mean_forward(x, gamma, beta, running_mean, running_var, momentum, eps, training):
    return batchnorm_forward(x, gamma, beta, running_mean, running_var, momentum, eps, training)


def batchnorm_mean_backward(dout, cache):
    dx, dgamma, dbeta = batchnorm_backward(dout, cache)
    return dx, dgamma, dbeta / dout.dtype.type(len(dout))


def bn(x, g, b, eps=1e-5):
    mu, var = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
    x_norm = (x - mu) / np.sqrt(var + x.dtype.type(eps))
    return (g.reshape(1, -1, 1, 1) * x_norm + b.reshape(1, -1, 1, 1)).astype(x.dtype)


def bn_unscaled(x, g, b, eps=1e-5):
    return bn(x, np.ones_like(g), b, eps)


class BatchNorm2d:
    """eval=True infers; statistics are called M and V."""

    ddof = 1

    def __init__(self, num_features, alpha=0.9):
        self.alpha, self.eps = alpha, 1e-8
        self.BW, self.Bb = np.ones((1, num_features, 1, 1)), np.zeros((1, num_features, 1, 1))
        self.running_M, self.running_V = np.zeros_like(self.BW), np.ones_like(self.BW)

    def forward(self, Z, eval=False):
        M, V = self.running_M, self.running_V
        if not eval:
            M, V = Z.mean((0, 2, 3), keepdims=True), Z.var((0, 2, 3), keepdims=True)
            a, new = Z.dtype.type(self.alpha), Z.var((0, 2, 3), keepdims=True, ddof=self.ddof)
            self.running_M = (a * self.running_M + (1 - a) * M).astype(Z.dtype)
            self.running_V = (a * self.running_V + (1 - a) * new).astype(Z.dtype)
        return (self.BW * (Z - M) / np.sqrt(V + Z.dtype.type(self.eps)) + self.Bb).astype(Z.dtype)


class BatchNorm2dBiased(BatchNorm2d):
    ddof = 0


class BatchNormWithoutWeights:
    """What it keeps are statistics, and none of them is a weight."""

    def __init__(self, alpha=0.9):
        self.alpha, self.moving_mean = alpha, None

    def forward(self, input):
        self.batch_mean, self.batch_var = input.mean(axis=0), input.var(axis=0)
        self.inv_std = 1 / np.sqrt(self.batch_var + input.dtype.type(1e-5))
        return (input - self.batch_mean) * self.inv_std


class Dense:
    """A flag of backward's own; forward is one of two."""

    def __init__(self, n_in, n_out, rng):
        self.weights, self.biases = rng.randn(n_in, n_out), np.zeros((n_out, 1))
        self.forward = self.forward_plain
        self.backward = self.backward_plain

    def forward_plain(self, input):
        self.input = input
        return input @ self.weights + self.biases.T

    def backward_plain(self, output_gradient, learning_rate, adam_flag):
        assert not adam_flag
        dx = output_gradient @ self.weights.T
        self.weights -= learning_rate * self.slope(output_gradient)
        self.biases -= learning_rate * output_gradient.sum(axis=0)[:, None]
        return dx

    def slope(self, output_gradient):
        return self.input.T @ output_gradient


class DenseMean(Dense):
    def slope(self, output_gradient):
        return self.input.T @ output_gradient / output_gradient.dtype.type(len(output_gradient))


class Sigmoid:
    """backward is given what forward was, and what the layer after it gave."""

    def forward(self, inputs):
        return 1 / (1 + np.exp(-np.clip(inputs, -80, 80)))

    def backward(self, inputs, prev_dev):
        s = self.forward(inputs)
        return s * (1 - s) * prev_dev


class SigmoidOfHalf(Sigmoid):
    def backward(self, inputs, prev_dev):
        return self.forward(inputs) * prev_dev


def avg_pool(x, size=2):
    """Windows side by side; what is left over is cut off."""
    N, C, H, W = x.shape
    x = x[:, :, : H - H % size, : W - W % size]
    return x.reshape(N, C, H // size, size, W // size, size).mean(axis=(3, 5))


def avg_pool_backward(dout, shape, size=2):
    dx = np.zeros(shape, dout.dtype)
    spread = dout.repeat(size, axis=2).repeat(size, axis=3) / dout.dtype.type(size * size)
    dx[:, :, : spread.shape[2], : spread.shape[3]] = spread
    return dx


def avg_pool_sum(x, size=2):
    return avg_pool(x, size)


def avg_pool_sum_backward(dout, shape, size=2):
    return avg_pool_backward(dout, shape, size) * dout.dtype.type(size)


def conv2d_forward(x, w):
    """Its backward is still to be written."""
    return x * w


def conv2d_backward(d_top, x, w):
    """An exercise."""
