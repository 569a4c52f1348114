"""Bugs of local response normalization: its constants, its window, the cross terms of dx."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.layers import LocalResponseNormalization
from scratchcnn.typing import Array

fault = Family()


class OpenLRN(LocalResponseNormalization):
    """The right layer, cut into the pieces that the bugs below replace."""

    def energy(self, x: Array) -> Array:
        return self._window_sum(x**2, *self.reach())

    def reach(self) -> tuple[int, int]:
        """How many channels before and after."""
        return self.size // 2, (self.size - 1) // 2

    def reach_back(self) -> tuple[int, int]:
        return self.reach()[::-1]

    def cross(self, x: Array, dout: Array, scale: Array, factor: Array) -> Array:
        window = self._window_sum(dout * x * factor / scale, *self.reach_back())
        return (2 * self._alpha * self.beta) * x * window

    def forward(self, x: Array) -> Array:
        scale = self.k + self._alpha * self.energy(x)
        factor = scale**-self.beta
        self.remember(x.copy(), scale, factor)
        return x * factor

    def backward(self, dout: Array) -> Array:
        x, scale, factor = self.recall()
        return dout * factor - self.cross(x, dout, scale, factor)


@fault("lrn-alpha-not-divided", "lrn", "alpha for alpha / n")
class AlphaNotDivided(OpenLRN):
    """The paper's formula is used with the numbers that PyTorch and Caffe divide by the window."""

    @property
    def _alpha(self) -> float:
        return self.alpha


@fault("lrn-alpha-divided-by-area", "lrn", "alpha / n**2 for alpha / n")
class AlphaArea(OpenLRN):
    """The constant of the within-channel variant, whose window is n by n, is copied."""

    @property
    def _alpha(self) -> float:
        return self.alpha / self.size**2


@fault("lrn-alpha-averaged-at-the-border", "lrn", "the energy averaged over the channels that exist")
class BorderMean(OpenLRN):
    """The mean over the window is taken with np.mean, which divides by less at the ends."""

    def energy(self, x: Array) -> Array:
        ones = np.ones((1, x.shape[1], 1, 1), dtype=x.dtype)
        return super().energy(x) * self.size / self._window_sum(ones, *self.reach())


@fault("lrn-k-forgotten", "lrn", "k = 1 whatever the argument")
class KOne(OpenLRN):
    """The formula is written as 1 + alpha * sum, as in most articles."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.k = 1.0


@fault("lrn-k-two", "lrn", "k = 2 whatever the argument")
class KTwo(OpenLRN):
    """The AlexNet paper's k is written into the formula."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.k = 2.0


@fault("lrn-beta-half", "lrn", "a square root for the power beta")
class SquareRoot(OpenLRN):
    """It is taken for a division by the norm."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.beta = 0.5


@fault("lrn-window-twice-as-wide", "lrn", "a window of n channels to either side")
class TwiceAsWide(OpenLRN):
    """n is read as a radius, as TensorFlow's depth_radius is."""

    def reach(self) -> tuple[int, int]:
        return self.size, self.size


@fault("lrn-window-one-sided", "lrn", "a window that starts at the channel itself")
class OneSided(OpenLRN):
    """The window is the slice c:c+n."""

    def reach(self) -> tuple[int, int]:
        return 0, self.size - 1


@fault("lrn-window-misses-the-last-channel", "lrn", "a window without its last channel")
class LastMissed(OpenLRN):
    """The upper end c + n/2 is exclusive in a Python slice."""

    def reach(self) -> tuple[int, int]:
        return self.size // 2, max(0, (self.size - 1) // 2 - 1)


@fault("lrn-even-window-shifted", "lrn", "an even window that leans the other way", needs={"even_window"})
class LeansOver(OpenLRN):
    """An even window has no middle, and the one more channel is taken after instead of before."""

    def reach(self) -> tuple[int, int]:
        return (self.size - 1) // 2, self.size // 2


@fault("lrn-window-wraps-around", "lrn", "a window that wraps around the channels")
class WrapsAround(OpenLRN):
    """The window is summed with np.roll."""

    @staticmethod
    def _window_sum(a: Array, before: int, after: int) -> Array:
        return sum((np.roll(a, d, axis=1) for d in range(-after, before + 1)), np.zeros_like(a))


@fault("lrn-within-channel", "lrn", "a window along the image's rows instead of the channels")
class WithinChannel(OpenLRN):
    """The axis is counted from a layout with channels last."""

    @staticmethod
    def _window_sum(a: Array, before: int, after: int) -> Array:
        turned = LocalResponseNormalization._window_sum(a.swapaxes(1, 3), before, after)
        return turned.swapaxes(1, 3)


@fault("lrn-not-squared", "lrn", "the sum of magnitudes for the sum of squares")
class NotSquared(OpenLRN):
    """The square is lost."""

    def energy(self, x: Array) -> Array:
        return self._window_sum(np.abs(x), *self.reach())


@fault("lrn-cross-term-forgotten", "lrn", "dx without the cross terms")
class CrossForgotten(OpenLRN):
    """The divisor is taken for a constant in backward."""

    def cross(self, x: Array, dout: Array, scale: Array, factor: Array) -> Array:
        return np.zeros_like(x)


@fault("lrn-cross-term-own-channel", "lrn", "dx with the channel's own cross term alone")
class OwnChannel(OpenLRN):
    """Each value is taken to be divided by itself alone, and its neighbours' divisors are forgotten."""

    def reach_back(self) -> tuple[int, int]:
        return 0, 0


@fault(
    "lrn-cross-window-not-mirrored",
    "lrn",
    "forward's window in dx where it must be mirrored",
    needs={"even_window"},
)
class NotMirrored(OpenLRN):
    """The windows that hold a channel are taken to be the window around it, which an odd size allows."""

    def reach_back(self) -> tuple[int, int]:
        return self.reach()


@fault("lrn-cross-factor-two", "lrn", "the cross terms without their factor 2")
class CrossFactor(OpenLRN):
    """The derivative of the square loses its 2."""

    def cross(self, x: Array, dout: Array, scale: Array, factor: Array) -> Array:
        return super().cross(x, dout, scale, factor) / 2


@fault("lrn-cross-power", "lrn", "the power -beta for -beta - 1 in the cross terms")
class CrossPower(OpenLRN):
    """The exponent is not lowered by one when scale**-beta is differentiated."""

    def cross(self, x: Array, dout: Array, scale: Array, factor: Array) -> Array:
        return super().cross(x, dout, np.ones_like(scale), factor)


@fault("lrn-cross-alpha-not-divided", "lrn", "alpha for alpha / n in the cross terms")
class CrossAlpha(OpenLRN):
    """Only forward was changed when alpha became alpha / n."""

    def cross(self, x: Array, dout: Array, scale: Array, factor: Array) -> Array:
        return super().cross(x, dout, scale, factor) * self.size
