"""Bugs of an affine layer on the last of several axes: what is summed over, and what is flattened."""

from __future__ import annotations

import numpy as np

from parity.faults.fault import Family
from scratchcnn.layers import Linear
from scratchcnn.typing import Array

KIND = "affine_last_axis"
fault = Family()


@fault("linear-db-over-the-first-axis", KIND, "db summed over the first axis alone")
class BiasOverFirstAxis(Linear):
    """dout.sum(axis=0) is enough for rows, and leaves db of the shape (T, out) for (N, T, out)."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        if dout.ndim > 1 and self.b is not None:
            self.grads["b"] = dout.sum(axis=0)
        return dx


@fault("linear-db-mean", KIND, "db averaged over the inner axes")
class BiasMean(Linear):
    """The axes between the first and the last are averaged, as over positions of one image."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        if dout.ndim > 2 and self.b is not None:
            self.grads["b"] = dout.mean(axis=tuple(range(1, dout.ndim - 1))).sum(axis=0)
        return dx


@fault("linear-dw-of-the-last-position", KIND, "dW of the last position alone")
class WeightOfLastPosition(Linear):
    """A loop over the positions assigns dW, where it must add."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        x_shape, rows = self.recall()
        if len(x_shape) > 2:
            x, last = rows.reshape(x_shape), dout.reshape(*x_shape[:-1], -1)
            x, last = np.moveaxis(x, -2, 0)[-1], np.moveaxis(last, -2, 0)[-1]
            self.grads["W"] = x.reshape(-1, x.shape[-1]).T @ last.reshape(-1, last.shape[-1])
        return dx


@fault("linear-dw-divided-by-positions", KIND, "dW divided by the number of positions")
class WeightDivided(Linear):
    """The mean over the positions is taken, since the loss takes it over the batch."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        self.grads["W"] = self.grads["W"] / dout.dtype.type(max(1, int(np.prod(dout.shape[1:-1]))))
        return dx


@fault("linear-axes-not-put-back", KIND, "the inner axes in reverse order")
class AxesReversed(Linear):
    """The rows are gathered position by position and put back image by image."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        if x.ndim < 3:
            return out
        turned = np.swapaxes(out, 0, 1)
        return np.ascontiguousarray(turned).reshape(out.shape)


@fault("linear-bias-per-row", KIND, "the bias added once for all positions")
class BiasOfFirstPosition(Linear):
    """out[:, 0] += b, as if there were one row for each image."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        if x.ndim > 2 and self.b is not None:
            out[:, 1:] -= self.b
        return out
