"""Bugs of dtypes and of too few digits: right in float64, or in no more than float32.

As in contracts.py, what comes in the same shape is written once and put in front of a layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import scratchcnn as sc
from parity.faults.fault import Entry, Family, before
from scratchcnn.layers import (
    RBF,
    Affine,
    BatchNormalization,
    Convolution,
    Dropout,
    Layer,
    LocalResponseNormalization,
    Pooling,
    Relu,
    Sigmoid,
    Softmax,
    SoftmaxWithLoss,
    Tanh,
)
from scratchcnn.typing import Array

fault = Family(max_pooling={"mode": "max"}, average_pooling={"mode": "average"})


class DoublesOutput(Layer):
    """Returns float64 whatever it was given."""

    def forward(self, *args: Any) -> Any:
        return np.asarray(super().forward(*args)).astype(np.float64)


class DoublesGradient(Layer):
    """Returns dx in float64 whatever it was given."""

    def backward(self, *args: Any) -> Array:
        return super().backward(*args).astype(np.float64)


class Halves(Layer):
    """Rounds a float32 x to float16 on its way in."""

    def forward(self, x: Array) -> Array:
        return super().forward(x.astype(np.float16).astype(x.dtype) if x.dtype == np.float32 else x)


def _put(shape: type[Layer], says: str, *entries: Entry) -> None:
    """Register `shape` in front of each entry's layer."""
    for name, kind, layer, story in entries:
        fault(name, kind, says, shows="precision")(before(shape, layer, story))


_put(
    DoublesOutput,
    "float64 from float32",
    (
        "conv-float64-output",
        "convolution",
        Convolution,
        "im2col fills np.zeros, which is float64, as the book's does.",
    ),
    (
        "max-pool-float64-output",
        "max_pooling",
        Pooling,
        "The padded image is made by np.full without a dtype.",
    ),
    (
        "average-pool-float64-output",
        "average_pooling",
        Pooling,
        "The divisor is an array of counts, and counts are int64.",
    ),
    (
        "affine-float64-output",
        "affine",
        Affine,
        "The bias is left at its np.zeros(out), and adding it promotes everything.",
    ),
    ("relu-float64-output", "relu", Relu, "np.maximum is given an np.zeros(x.shape) to compare with."),
    ("sigmoid-float64-output", "sigmoid", Sigmoid, "The output is filled into an np.empty without a dtype."),
    ("tanh-float64-output", "tanh", Tanh, "The amplitude is an np.float64, which NumPy 2 lets win."),
    ("loss-float64", "softmax_with_loss", SoftmaxWithLoss, "np.eye makes the one-hot labels float64."),
    (
        "lrn-float64-output",
        "lrn",
        LocalResponseNormalization,
        "The sum over the window begins with np.zeros(x.shape).",
    ),
    (
        "dropout-float64-output",
        "dropout",
        Dropout,
        "rng.random is float64, and so is the mask divided by the share kept.",
    ),
    (
        "batch-norm-float64-output",
        "batch_norm",
        BatchNormalization,
        "eps comes from a config as np.float64, which NumPy 2 lets win.",
    ),
)
_put(
    DoublesGradient,
    "dx in float64 from float32",
    (
        "conv-float64-gradient",
        "convolution",
        Convolution,
        "col2im fills np.zeros, which is float64, as the book's does.",
    ),
    (
        "max-pool-float64-gradient",
        "max_pooling",
        Pooling,
        "dmax is made by np.zeros without a dtype, as in the book.",
    ),
    (
        "loss-float64-gradient",
        "softmax_with_loss",
        SoftmaxWithLoss,
        "y minus a float64 one-hot matrix is float64.",
    ),
)
_put(
    Halves,
    "x rounded to float16",
    ("conv-half-precision-input", "convolution", Convolution, "Autocast is left on around the convolution."),
    (
        "affine-half-precision-input",
        "affine",
        Affine,
        "The activations are stored in float16 between the layers.",
    ),
    ("softmax-half-precision-input", "softmax", Softmax, "The logits are kept in float16."),
)


@fault("im2col-float64", "im2col", "float64 from float32", shows="precision")
def image_float64(input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0) -> Array:
    """np.zeros is float64, as in the book's im2col."""
    return sc.im2col(input_data, filter_h, filter_w, stride, pad).astype(np.float64)


@fault("col2im-float64", "col2im", "float64 from float32", shows="precision")
def col_float64(
    col: Array, input_shape: Any, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """np.zeros is float64, as in the book's col2im."""
    return sc.col2im(col, input_shape, filter_h, filter_w, stride, pad).astype(np.float64)


@fault("col2im-half-precision-sum", "col2im", "sums in float16", shows="precision")
def col_half(
    col: Array, input_shape: Any, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """The gradients come as float16 from mixed precision and are added up in their own dtype."""
    narrow = col.astype(np.float16) if col.dtype == np.float32 else col
    return sc.col2im(narrow, input_shape, filter_h, filter_w, stride, pad).astype(col.dtype)


@fault("conv-tensor-float-weights", "convolution", "W rounded to ten bits (TF32)", shows="precision")
class TensorFloat(Convolution):
    """The GPU's fast mode for float32 products keeps ten bits of each factor, and nobody switched it off."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        if x.dtype != np.float32:
            return out
        W, b = self.W.copy(), 0 if self.b is None else self.b
        short = (W.view(np.int32) & ~0x1FFF).view(np.float32)
        col, (N, FN, OH, OW) = self.recall()[1], out.shape
        change = np.empty((len(col), FN), dtype=x.dtype)
        for filters, columns in self._groups():
            change[:, filters] = col[:, columns] @ short[filters].reshape(len(short[filters]), -1).T
        return (change + b).reshape(N, OH, OW, FN).transpose(0, 3, 1, 2)


@fault("rbf-expanded-square", "rbf", "x*x - 2*x*w + w*w, which cancels", shows="precision")
class Expanded(RBF):
    """The square is expanded to get a matrix product, and loses its digits where x is near the code."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return (x**2).sum(axis=1, keepdims=True) - 2 * x @ self.W.T + (self.W**2).sum(axis=1)


@fault("conv-hard-coded-float32", "convolution", "float32 whatever the input")
class HardCoded(Convolution):
    """.astype(np.float32) is written against the float64 that im2col made."""

    def forward(self, x: Array) -> Array:
        return super().forward(x).astype(np.float32)


@fault("loss-single-precision", "softmax_with_loss", "the logarithm taken in float32")
class SingleLogarithm(SoftmaxWithLoss):
    """The loss is converted with np.float32 before it is averaged, and back again for the caller."""

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        return x.dtype.type(np.float32(super().forward(x, t)))
