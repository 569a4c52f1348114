"""Further habits: fprop and bprop, layers that count, activations by name, targets first."""

import numpy as np


class FullyConnected:
    """Weights in a list, gradients in a list."""

    def __init__(self, input_dim, output_dim, name=None):
        self.params = [np.zeros((input_dim, output_dim)), np.zeros(output_dim)]
        self.grads = [np.zeros_like(p) for p in self.params]

    def fprop(self, x):
        self.x = x
        W, b = self.params
        return x @ W + b

    def bprop(self, dout):
        self.grads[0][...] = self.x.T @ dout
        self.grads[1][...] = dout.sum(axis=0)
        return dout @ self.params[0].T


class DenseWithBiasRow:
    """The bias is the last row of the weights."""

    def __init__(self, fan_in, fan_out):
        self.W = np.zeros((fan_in + 1, fan_out))

    def forward(self, x):
        self.x = np.hstack([x, np.ones((len(x), 1), x.dtype)])
        return self.x @ self.W

    def backward(self, delta):
        self.dW = self.x.T @ delta
        return delta @ self.W[:-1].T


class CrossEntropy:
    """Softmax inside; the labels come first, and gradient is asked for with both again."""

    def loss(self, y_true, y_pred):
        z = y_pred - y_pred.max(axis=1, keepdims=True)
        log_y = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return -(y_true * log_y).sum() / y_pred.dtype.type(len(y_pred))

    def gradient(self, y_true, y_pred):
        e = np.exp(y_pred - y_pred.max(axis=1, keepdims=True))
        return ((e / e.sum(axis=1, keepdims=True) - y_true) / len(y_true)).astype(y_pred.dtype)


class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(x.shape[0], -1)

    def backward(self, dout):
        return dout.reshape(self.shape)


class Pool2D:
    """Max or average by mode; a window as large as its step."""

    def __init__(self, size=2, mode="max"):
        self.size, self.mode = size, mode

    def forward(self, x):
        k = self.size
        N, C, H, W = x.shape
        assert H % k == 0 and W % k == 0, "the window must divide the image"
        self.shape = x.shape
        self.blocks = x.reshape(N, C, H // k, k, W // k, k)
        return self.blocks.max(axis=(3, 5)) if self.mode == "max" else self.blocks.mean(axis=(3, 5))

    def backward(self, dout):
        k, d = self.size, dout[:, :, :, None, :, None]
        if self.mode != "max":
            return (np.ones_like(self.blocks) * d / (k * k)).astype(dout.dtype).reshape(self.shape)
        N, C, OH, _, OW, _ = self.blocks.shape
        flat = self.blocks.transpose(0, 1, 2, 4, 3, 5).reshape(N, C, OH, OW, -1)
        hot = np.eye(k * k, dtype=dout.dtype)[flat.argmax(axis=4)].reshape(N, C, OH, OW, k, k)
        return (hot.transpose(0, 1, 2, 4, 3, 5) * d).reshape(self.shape)


class SquareOnly:
    """A convolution of square images: one size for both sides; it refuses others by a crash."""

    def __init__(self, in_ch, out_ch, k):
        self.k, self.w, self.b = k, np.zeros((out_ch, in_ch, k, k)), np.zeros(out_ch)

    def forward(self, x):
        n = x.shape[2] - self.k + 1
        self.x, self.n = x, n
        windows = np.lib.stride_tricks.sliding_window_view(x, (self.k, self.k), (2, 3))
        out = np.zeros((len(x), len(self.b), n, n), x.dtype)
        out[...] = np.einsum("ncyxij,fcij->nfyx", windows, self.w) + self.b[:, None, None]
        return out

    def backward(self, dout):
        windows = np.lib.stride_tricks.sliding_window_view(self.x, (self.k, self.k), (2, 3))
        self.dw, self.db = np.einsum("ncyxij,nfyx->fcij", windows, dout), dout.sum(axis=(0, 2, 3))
        dx = np.zeros_like(self.x)
        for i in range(self.n):
            for j in range(self.n):
                dx[:, :, i : i + self.k, j : j + self.k] += np.tensordot(dout[:, :, i, j], self.w, 1)
        return dx
