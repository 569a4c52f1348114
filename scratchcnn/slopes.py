"""The slope of a function along a direction: by its gradient, and by differences."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchcnn.typing import Array

Function = Callable[[Array], Any]


class PrecisionWarning(UserWarning):
    """Differences are being taken in a dtype too coarse for them."""


@dataclass(frozen=True)
class Direction:
    """The slope along one direction v, by the gradient and by differences with a step h.

    analytic      sum(gradient * v)
    numeric       (f(x + h v) - f(x - h v)) / 2h
    scale         the slope that a gradient of this size has along a random direction
    rounding      how far rounding in f can move the numeric slope
    left, right   (f(x) - f(x - h v)) / h and (f(x + h v) - f(x)) / h, NaN where not asked for
    """

    analytic: float
    numeric: float
    scale: float
    rounding: float
    h: float
    left: float = math.nan
    right: float = math.nan

    @property
    def error(self) -> float:
        """The distance between the two slopes relative to the scale."""
        if not math.isfinite(self.numeric) or not math.isfinite(self.scale):
            return math.inf
        return abs(self.analytic - self.numeric) / self.scale if self.scale else 0.0

    @property
    def resolution(self) -> float:
        """The error that rounding in f alone can make."""
        return self.rounding / self.scale if self.scale else 0.0

    def allowed(self, tolerance: float) -> float:
        """The largest error that passes: the tolerance, or more where rounding in f hides it."""
        return max(tolerance, 4 * self.resolution)

    def passes(self, tolerance: float) -> bool:
        return self.error <= self.allowed(tolerance)


def along(f: Function, x: Array, analytic: Array, v: Array, h: float, at_x: float | None = None) -> Direction:
    """The slope along v with step h; x is changed in place and restored. `at_x` is f(x), for left and right.

    Raises ValueError if h vanishes beside x.
    """
    original = x.copy()
    try:
        x[...] = original + h * v
        step = x.astype(np.float64)
        f_above, eps = number(f(x), x)
        x[...] = original - h * v
        step -= x
        f_below, _ = number(f(x), x)
    finally:
        x[...] = original
    moved = v != 0
    if not step[moved].all():
        raise ValueError(f"check_gradient: h={h} vanishes beside x; use a larger h")
    step /= 2 * h  # v but for the last digits, since x + h v was rounded
    numeric = (f_above - f_below) / (2 * h)
    # sum(analytic * v) of a random v is of the size |analytic| * |v| / sqrt(n).
    typical = float(np.linalg.norm(analytic * moved) * np.linalg.norm(step)) / math.sqrt(moved.sum())
    rounding = eps * max(abs(f_above), abs(f_below)) / h
    left, right = (math.nan, math.nan) if at_x is None else ((at_x - f_below) / h, (f_above - at_x) / h)
    slope = float(np.sum(analytic * step))
    return Direction(slope, numeric, max(abs(numeric), typical), rounding, h, left, right)


def default_h(x: Array, size: float) -> float:
    """The step at which truncation and rounding balance: eps**(1/3), times the size where that is above 1."""
    eps = float(np.finfo(x.dtype).eps)
    return float(eps ** (1 / 3)) * max(1.0, size)


def root_mean_square(x: Array) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


def number(value: Any, x: Array) -> tuple[float, float]:
    """f's value, and how coarsely it was rounded: the eps of its dtype or x's, whichever is larger.

    Raises TypeError for anything but one real number. Warns with PrecisionWarning if f is coarser than x.
    """
    value = np.asarray(value)
    if value.size != 1 or value.dtype.kind not in "fiu":
        raise TypeError(f"f must return one real number, got {value.dtype} of shape {value.shape}")
    eps = float(np.finfo(x.dtype).eps)
    if value.dtype.kind == "f" and value.dtype.itemsize < x.dtype.itemsize:
        warnings.warn(f"f returns {value.dtype} for a {x.dtype} x", PrecisionWarning, stacklevel=4)
        eps = float(np.finfo(value.dtype).eps)
    return float(value.item()), eps
