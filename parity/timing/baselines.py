"""Slower styles of our networks, to compare the times with: plain loops, and the book's published style.

    naive   scratchcnn.naive: one element at a time
    book    im2col by a loop over the filter into float64 zeros, the columns kept for backward, one
            `np.dot` per layer, boolean masks, `argmax` and fancy indexing in pooling, an optimizer that
            makes new arrays

Both are our networks with the class of every layer replaced by one of these, so they have the same weights
and names, and `parity check` judges them like ours. They run in float64, as the book's code always does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn import naive
from scratchcnn.layers import (
    Affine,
    Convolution,
    Dropout,
    Flatten,
    Layer,
    LocalResponseNormalization,
    Pooling,
    Relu,
    Sigmoid,
)
from scratchcnn.networks import Network
from scratchcnn.typing import Array


# -- the book -------------------------------------------------------------------------------------
def book_im2col(x: Array, FH: int, FW: int, stride: tuple[int, int], pad: tuple[int, int]) -> Array:
    """(N, C, H, W) -> (N*OH*OW, C*FH*FW), float64 whatever x is."""
    (N, C, H, W), (sh, sw), (ph, pw) = x.shape, stride, pad
    OH, OW = (H + 2 * ph - FH) // sh + 1, (W + 2 * pw - FW) // sw + 1
    img = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)], "constant")
    col = np.zeros((N, C, FH, FW, OH, OW))
    for y in range(FH):
        for z in range(FW):
            col[:, :, y, z, :, :] = img[:, :, y : y + sh * OH : sh, z : z + sw * OW : sw]
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(N * OH * OW, -1)


def book_col2im(
    col: Array, shape: tuple[int, ...], FH: int, FW: int, stride: tuple[int, int], pad: tuple[int, int]
) -> Array:
    """(N*OH*OW, C*FH*FW) -> (N, C, H, W), summed."""
    (N, C, H, W), (sh, sw), (ph, pw) = shape, stride, pad
    OH, OW = (H + 2 * ph - FH) // sh + 1, (W + 2 * pw - FW) // sw + 1
    col = col.reshape(N, OH, OW, C, FH, FW).transpose(0, 3, 4, 5, 1, 2)
    img = np.zeros((N, C, H + 2 * ph + sh - 1, W + 2 * pw + sw - 1))
    for y in range(FH):
        for z in range(FW):
            img[:, :, y : y + sh * OH : sh, z : z + sw * OW : sw] += col[:, :, y, z, :, :]
    return img[:, :, ph : H + ph, pw : W + pw]


class BookConvolution(Convolution):
    def forward(self, x: Array) -> Array:
        (N, FN, OH, OW), (_, _, FH, FW) = self._output_shape(x.shape), self.W.shape
        col = book_im2col(x, FH, FW, self.stride, self.pad)
        out = np.zeros((len(col), FN))
        for rows, columns in self._groups():
            out[:, rows] = np.dot(col[:, columns], self.W[rows].reshape(len(self.W[rows]), -1).T)
        self.remember(x.shape, col)
        biased: Array = out + self.b
        return biased.reshape(N, OH, OW, FN).transpose(0, 3, 1, 2)

    def backward(self, dout: Array) -> Array:
        x_shape, col = self.recall()
        FN, _, FH, FW = self.W.shape
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, FN)
        dW, dcol = np.zeros(self.W.shape), np.zeros(col.shape)
        for rows, columns in self._groups():
            dW[rows] = np.dot(col[:, columns].T, dout[:, rows]).T.reshape(self.W[rows].shape)
            dcol[:, columns] = np.dot(dout[:, rows], self.W[rows].reshape(len(self.W[rows]), -1))
        self.grads["W"], self.grads["b"] = dW, np.sum(dout, axis=0)
        return book_col2im(dcol, x_shape, FH, FW, self.stride, self.pad)


class BookPooling(Pooling):
    def forward(self, x: Array) -> Array:
        N, C, H, W = x.shape
        OH, OW = (H - self.pool_h) // self.stride[0] + 1, (W - self.pool_w) // self.stride[1] + 1
        col = book_im2col(x, self.pool_h, self.pool_w, self.stride, (0, 0))
        col = col.reshape(-1, self.pool_h * self.pool_w)
        self.remember(x.shape, np.argmax(col, axis=1))
        out: Array = np.mean(col, axis=1) if self.mode == "average" else np.max(col, axis=1)
        return out.reshape(N, OH, OW, C).transpose(0, 3, 1, 2)

    def backward(self, dout: Array) -> Array:
        x_shape, arg_max = self.recall()
        dout = dout.transpose(0, 2, 3, 1)
        dmax = np.zeros((dout.size, self.pool_h * self.pool_w))
        if self.mode == "average":
            dmax += (dout / (self.pool_h * self.pool_w)).reshape(-1, 1)
        else:
            dmax[np.arange(arg_max.size), arg_max] = dout.flatten()
        dcol = dmax.reshape(dout.shape[0] * dout.shape[1] * dout.shape[2], -1)
        return book_col2im(dcol, x_shape, self.pool_h, self.pool_w, self.stride, (0, 0))


class BookAffine(Affine):
    def forward(self, x: Array) -> Array:
        flat = x.reshape(x.shape[0], -1)
        self.remember(x.shape, flat)
        out: Array = np.dot(flat, self.W) + self.b
        return out

    def backward(self, dout: Array) -> Array:
        x_shape, x = self.recall()
        self.grads["W"], self.grads["b"] = np.dot(x.T, dout), np.sum(dout, axis=0)
        dx: Array = np.dot(dout, self.W.T).reshape(x_shape)
        return dx


class BookRelu(Relu):
    def forward(self, x: Array) -> Array:
        mask = x <= 0
        self.remember(mask)
        out = x.copy()
        out[mask] = 0
        return out

    def backward(self, dout: Array) -> Array:
        (mask,) = self.recall()
        dx = dout.copy()  # the book writes into dout
        dx[mask] = 0
        return dx


class BookSigmoid(Sigmoid):
    def forward(self, x: Array) -> Array:
        out = 1 / (1 + np.exp(-x))
        self.remember(out)
        return out

    def backward(self, dout: Array) -> Array:
        (out,) = self.recall()
        dx: Array = dout * (1.0 - out) * out
        return dx


class BookMomentum:
    """v = momentum * v - lr * g,  p += v; with new arrays in each step."""

    def __init__(self, lr: float, momentum: float):
        self.lr, self.momentum = lr, momentum
        self.v: dict[str, Array] = {}

    def update(self, params: dict[str, Array], grads: dict[str, Array]) -> None:
        for key, p in params.items():
            self.v[key] = self.momentum * self.v.get(key, np.zeros_like(p)) - self.lr * grads[key]
            p += self.v[key]


# -- plain loops ----------------------------------------------------------------------------------
class NaiveConvolution(Convolution):
    def forward(self, x: Array) -> Array:
        self.remember(x.copy())
        return naive.conv_forward(x, self.W, self.b, self.stride, self.pad, self.dilation, self.groups)

    def backward(self, dout: Array) -> Array:
        (x,) = self.recall()
        dx, self.grads["W"], self.grads["b"] = naive.conv_backward(
            dout, x, self.W, self.stride, self.pad, self.dilation, self.groups
        )
        return dx


class NaivePooling(Pooling):
    def forward(self, x: Array) -> Array:
        self.remember(x.copy())
        return naive.pool_forward(x, self.pool_h, self.pool_w, self.stride, self.pad, self.mode)

    def backward(self, dout: Array) -> Array:
        (x,) = self.recall()
        return naive.pool_backward(dout, x, self.pool_h, self.pool_w, self.stride, self.pad, self.mode)


class NaiveAffine(Affine):
    def forward(self, x: Array) -> Array:
        self.remember(x.copy())
        return naive.affine_forward(x.reshape(len(x), -1), self.W, self.b)

    def backward(self, dout: Array) -> Array:
        (x,) = self.recall()
        flat = x.reshape(len(x), -1)
        dx, self.grads["W"], self.grads["b"] = naive.affine_backward(dout, flat, self.W)
        return dx.reshape(x.shape)


BOOK: dict[type[Layer], type[Layer]] = {
    Convolution: BookConvolution,
    Pooling: BookPooling,
    Affine: BookAffine,
    Relu: BookRelu,
    Sigmoid: BookSigmoid,
}
NAIVE: dict[type[Layer], type[Layer]] = {
    Convolution: NaiveConvolution,
    Pooling: NaivePooling,
    Affine: NaiveAffine,
}
# Layers without a slower style, or whose style needs no loop: they stay ours.
UNCHANGED = (Flatten, Dropout, LocalResponseNormalization, Relu, Sigmoid)
STYLES = {"book": BOOK, "naive": NAIVE}


def in_style(network: Network, style: str) -> Network:
    """A float64 copy of the network in the style "book" or "naive".

    Raises ValueError naming a layer that has no counterpart in it.
    """
    copied, classes = network.astype(np.float64), STYLES[style]
    for path, layer in copied.layers.leaves():
        if type(layer) in classes and _supported(layer):
            layer.__class__ = classes[type(layer)]
        elif type(layer) not in UNCHANGED:
            raise ValueError(f"{path} ({layer!r}) has no counterpart in the {style} style")
    return copied


def _supported(layer: Any) -> bool:
    """Whether the style's class, which has fewer options, computes the same."""
    if isinstance(layer, Convolution):
        return layer.dilation == (1, 1) and layer.b is not None
    if not isinstance(layer, Pooling):
        return True
    plain = layer.dilation == (1, 1) and layer.divisor_override is None
    return plain and layer.pad == (0, 0) and not layer.ceil_mode
