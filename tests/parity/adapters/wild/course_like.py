"""Assignments: initializers as functions, functions on one image, weights that are handed to forward."""

import numpy as np


class Linear:
    """W (out, in) from a function that the caller gives."""

    def __init__(self, in_feature, out_feature, weight_init_fn, bias_init_fn):
        self.W = weight_init_fn(in_feature, out_feature).T
        self.b = bias_init_fn(out_feature)
        self.dW, self.db = np.zeros(self.W.shape), np.zeros(self.b.shape)

    def forward(self, A):
        self.A = A
        return A @ self.W.T + self.b

    def backward(self, dLdZ):
        self.dW, self.db = dLdZ.T @ self.A, dLdZ.sum(axis=0)
        return dLdZ @ self.W


class Conv2d:
    def __init__(
        self, in_channel, out_channel, kernel_size, stride=1, weight_init_fn=None, bias_init_fn=None
    ):
        shape = (out_channel, in_channel, kernel_size, kernel_size)
        self.k, self.stride = kernel_size, stride
        self.W = (
            np.random.default_rng(0).standard_normal(shape)
            if weight_init_fn is None
            else weight_init_fn(shape)
        )
        self.b = np.zeros(out_channel) if bias_init_fn is None else bias_init_fn(out_channel)

    def forward(self, x):
        self.x, k, s = x, self.k, self.stride
        self.windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), (2, 3))[:, :, ::s, ::s]
        return np.einsum("ncyxij,fcij->nfyx", self.windows, self.W) + self.b[:, None, None]

    def backward(self, delta):
        k, s = self.k, self.stride
        self.dW, self.db = np.einsum("ncyxij,nfyx->fcij", self.windows, delta), delta.sum(axis=(0, 2, 3))
        dx = np.zeros_like(self.x)
        for i in range(delta.shape[2]):
            for j in range(delta.shape[3]):
                dx[:, :, i * s : i * s + k, j * s : j * s + k] += np.tensordot(delta[:, :, i, j], self.W, 1)
        return dx


def convolution(image, filt, bias, s=1):
    """image (C, H, W), filt (FN, C, f, f), bias (FN, 1)."""
    n_f, _, f, _ = filt.shape
    out = np.zeros((n_f, (image.shape[1] - f) // s + 1, (image.shape[2] - f) // s + 1), image.dtype)
    for curr_f in range(n_f):
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                window = image[:, y * s : y * s + f, x * s : x * s + f]
                out[curr_f, y, x] = (filt[curr_f] * window).sum() + bias[curr_f, 0]
    return out


def convolution_backward(dconv_prev, conv_in, filt, s):
    n_f, _, f, _ = filt.shape
    dout, dfilt, dbias = np.zeros_like(conv_in), np.zeros_like(filt), np.zeros((n_f, 1), filt.dtype)
    for curr_f in range(n_f):
        for y in range(dconv_prev.shape[1]):
            for x in range(dconv_prev.shape[2]):
                here = np.s_[:, y * s : y * s + f, x * s : x * s + f]
                dfilt[curr_f] += dconv_prev[curr_f, y, x] * conv_in[here]
                dout[here] += dconv_prev[curr_f, y, x] * filt[curr_f]
        dbias[curr_f] = dconv_prev[curr_f].sum()
    return dout, dfilt, dbias


def maxpool(image, f=2, s=2):
    c, h, w = image.shape
    out = np.zeros((c, (h - f) // s + 1, (w - f) // s + 1), image.dtype)
    for y in range(out.shape[1]):
        for x in range(out.shape[2]):
            out[:, y, x] = image[:, y * s : y * s + f, x * s : x * s + f].max(axis=(1, 2))
    return out


def maxpool_backward(dpool, orig, f, s):
    dout = np.zeros_like(orig)
    for c in range(orig.shape[0]):
        for y in range(dpool.shape[1]):
            for x in range(dpool.shape[2]):
                window = orig[c, y * s : y * s + f, x * s : x * s + f]
                a, b = np.unravel_index(window.argmax(), window.shape)
                dout[c, y * s + a, x * s + b] += dpool[c, y, x]
    return dout


class Affine:
    """Keeps nothing but x: weights come with each call."""

    def forward(self, x, w, b):
        self.x, self.w = x, w
        return x @ w + b

    def backward(self, dout):
        return dout @ self.w.T, self.x.T @ dout, dout.sum(axis=0)


class BatchNormalization:
    """Made at the first forward; the running statistics begin with the first batch's shape."""

    def __init__(self, momentum=0.99):
        self.momentum, self.eps, self.trainable = momentum, 1e-5, True
        self.running_mean = self.running_var = None

    def initialize(self, optimizer):
        self.gamma_opt, self.beta_opt = optimizer, optimizer

    def set_input_shape(self, shape):
        self.gamma, self.beta = np.ones(shape), np.zeros(shape)
        self.running_mean, self.running_var = np.zeros(shape), np.ones(shape)

    def forward_pass(self, X, training=True):
        if training:
            mean, var = X.mean(axis=0), X.var(axis=0)
            n = len(X)
            self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mean
            self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        self.std, self.centered = np.sqrt(var + self.eps), X - mean
        self.training = training
        return self.gamma * self.centered / self.std + self.beta

    def backward_pass(self, accum_grad):
        gamma, y = self.gamma, self.centered / self.std
        if self.trainable:
            self.gamma = self.gamma_opt.update(self.gamma, (accum_grad * y).sum(axis=0))
            self.beta = self.beta_opt.update(self.beta, accum_grad.sum(axis=0))
        dy = accum_grad * gamma
        if not self.training:
            return dy / self.std
        return (dy - dy.mean(axis=0) - y * (dy * y).mean(axis=0)) / self.std
