"""Images (N, H, W, C): classes with filters (FH, FW, C, FN), and functions with a cache (Coursera)."""

import numpy as np


class ConvLayer:
    def __init__(self, num_filters, kernel_size, in_channels, stride=1, padding=0):
        self.stride, self.padding, self.k = stride, padding, kernel_size
        self.kernels = np.zeros((kernel_size, kernel_size, in_channels, num_filters))
        self.bias = np.zeros((1, 1, 1, num_filters))

    def forward_pass(self, images):
        p, s, k = self.padding, self.stride, self.k
        self.padded = np.pad(images, ((0, 0), (p, p), (p, p), (0, 0)))
        N, H, W, _ = self.padded.shape
        out = np.zeros((N, (H - k) // s + 1, (W - k) // s + 1, self.kernels.shape[3]), images.dtype)
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                window = self.padded[:, y * s : y * s + k, x * s : x * s + k]
                out[:, y, x] = np.tensordot(window, self.kernels, 3)
        return out + self.bias

    def backward_pass(self, error):
        p, s, k = self.padding, self.stride, self.k
        self.grad_kernels, dx = np.zeros_like(self.kernels), np.zeros_like(self.padded)
        self.grad_bias = error.sum(axis=(0, 1, 2)).reshape(self.bias.shape)
        for y in range(error.shape[1]):
            for x in range(error.shape[2]):
                here = np.s_[:, y * s : y * s + k, x * s : x * s + k]
                self.grad_kernels += np.tensordot(self.padded[here], error[:, y, x], ((0,), (0,)))
                dx[here] += np.tensordot(error[:, y, x], self.kernels, ((1,), (3,)))
        return dx[:, p : dx.shape[1] - p, p : dx.shape[2] - p]


class ConvLayerWrong(ConvLayer):
    """The bias is added up over rows only."""

    def backward_pass(self, error):
        dx = super().backward_pass(error)
        self.grad_bias = error[:, :1].sum(axis=(0, 1, 2)).reshape(self.bias.shape)
        return dx


def conv_forward(A_prev, W, b, hparameters):
    """(m, H, W, C) and W (f, f, C_prev, C) -> Z, cache."""
    s, p = hparameters["stride"], hparameters["pad"]
    f = W.shape[0]
    A = np.pad(A_prev, ((0, 0), (p, p), (p, p), (0, 0)))
    m, H, width, _ = A.shape
    Z = np.zeros((m, (H - f) // s + 1, (width - f) // s + 1, W.shape[3]), A.dtype)
    for h in range(Z.shape[1]):
        for w in range(Z.shape[2]):
            Z[:, h, w] = np.tensordot(A[:, h * s : h * s + f, w * s : w * s + f], W, 3) + b[0, 0, 0]
    return Z, (A_prev, W, b, hparameters)


def conv_backward(dZ, cache):
    A_prev, W, b, hparameters = cache
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    A = np.pad(A_prev, ((0, 0), (p, p), (p, p), (0, 0)))
    dA, dW, db = np.zeros_like(A), np.zeros_like(W), dZ.sum(axis=(0, 1, 2)).reshape(b.shape)
    for h in range(dZ.shape[1]):
        for w in range(dZ.shape[2]):
            here = np.s_[:, h * s : h * s + f, w * s : w * s + f]
            dW += np.tensordot(A[here], dZ[:, h, w], ((0,), (0,)))
            dA[here] += np.tensordot(dZ[:, h, w], W, ((1,), (3,)))
    return dA[:, p : dA.shape[1] - p, p : dA.shape[2] - p], dW, db


def wrong_conv_forward(A_prev, W, b, hparameters):
    return conv_forward(A_prev, W, b, hparameters)


def wrong_conv_backward(dZ, cache):
    """Forgets to cut the padding off in one direction."""
    dA, dW, db = conv_backward(dZ, cache)
    return dA, dW, db / len(dZ)


class MaxPooling2D:
    def __init__(self, pool_size=(2, 2), strides=2):
        self.pool_size, self.strides = pool_size, strides

    def forward(self, inputs):
        (h, w), s = self.pool_size, self.strides
        self.inputs = inputs
        N, H, W, C = inputs.shape
        out = np.zeros((N, (H - h) // s + 1, (W - w) // s + 1, C), inputs.dtype)
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                out[:, i, j] = inputs[:, i * s : i * s + h, j * s : j * s + w].max(axis=(1, 2))
        return out

    def backward(self, grads):
        (h, w), s = self.pool_size, self.strides
        N, C = self.inputs.shape[0], self.inputs.shape[3]
        dx = np.zeros_like(self.inputs)
        for i in range(grads.shape[1]):
            for j in range(grads.shape[2]):
                here = np.s_[:, i * s : i * s + h, j * s : j * s + w]
                window = self.inputs[here].reshape(N, h * w, C)
                hot = np.zeros_like(window)
                np.put_along_axis(hot, window.argmax(axis=1)[:, None], 1, axis=1)
                dx[here] += hot.reshape(N, h, w, C) * grads[:, i, j][:, None, None]
        return dx
