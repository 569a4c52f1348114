"""Bugs of cross entropy's options: what a weight, an ignored label and smoothing do to the sum."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.layers import CrossEntropy
from scratchcnn.typing import Array

KIND = "weighted_cross_entropy"
fault = Family()


@fault(
    "cross-entropy-mean-not-weighted",
    KIND,
    "the mean over the labels for the weighted mean",
    needs={"weight"},
)
class MeanNotWeighted(CrossEntropy):
    """The weighted losses are averaged with np.mean, where PyTorch divides by the sum of the weights."""

    def _shares(self, x: Array, t: Array) -> tuple[Array, Any]:
        q, divisor = super()._shares(x, t)
        if self.reduction == "mean" and t.shape != x.shape:
            divisor = x.dtype.type((t != self.ignore_index).sum())
        return q, divisor


@fault("cross-entropy-weight-forgotten", KIND, "all classes counted alike", needs={"weight"})
class WeightForgotten(CrossEntropy):
    """The weights are kept by the constructor and read by nobody."""

    def _shares(self, x: Array, t: Array) -> tuple[Array, Any]:
        weight, self.weight = self.weight, None
        try:
            return super()._shares(x, t)
        finally:
            self.weight = weight


@fault("cross-entropy-weight-not-in-backward", KIND, "dx without the weights", needs={"weight"})
class WeightNotInBackward(CrossEntropy):
    """The weights were added to forward, and backward is still the one of the plain loss."""

    def backward(self, dout: Any = 1) -> Array:
        y, q, divisor = self.recall()
        if self.weight is not None:
            weight = self.weight.reshape(-1, *(1,) * (y.ndim - 2))
            q = q / weight
            divisor = q.sum() if self.reduction == "mean" else divisor
        dx: Array = dout * (y * q.sum(axis=1, keepdims=True) - q) / divisor
        return dx


@fault("cross-entropy-ignored-counted", KIND, "ignored labels counted in the mean")
class IgnoredCounted(CrossEntropy):
    """The losses of ignored labels are set to zero and then averaged with all the others."""

    def _shares(self, x: Array, t: Array) -> tuple[Array, Any]:
        q, divisor = super()._shares(x, t)
        if self.reduction == "mean" and t.shape != x.shape:
            weight = np.ones(x.shape[1], x.dtype) if self.weight is None else self.weight
            divisor = weight[np.where(t == self.ignore_index, 0, t)].sum()
        return q, divisor


@fault("cross-entropy-ignored-in-backward", KIND, "a gradient for ignored labels")
class IgnoredInBackward(CrossEntropy):
    """Only forward leaves the ignored labels out, and backward subtracts 1 nowhere for them."""

    def backward(self, dout: Any = 1) -> Array:
        y, q, divisor = self.recall()
        totals = q.sum(axis=1, keepdims=True)
        dx: Array = dout * (y * np.where(totals == 0, 1, totals) - q) / divisor
        return dx


@fault("cross-entropy-ignore-index-fixed", KIND, "ignore_index fixed at -100", needs={"ignore_index"})
class IgnoreIndexFixed(CrossEntropy):
    """PyTorch's default is written into the code and the argument is not used."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.ignore_index = -100


@fault(
    "cross-entropy-smoothed-over-the-others",
    KIND,
    "the label's share smoothed over the other classes alone",
    needs={"label_smoothing"},
)
class SmoothedOverOthers(CrossEntropy):
    """The share is divided by C - 1 and given to the wrong classes only, as some papers have it."""

    def _shares(self, x: Array, t: Array) -> tuple[Array, Any]:
        q, divisor = super()._shares(x, t)
        if not self.label_smoothing:
            return q, divisor
        e, C = self.label_smoothing, x.shape[1]
        weight = np.ones(C, x.dtype) if self.weight is None else self.weight
        weight = weight.reshape(-1, *(1,) * (x.ndim - 2))
        alive = q.sum(axis=1, keepdims=True) != 0
        shares = (q / weight - e / C) / max(1 - e, 1e-9)
        q = weight * ((1 - e) * shares + e / (C - 1) * (1 - shares)) * alive
        return q.astype(x.dtype), divisor


@fault("cross-entropy-smoothing-forgotten", KIND, "no label smoothing", needs={"label_smoothing"})
class SmoothingForgotten(CrossEntropy):
    """label_smoothing is accepted and left for later."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.label_smoothing = 0.0


@fault(
    "cross-entropy-smoothing-not-weighted",
    KIND,
    "the smoothed part without the weights",
    needs={"weight", "label_smoothing"},
)
class SmoothingNotWeighted(CrossEntropy):
    """Smoothing is added to the weighted loss afterwards, as the plain mean of the logarithms."""

    def _shares(self, x: Array, t: Array) -> tuple[Array, Any]:
        q, divisor = super()._shares(x, t)
        if self.weight is None:
            return q, divisor
        spread = x.dtype.type(self.label_smoothing / x.shape[1])
        alive = q.sum(axis=1, keepdims=True) != 0
        return q + alive * spread * (1 - self.weight.reshape(-1, *(1,) * (x.ndim - 2))), divisor


@fault("cross-entropy-sum-for-mean", KIND, "the sum for the mean")
class SumForMean(CrossEntropy):
    """The division was dropped when reduction="sum" was added."""

    def _shares(self, x: Array, t: Array) -> tuple[Array, Any]:
        return super()._shares(x, t)[0], x.dtype.type(1)


@fault("cross-entropy-images-divided-by-n", KIND, "the mean over the images alone", needs={"images"})
class ImagesDividedByN(CrossEntropy):
    """len(t) is taken for the number of labels, which it is for rows and not for images."""

    def _shares(self, x: Array, t: Array) -> tuple[Array, Any]:
        q, divisor = super()._shares(x, t)
        pixels = t[0].size if t.shape != x.shape else t[0, 0].size
        return q, divisor / x.dtype.type(pixels) if self.reduction == "mean" else divisor
