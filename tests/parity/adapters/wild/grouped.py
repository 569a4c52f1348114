"""Options in a dict, and dense layers with more in their constructor; names that end in Wrong are wrong."""

import numpy as np


def windows(x, kh, kw, s):
    v = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    return v[:, :, ::s, ::s]


def conv_forward(x, w, b, params):
    s, p = params["stride"], params["pad"]
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    v = windows(padded, w.shape[2], w.shape[3], s)
    return np.einsum("nchwij,fcij->nfhw", v, w) + b[:, None, None]


def conv_backward(dout, x, w, b, params):
    s, p = params["stride"], params["pad"]
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dw = np.einsum("nchwij,nfhw->fcij", windows(padded, w.shape[2], w.shape[3], s), dout)
    dx = np.zeros_like(padded)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            part = np.einsum("nf,fcij->ncij", dout[:, :, i, j], w)
            dx[:, :, i * s : i * s + w.shape[2], j * s : j * s + w.shape[3]] += part
    return dx[:, :, p : p + x.shape[2], p : p + x.shape[3]], dw, dout.sum((0, 2, 3))


def convolve_forward(x, w, b, conv_param):
    return conv_forward(x, w, b, conv_param)


def convolve_backward(dout, x, w, b, conv_param):
    dx, dw, db = conv_backward(dout, x, w, b, conv_param)
    return dx, dw, db / len(x)


class Conv:
    def __init__(self, in_channels, out_channels, kernel_size, params={"stride": 1, "padding": 0}):  # noqa: B006
        self.W = np.zeros((out_channels, in_channels, kernel_size, kernel_size))
        self.b = np.zeros(out_channels)
        self.params = {"stride": params["stride"], "pad": params.get("padding", 0)}

    def forward(self, x):
        self.x = x
        return conv_forward(x, self.W, self.b, self.params)

    def backward(self, dout):
        dx, self.dW, self.db = conv_backward(dout, self.x, self.W, self.b, self.params)
        return dx


class MaxPool:
    def __init__(self, pool_param):
        self.kh, self.kw = pool_param["pool_height"], pool_param["pool_width"]
        self.s = pool_param["stride"]

    def forward(self, x):
        self.x = x
        return windows(x, self.kh, self.kw, self.s).max((4, 5))

    def backward(self, dout):
        dx, s = np.zeros_like(self.x), self.s
        for n, c, i, j in np.ndindex(dout.shape):
            part = self.x[n, c, i * s : i * s + self.kh, j * s : j * s + self.kw]
            a, b = np.unravel_index(part.argmax(), part.shape)
            dx[n, c, i * s + a, j * s + b] += dout[n, c, i, j]
        return dx


class MaxPoolWrong(MaxPool):
    def backward(self, dout):
        dx, s = np.zeros_like(self.x), self.s
        for n, c, i, j in np.ndindex(dout.shape):
            part = self.x[n, c, i * s : i * s + self.kh, j * s : j * s + self.kw]
            a, b = np.unravel_index(part.argmax(), part.shape)
            dx[n, c, i * s + a, j * s + b] = dout[n, c, i, j]
        return dx


class Dense:
    def __init__(self, label, channels_in, channels_out, weight_scale, layer_id):
        self.label, self.layer_id = label, layer_id
        self.W = weight_scale * np.ones((channels_in, channels_out))
        self.b = np.zeros(channels_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class DenseOfUnits(Dense):
    def __init__(self, units, name="dense", activation=None):
        self.units, self.W = units, None

    def forward(self, x):
        if self.W is None:
            self.W, self.b = np.ones((x.shape[1], self.units)), np.zeros(self.units)
        return super().forward(x)


class DenseWrong(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW / len(dout)
        return dx
