"""Bugs of the fully connected layer and of flatten: transposes, sums, the order of an image's numbers."""

from __future__ import annotations

import numpy as np

from parity.faults.fault import Family
from scratchcnn.layers import Affine, Flatten
from scratchcnn.typing import Array

fault = Family()


# -- affine ---------------------------------------------------------------------------------------
@fault("affine-dw-transposed", "affine", "dW transposed")
class FilterTransposed(Affine):
    """dW = dout.T @ x is right for PyTorch's (out, in), and a square W hides it."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.grads["W"] = self.grads["W"].T
        return dx


@fault("affine-weights-reshape-for-transpose", "affine", "W reshaped where it must be transposed in dx")
class BackReshaped(Affine):
    """W.reshape(out, in) makes the shapes of dout @ W fit."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        return (dout @ self.W.reshape(self.W.shape[::-1])).reshape(dx.shape)


@fault("affine-weights-from-torch-reshaped", "affine", "W read as (out, in) and reshaped")
class ForwardReshaped(Affine):
    """A weight in PyTorch's layout is brought to (in, out) by reshape, not by transposing it."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        out = self.recall()[1] @ np.ascontiguousarray(self.W.T).reshape(self.W.shape)
        return out if self.b is None else out + self.b


@fault("affine-bias-forgotten", "affine", "no bias in the output")
class BiasForgotten(Affine):
    """The bias is kept, given a gradient and never added."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return self.recall()[1] @ self.W


@fault("affine-bias-inside-the-sum", "affine", "the bias added to every term of the sum")
class BiasInside(Affine):
    """The bias stands inside the loop over the inputs, so that it counts as often as there are inputs."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        return out if self.b is None else out + (len(self.W) - 1) * self.b


@fault("affine-db-mean", "affine", "the mean of dout for its sum in db")
class BiasMean(Affine):
    """np.mean over the batch looks as natural as the sum."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.grads["b"] = dout.mean(axis=0)
        return dx


@fault("affine-db-wrong-axis", "affine", "db summed over the outputs")
class BiasPerImage(Affine):
    """axis=1 is typed for axis=0, which only N = out lets pass."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.grads["b"] = dout.sum(axis=1)
        return dx


@fault("affine-db-two-dimensional", "affine", "db of shape (1, out)")
class BiasKeepsAxis(Affine):
    """The sum is taken with keepdims=True, and broadcasting hides it in the update."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.grads["b"] = dout.sum(axis=0, keepdims=True)
        return dx


@fault("affine-db-forgotten", "affine", "db never set")
class NoBiasGradient(Affine):
    """The bias was added to forward later, and backward was not touched."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.grads.pop("b", None)
        return dx


@fault("affine-dw-mean", "affine", "dW divided by N once more")
class FilterMean(Affine):
    """The division by the batch size is made in the loss and in the layer."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.grads["W"] = self.grads["W"] / len(dout)
        return dx


@fault("affine-dw-last-image", "affine", "dW of the last image alone")
class LastImage(Affine):
    """dW is assigned in the loop over the batch, where it should be added to."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.grads["W"] = self.recall()[1][-1:].T @ dout[-1:]
        return dx


@fault("affine-dx-not-reshaped", "affine", "dx left flat", needs={"images"})
class BackFlat(Affine):
    """The shape of x is not kept in forward, so dx comes back as a matrix."""

    def backward(self, dout: Array) -> Array:
        return super().backward(dout).reshape(len(dout), -1)


@fault("affine-flattens-channels-last", "affine", "images flattened in the order H, W, C", needs={"images"})
class ChannelsLast(Affine):
    """The weights were trained with channels last."""

    def forward(self, x: Array) -> Array:
        return super().forward(np.moveaxis(x, 1, -1) if x.ndim == 4 else x)

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        return np.moveaxis(dx, -1, 1) if dx.ndim == 4 else dx


# -- flatten --------------------------------------------------------------------------------------
@fault("flatten-channels-last", "flatten", "images flattened in the order H, W, C")
class FlattensChannelsLast(Flatten):
    """The network is ported from a framework with channels last, whose next layer expects that order."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        return np.moveaxis(x, 1, -1).reshape(out.shape)


@fault("flatten-column-major", "flatten", "images flattened in Fortran's order")
class ColumnMajor(Flatten):
    """The code is translated from MATLAB, whose reshape runs down the columns."""

    def forward(self, x: Array) -> Array:
        return x.reshape(super().forward(x).shape, order="F")


@fault("flatten-images-last", "flatten", "images mixed with each other")
class ImagesMixed(Flatten):
    """x.reshape(-1, N).T has the right shape and reads the images across each other."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return x.reshape(-1, len(x)).T.copy()


@fault("flatten-dx-left-flat", "flatten", "dx left flat")
class LeftFlat(Flatten):
    """Flatten is written as a function of forward alone, and its backward hands dout on."""

    def backward(self, dout: Array) -> Array:
        return super().backward(dout).reshape(dout.shape)
