"""Bugs of a softmax along a given axis: another axis, a maximum of something else, sums that broadcast."""

from __future__ import annotations

import numpy as np

from parity.faults.fault import Family
from scratchcnn.layers import Softmax
from scratchcnn.typing import Array

KIND = "softmax_axis"
fault = Family()


class Open(Softmax):
    """The right layer, with its axis and its formulas to be replaced."""

    def along(self, x: Array) -> int:
        return self.axis

    def shift(self, x: Array) -> Array:
        top: Array = x.max(axis=self.along(x), keepdims=True)
        return top

    def total(self, a: Array) -> Array:
        found: Array = a.sum(axis=self.along(a), keepdims=True)
        return found

    def total_of_dx(self, a: Array) -> Array:
        return self.total(a)

    def forward(self, x: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            e = np.exp(x - self.shift(x))
            y: Array = e / self.total(e)
        self.remember(y.copy())
        return y

    def backward(self, dout: Array) -> Array:
        (y,) = self.recall()
        dx: Array = y * (dout - self.total_of_dx(dout * y))
        return dx


@fault("softmax-axis-second", KIND, "the softmax along the second axis, whatever the axis is")
class Second(Open):
    """axis is an argument, and axis=1 is written in the formula."""

    def along(self, x: Array) -> int:
        return 1


@fault("softmax-axis-last", KIND, "the softmax along the last axis, whatever the axis is")
class Last(Open):
    """axis=-1 is right for rows, and is kept for images."""

    def along(self, x: Array) -> int:
        return x.ndim - 1


@fault("softmax-axis-without-batch", KIND, "the axis counted without the batch")
class WithoutBatch(Open):
    """axis=0 is the first axis of one image, so 1 is added for the batch."""

    def along(self, x: Array) -> int:
        return (self.axis + 1) % x.ndim if self.axis >= 0 else self.axis


@fault("softmax-axis-negative", KIND, "a negative axis taken without its sign", needs={"negative_axis"})
class Negative(Open):
    """The axis is brought into range by abs(), where x.ndim is to be added."""

    def along(self, x: Array) -> int:
        return min(abs(self.axis), x.ndim - 1)


@fault("softmax-axis-over-the-image", KIND, "one sum for all numbers of an image")
class OverTheImage(Open):
    """The image is flattened first, so that its numbers sum to 1 together."""

    def shift(self, x: Array) -> Array:
        top: Array = x.max(axis=tuple(range(1, x.ndim)), keepdims=True)
        return top

    def total(self, a: Array) -> Array:
        found: Array = a.sum(axis=tuple(range(1, a.ndim)), keepdims=True)
        return found


@fault("softmax-axis-maximum-of-all", KIND, "a shift by the maximum of everything")
class MaximumOfAll(Open):
    """x.max() lacks its axis, and columns far below the largest number become 0 / 0."""

    def shift(self, x: Array) -> Array:
        return np.asarray(x.max())


@fault("softmax-axis-maximum-along-second", KIND, "a shift by the maximum along the second axis")
class MaximumAlongSecond(Open):
    """The sum takes the axis, and the maximum keeps axis=1, by which a column is no longer shifted as one."""

    def shift(self, x: Array) -> Array:
        top: Array = x.max(axis=1, keepdims=True)
        return top


@fault("softmax-axis-no-shift", KIND, "no shift by the maximum")
class NoShift(Open):
    """The definition is typed in, and exp overflows from 710 on."""

    def shift(self, x: Array) -> Array:
        return np.zeros((), x.dtype)


@fault("softmax-axis-without-keepdims", KIND, "the sums without keepdims, which other axes broadcast to")
class WithoutKeepdims(Open):
    """e / e.sum(axis) runs where the sizes are equal, with the sum of another column."""

    def total(self, a: Array) -> Array:
        bare = a.sum(axis=self.axis)
        try:
            np.broadcast_to(bare, a.shape)
        except ValueError:
            return super().total(a)
        return np.asarray(bare)


@fault("softmax-axis-backward-second", KIND, "the sum of dx over the second axis")
class BackwardSecond(Open):
    """forward takes the axis, and backward sums over axis 1."""

    def total_of_dx(self, a: Array) -> Array:
        found: Array = a.sum(axis=1, keepdims=True)
        return found


@fault("softmax-axis-backward-all", KIND, "one sum over everything in dx")
class BackwardAll(Open):
    """(dout * y).sum() lacks its axis."""

    def total_of_dx(self, a: Array) -> Array:
        return np.asarray(a.sum())


@fault("softmax-axis-backward-diagonal", KIND, "the diagonal of the Jacobian alone")
class BackwardDiagonal(Open):
    """The derivative is taken as y(1 - y), as for a sigmoid."""

    def backward(self, dout: Array) -> Array:
        (y,) = self.recall()
        return np.asarray(dout * y * (1 - y))
