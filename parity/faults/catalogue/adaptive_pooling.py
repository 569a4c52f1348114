"""Bugs of pooling to a given output size: where the windows lie, what they are divided by."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from parity.faults.catalogue.dtypes import DoublesGradient, DoublesOutput, Halves
from parity.faults.fault import Entry, Family, before, fit
from scratchcnn.layers import AdaptiveAveragePooling, GlobalAveragePooling, Layer
from scratchcnn.typing import Array

fault = Family()
ADAPTIVE, GLOBAL = "adaptive_average_pooling", "global_average_pooling"


class Open(AdaptiveAveragePooling):
    """The right layer, cut into the pieces that the bugs below replace."""

    def divisor(self, window: Array, x_shape: tuple[int, ...]) -> float:
        return window.shape[2] * window.shape[3]

    def divisor_back(self, window: Array, x_shape: tuple[int, ...]) -> float:
        return self.divisor(window, x_shape)

    def hand_back(self, window: Array, share: Array) -> None:
        window += share

    def cells(self, x: Array) -> Any:
        """(i, j, a view of window (i, j)) for every window."""
        for i, rows in enumerate(self._windows(x.shape[2], self.out_h)):
            for j, columns in enumerate(self._windows(x.shape[3], self.out_w)):
                yield i, j, x[:, :, rows, columns]

    def forward(self, x: Array) -> Array:
        self.remember(x.shape)
        out = np.zeros((*x.shape[:2], self.out_h, self.out_w), x.dtype)
        for i, j, window in self.cells(x):
            out[:, :, i, j] = window.sum(axis=(2, 3)) / self.divisor(window, x.shape)
        return out

    def backward(self, dout: Array) -> Array:
        (x_shape,) = self.recall()
        dout = fit(dout, (*x_shape[:2], self.out_h, self.out_w))
        dx = np.zeros(x_shape, dout.dtype)
        for i, j, window in self.cells(dx):
            self.hand_back(window, (dout[:, :, i, j] / self.divisor_back(window, x_shape))[:, :, None, None])
        return dx


# -- where the windows lie ------------------------------------------------------------------------
@fault("adaptive-pool-fixed-windows", ADAPTIVE, "windows of H // out_h at that stride", needs={"uneven"})
class FixedWindows(Open):
    """The window and the stride are worked out once as H // out_h, and the pixels left over are lost."""

    def _windows(self, size: int, count: int) -> list[slice]:
        step = max(1, size // count)
        return [slice(min(i * step, size - 1), min(i * step, size - 1) + step) for i in range(count)]


@fault("adaptive-pool-end-rounded-down", ADAPTIVE, "windows whose end is rounded down", needs={"uneven"})
class EndRoundedDown(Open):
    """Start and end come from the same integer division, so that neighbours never overlap."""

    def _windows(self, size: int, count: int) -> list[slice]:
        edges = [i * size // count for i in range(count + 1)]
        return [slice(a, max(b, a + 1)) for a, b in pairwise(edges)]


@fault("adaptive-pool-start-rounded-up", ADAPTIVE, "windows whose start is rounded up", needs={"uneven"})
class StartRoundedUp(Open):
    """np.linspace(0, H, out_h + 1) is rounded up on both sides."""

    def _windows(self, size: int, count: int) -> list[slice]:
        edges = [-(-i * size // count) for i in range(count + 1)]
        return [slice(min(a, b - 1), b) for a, b in pairwise(edges)]


@fault(
    "adaptive-pool-last-window-takes-the-rest",
    ADAPTIVE,
    "a last window that takes the rest",
    needs={"uneven"},
)
class LastTakesTheRest(Open):
    """All windows are H // out_h wide and the last one is stretched to the border."""

    def _windows(self, size: int, count: int) -> list[slice]:
        step = max(1, size // count)
        starts = [min(i * step, size - 1) for i in range(count)]
        return [slice(s, size if i == count - 1 else s + step) for i, s in enumerate(starts)]


@fault("adaptive-pool-axes-exchanged", ADAPTIVE, "out_h and out_w exchanged")
class AxesExchanged(Open):
    """The size is given as (width, height), as image libraries do."""

    def __init__(self, out_h: int, out_w: int):
        super().__init__(out_w, out_h)


# -- what they are divided by ---------------------------------------------------------------------
@fault(
    "adaptive-pool-one-divisor",
    ADAPTIVE,
    "one divisor, H * W / (out_h * out_w), for all windows",
    needs={"uneven"},
)
class OneDivisor(Open):
    """The mean size of the windows is taken for the size of each."""

    def divisor(self, window: Array, x_shape: tuple[int, ...]) -> float:
        return x_shape[2] * x_shape[3] / (self.out_h * self.out_w)


@fault("adaptive-pool-sum", ADAPTIVE, "sums instead of means")
class Sum(Open):
    """The division is forgotten both ways."""

    def divisor(self, window: Array, x_shape: tuple[int, ...]) -> float:
        return 1


@fault("adaptive-pool-backward-not-divided", ADAPTIVE, "a dx that is not divided by the window's size")
class BackwardNotDivided(Open):
    """The division of the forward pass is not repeated in the backward pass."""

    def divisor_back(self, window: Array, x_shape: tuple[int, ...]) -> float:
        return 1


@fault("adaptive-pool-backward-divided-by-outputs", ADAPTIVE, "a dx divided by out_h * out_w")
class BackwardByOutputs(Open):
    """The size of the output is taken for that of the window."""

    def divisor_back(self, window: Array, x_shape: tuple[int, ...]) -> float:
        return self.out_h * self.out_w


@fault("adaptive-pool-overlaps-overwritten", ADAPTIVE, "overlapping gradients overwritten", needs={"uneven"})
class OverlapsOverwritten(Open):
    """The share is assigned and not added, which is right as long as no windows overlap."""

    def hand_back(self, window: Array, share: Array) -> None:
        window[...] = share


@fault("adaptive-pool-max", ADAPTIVE, "the maximum of each window")
class Max(Open):
    """The maximum is taken by mistake, and dx is that of the average."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        for i, j, window in self.cells(x):
            out[:, :, i, j] = window.max(axis=(2, 3))
        return out


# -- the whole image ------------------------------------------------------------------------------
@fault("global-pool-sum", GLOBAL, "sums instead of means")
class GlobalSum(GlobalAveragePooling):
    """sum() is written for mean(), both ways."""

    def forward(self, x: Array) -> Array:
        return super().forward(x) * x.dtype.type(x.shape[2] * x.shape[3])

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        return dx * dx.dtype.type(dx.shape[2] * dx.shape[3])


@fault("global-pool-max", GLOBAL, "the maximum of each channel")
class GlobalMax(GlobalAveragePooling):
    """Global max pooling is written, with the backward pass of the average."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return x.max(axis=(2, 3))


@fault("global-pool-mean-of-the-batch", GLOBAL, "the mean over the batch too")
class OverTheBatch(GlobalAveragePooling):
    """mean(axis=(0, 2, 3)), copied from batch normalization, is spread over the images."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        return np.broadcast_to(out.mean(axis=0), out.shape).copy()


@fault("global-pool-backward-not-divided", GLOBAL, "a dx that is not divided by H * W")
class GlobalNotDivided(GlobalAveragePooling):
    """dout is repeated over the image, and the mean's factor forgotten."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        return dx * dx.dtype.type(dx.shape[2] * dx.shape[3])


@fault("global-pool-backward-divided-by-height", GLOBAL, "a dx divided by H * H")
class DividedByHeight(GlobalAveragePooling):
    """The image is taken for a square one."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        return dx * dx.dtype.type(dx.shape[3] / dx.shape[2])


@fault("global-pool-backward-to-one-pixel", GLOBAL, "a dx that is zero but at the first pixel")
class ToOnePixel(GlobalAveragePooling):
    """dout is written to dx[:, :, 0, 0] and expected to broadcast."""

    def backward(self, dout: Array) -> Array:
        dx = np.zeros_like(super().backward(dout))
        dx[:, :, 0, 0] = dout
        return dx


# -- contracts and digits -------------------------------------------------------------------------
def _put(shape: type[Layer], says: str, shows: Any, *entries: Entry) -> None:
    for name, kind, layer, story in entries:
        fault(name, kind, says, shows=shows)(before(shape, layer, story))


@fault("adaptive-pool-divides-dout-in-place", ADAPTIVE, "a write into dout", shows="contract")
class DividesDout(AdaptiveAveragePooling):
    """dout[:, :, i, j] /= n is written for a share of its own."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        dout /= dx.shape[2] * dx.shape[3]
        return dx


@fault("global-pool-divides-dout-in-place", GLOBAL, "a write into dout", shows="contract")
class GlobalDividesDout(GlobalAveragePooling):
    """dout /= H * W comes before it is spread."""

    def backward(self, dout: Array) -> Array:
        dx = super().backward(dout)
        dout /= dx.shape[2] * dx.shape[3]
        return dx


_put(
    DoublesOutput,
    "float64 outputs of float32 inputs",
    "precision",
    (
        "adaptive-pool-float64-output",
        ADAPTIVE,
        AdaptiveAveragePooling,
        "The output is made by np.zeros, without a dtype.",
    ),
    (
        "global-pool-float64-output",
        GLOBAL,
        GlobalAveragePooling,
        "mean() is asked to compute in float64 and nobody casts back.",
    ),
)
_put(
    DoublesGradient,
    "a float64 dx",
    "precision",
    (
        "adaptive-pool-float64-dx",
        ADAPTIVE,
        AdaptiveAveragePooling,
        "dx is made by np.zeros, without a dtype.",
    ),
)
_put(
    Halves,
    "a detour through float16",
    "precision",
    (
        "global-pool-half-precision",
        GLOBAL,
        GlobalAveragePooling,
        "The activations are kept in float16 to save memory.",
    ),
)
