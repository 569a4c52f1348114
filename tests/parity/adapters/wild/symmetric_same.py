"""'same' with as much padding on both sides, also for even windows; names that end in Wrong are wrong."""

import numpy as np


class Conv:
    """(k - 1) // 2 on both sides."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding="same"):
        self.k, self.stride = kernel_size, stride
        self.pad = self.padding_of(kernel_size) if padding == "same" else 0
        self.W = np.zeros((out_channels, in_channels, kernel_size, kernel_size))
        self.b = np.zeros(out_channels)

    def padding_of(self, k):
        return (k - 1) // 2

    def forward(self, x):
        p, s = self.pad, self.stride
        self.x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        self.v = np.lib.stride_tricks.sliding_window_view(self.x, (self.k, self.k), axis=(2, 3))[
            :, :, ::s, ::s
        ]
        return np.einsum("nchwij,fcij->nfhw", self.v, self.W) + self.b[:, None, None]

    def backward(self, dout):
        p, s, k = self.pad, self.stride, self.k
        self.dW, self.db = np.einsum("nchwij,nfhw->fcij", self.v, dout), dout.sum((0, 2, 3))
        dx = np.zeros_like(self.x)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                part = np.einsum("nf,fcij->ncij", dout[:, :, i, j], self.W)
                dx[:, :, i * s : i * s + k, j * s : j * s + k] += part
        return dx[:, :, p : dx.shape[2] - p, p : dx.shape[3] - p]


class ConvOfHalf(Conv):
    def padding_of(self, k):
        return k // 2


class ConvWrong(Conv):
    """Of an odd window the pad is one short, too."""

    def padding_of(self, k):
        return max(0, (k - 1) // 2 - 1)


class ConvOfHalfWrong(ConvOfHalf):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW / len(dout)
        return dx


class AlwaysPadded(Conv):
    """Nobody asks for the padding."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1):
        super().__init__(in_channels, out_channels, kernel_size, stride)


class AlwaysPaddedWrong(AlwaysPadded):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = self.db / len(dout)
        return dx
