"""The fully connected layer, split over the threads; Flatten; the distances of LeNet-5's output.

One image is a vector times a matrix: the time is that of reading W (forward, dx) and of writing dW, so every
thread takes a part of W.

After convolutions x has its images last (layout.py), that is, it is the transpose of what the formula
multiplies. BLAS takes it as it lies, and dx is made to lie as x does: as the layer before wants it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchcnn.fast import memory, threads
from scratchcnn.fast.products import MAX_SMALL_PRODUCT
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from scratchcnn.layers.basic import Affine, Flatten
    from scratchcnn.layers.lenet5 import RBF

MIN_SHARED_PRODUCTS = 1 << 23  # below, sharing costs more than it saves: waking a thread takes a million,
MIN_SHARED_WEIGHTS = 1 << 20  # unless backward has to read so many weights and to write their gradients


def forward(layer: Affine, x: Array) -> tuple[Array, Any] | None:
    """(N, in) @ (in, out) + b"""
    x, W, b = layer.check_input(x, like=layer.W), layer.W, layer.b
    size = math.prod(x.shape[1:])
    if x.ndim < 2 or size != len(W):
        return None
    flat = x.reshape(len(x), size)
    kept = memory.kept(layer, flat)
    with threads.team() as team:
        if len(x) * W.size < MIN_SHARED_PRODUCTS or team == 1:
            out = flat @ W
        else:
            out = memory.empty((len(x), W.shape[1]), x.dtype)
            threads.each(lambda p: np.matmul(flat, W[:, p], out=out[:, p]), threads.parts(W.shape[1], team))
    if b is not None:
        out += b
    return out, (x.shape, kept)


def backward(layer: Affine, dout: Array, kept: tuple[tuple[int, ...], Array]) -> Array:
    """dx = dout @ W^T and dW = x^T @ dout; each thread takes some rows of W. dx is in x's memory order."""
    (x_shape, x), W = kept, layer.W
    dout = layer.check_dout(dout, (len(x), W.shape[1]))
    if layer.b is not None:
        layer.grads["b"] = dout.sum(axis=0)
    layer.grads.pop("W", None)  # its memory may serve again
    dW, dx = memory.empty(W.shape, W.dtype), memory.empty_like(x)

    def part(p: slice) -> None:
        if len(x) == 1:
            _outer(x[0, p], dout[0], dW[p])
        else:
            np.matmul(x[:, p].T, dout, out=dW[p])
        np.matmul(dout, W[p].T, out=dx[:, p])

    few = len(x) * W.size < MIN_SHARED_PRODUCTS and W.size < MIN_SHARED_WEIGHTS
    with threads.team() as size:
        threads.each(part, threads.parts(len(W), 1 if few else size))
    layer.grads["W"] = dW
    return dx.reshape(x_shape)


def _outer(a: Array, b: Array, out: Array) -> None:
    """The outer product. BLAS is three times as fast as a ufunc, which begins a row for each number of `a`,
    but not for a product over one index; over two, the second of zeros, it has its code for small ones."""
    if 2 * out.size > MAX_SMALL_PRODUCT:
        np.multiply(a[:, None], b, out=out)
        return
    left, right = np.zeros((len(a), 2), a.dtype), np.zeros((2, len(b)), b.dtype)
    left[:, 0], right[0] = a, b
    np.matmul(left, right, out=out)


def flatten_forward(layer: Flatten, x: Array) -> tuple[Array, tuple[int, ...]] | None:
    """(N, C, H, W) -> (N, C*H*W), without a copy where it can be spared"""
    x = layer.check_input(x)
    if x.ndim < 2:
        return None
    return memory.owned(layer, x.reshape(len(x), math.prod(x.shape[1:]))), x.shape


def flatten_backward(layer: Flatten, dout: Array, x_shape: tuple[int, ...]) -> Array:
    dout = layer.check_dout(dout, (x_shape[0], math.prod(x_shape[1:])))
    return memory.owned(layer, dout.reshape(x_shape))


def rbf_forward(layer: RBF, x: Array) -> tuple[Array, Array] | None:
    """The squared distance of each x (N, in) to each code of W (out, in), on memory that is kept"""
    x, W = layer.check_input(x, like=layer.W), layer.W
    if x.ndim != 2 or x.shape[1] != W.shape[1]:
        return None
    difference = memory.empty((len(x), *W.shape), x.dtype)
    np.subtract(x[:, None, :], W, out=difference)
    return np.einsum("nij,nij->ni", difference, difference), difference


def rbf_backward(layer: RBF, dout: Array, difference: Array) -> Array:
    dout = layer.check_dout(dout, difference.shape[:2])
    dx: Array = 2 * (dout[:, None, :] @ difference)[:, 0]
    return dx
