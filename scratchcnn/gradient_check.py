"""Is a gradient right? Compare it with the slope of the function itself (book, sections 4.4 and 5.7.3).

`numerical_gradient` is the book's: every number of the gradient, two calls of f for each.
`check_gradient` asks along a few random directions instead, two calls each, so that it costs as little
for 61 million numbers as for ten. Both want float64: in float32 a difference is mostly rounding.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchcnn.layers.base import Layer

__all__ = [
    "Direction",
    "GradientCheck",
    "PrecisionWarning",
    "check_gradient",
    "check_layer",
    "numerical_gradient",
]

Function = Callable[[NDArray], Any]


class PrecisionWarning(UserWarning):
    """Differences are being taken in a dtype too coarse for them."""


def numerical_gradient(f: Function, x: NDArray, h: float | None = None) -> NDArray:
    """df/dx by central differences, number by number, in x's shape and dtype (book, section 4.4):

        df/dx_i = (f(x + h e_i) - f(x - h e_i)) / 2h

    f(x) returns one number. x is changed in place, so f may ignore its argument and use the array (the
    book's `lambda W: self.loss(x, t)`); it is restored exactly, also when f raises. h is eps**(1/3),
    where truncation and rounding balance: 6e-6 in float64, 5e-3 in float32, times |x_i| where that is
    above 1. The book's is 1e-4.

    Raises TypeError for integers, which cannot move by h (the book's code cuts x + h back to x),
    ValueError for an h that vanishes beside x. Warns with PrecisionWarning in float32.
    """
    x = _checked("numerical_gradient", x)
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        step = _default_h(x, abs(float(value))) if h is None else h
        try:
            x[index] = value + step
            above, f_above = float(x[index]), _number(f(x), x)[0]
            x[index] = value - step
            below, f_below = float(x[index]), _number(f(x), x)[0]
        finally:
            x[index] = value
        if not above > below:
            raise ValueError(
                f"numerical_gradient: h={step} vanishes beside x = {value}; use a larger, positive h"
            )
        grad[index] = (f_above - f_below) / (above - below)
    return grad


@dataclass(frozen=True)
class Direction:
    """The slope along one random direction, by the gradient and by differences with this h."""

    analytic: float
    numeric: float
    scale: float  # the slope that a gradient of this size has along a random direction
    rounding: float  # how far rounding in f can move the numeric one
    h: float

    @property
    def error(self) -> float:
        """How far apart the two are, relative to the scale."""
        if not math.isfinite(self.numeric) or not math.isfinite(self.scale):
            return math.inf
        return abs(self.analytic - self.numeric) / self.scale if self.scale else 0.0

    @property
    def resolution(self) -> float:
        """The error that rounding in f alone can make."""
        return self.rounding / self.scale if self.scale else 0.0

    def allowed(self, tolerance: float) -> float:
        return max(tolerance, 4 * self.resolution)


@dataclass(frozen=True)
class GradientCheck:
    """What `check_gradient` found; true in an `if` where the gradient passed.

    worst        the largest relative error of a direction
    tolerance    what was allowed
    resolution   the largest error that rounding in f alone can make; four times that is allowed, and
                 smaller mistakes cannot be seen
    details      a Direction for each
    reason       why it failed, or None
    """

    ok: bool
    worst: float
    tolerance: float
    resolution: float
    details: tuple[Direction, ...]
    reason: str | None = None

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        if not self.ok:
            return f"wrong: {self.reason}"
        blind = f", blind below {4 * self.resolution:.0e}" if 4 * self.resolution > self.tolerance else ""
        return (
            f"ok: error {self.worst:.1e} of {self.tolerance:.0e} along {len(self.details)} directions{blind}"
        )


def check_gradient(
    f: Function,
    x: NDArray,
    analytic: NDArray,
    directions: int = 8,
    rng: np.random.Generator | int = 0,
    h: float | None = None,
    tolerance: float | None = None,
    where: NDArray | bool = True,
) -> GradientCheck:
    """Check a gradient along random directions v, all its numbers at once:

        sum(analytic * v)   against   (f(x + h v) - f(x - h v)) / 2h

    Every |v_i| lies in [0.5, 1.5] with a random sign: no wrong number is overlooked, and no two cancel by
    design. Errors are relative to the size of the gradient (see `Direction`), so that one number of ten
    thousand shows when it is off by 2e-4 of a typical one. Without an h of your own, a failing direction
    is tried again with others: a smaller h reaches over fewer kinks of a Relu, a larger one rounds less,
    and none mends a wrong gradient.

    f, x, h     as in `numerical_gradient`: x is changed in place and restored exactly
    rng         a Generator, or a seed
    tolerance   1e-6 in float64, 2e-2 in float32
    where       booleans that broadcast to x: the numbers to move; the others are not checked

    NaN or infinity, in the gradient or from f, fails. Raises TypeError for integers, ValueError for
    another shape. Warns with PrecisionWarning in float32.
    """
    x, analytic = _checked("check_gradient", x), np.asarray(analytic)
    if analytic.dtype.kind != "f":
        raise TypeError(f"check_gradient: the gradient must be floating-point, got {analytic.dtype}")
    if analytic.shape != x.shape:
        raise ValueError(f"check_gradient: expected a gradient of x's shape {x.shape}, got {analytic.shape}")
    if directions < 1 or not np.any(np.broadcast_to(where, x.shape)):
        raise ValueError(f"check_gradient: no number of x {x.shape} to check along {directions} directions")
    if tolerance is None:
        tolerance = 1e-6 if x.dtype.itemsize > 4 else 2e-2
    if bad := int((~np.isfinite(analytic)).sum()):
        nan = f"{bad} of the gradient's {analytic.size} numbers are NaN or infinite"
        return GradientCheck(False, math.inf, tolerance, 0.0, (), nan)

    rng = np.random.default_rng(rng)
    usual = _default_h(x, _rms(x))
    details: list[Direction] = []
    for _ in range(directions):
        v = rng.uniform(-1, 1, x.shape)
        v += np.copysign(0.5, v)
        v *= where
        if h is None:
            # What served the last direction is likely to serve this one.
            details.append(_explore(f, x, analytic, v, details[-1].h if details else usual, tolerance))
        else:
            details.append(_along(f, x, analytic, v, h))
    failed = [d for d in details if not d.error <= d.allowed(tolerance)]
    worst, resolution = max(d.error for d in details), max(d.resolution for d in details)
    reason = _reason(failed, directions, tolerance) if failed else None
    return GradientCheck(not failed, worst, tolerance, resolution, tuple(details), reason)


def check_layer(
    layer: Layer,
    x: NDArray,
    rng: np.random.Generator | int = 0,
    where: Mapping[str, NDArray] | None = None,
    **options: Any,
) -> dict[str, GradientCheck]:
    """Check a layer's dx and every parameter gradient: {"x": ..., "W": ..., "b": ...}.

    The function is the sum of the output times a random cotangent (ones would hide whatever a layer
    does to constants). `where` maps names to masks, `where={"W": connections[:, :, None, None]}`;
    further `options` go to `check_gradient`. x, parameters and buffers are afterwards as they were,
    `layer.grads` holds the gradients that were checked.

    Raises ValueError when forward gives another output on the same x: put a mask into Dropout first.
    """
    x, rng = _checked("check_layer", x).copy(), np.random.default_rng(rng)
    kept = {key: buffer.copy() for key, buffer in layer.buffers.items()}
    try:
        out = layer.forward(x)
        cotangent = rng.standard_normal(out.shape).astype(out.dtype)
        arrays, gradients = {"x": x, **layer.params}, {"x": layer.backward(cotangent), **layer.grads}
        if not np.array_equal(out, layer.forward(x), equal_nan=True):
            raise ValueError(
                f"check_layer: {layer!r} gives another output each time; inject a mask or call eval()"
            )

        def f(_: NDArray) -> float:
            return float(np.sum(layer.forward(x) * cotangent, dtype=np.float64))

        checks = {}
        for key, array in arrays.items():
            gradient, mask = gradients.get(key), (where or {}).get(key, True)
            if gradient is None or gradient.shape != array.shape:
                got = "none" if gradient is None else f"shape {gradient.shape}"
                raise ValueError(
                    f"check_layer: {layer!r}: expected a gradient of {array.shape} for {key}, got {got}"
                )
            checks[key] = check_gradient(f, array, gradient, rng=rng, where=mask, **options)
        return checks
    finally:
        for key, buffer in layer.buffers.items():
            buffer[...] = kept[key]


def _explore(
    f: Function, x: NDArray, analytic: NDArray, v: NDArray, first: float, tolerance: float
) -> Direction:
    """One direction: with `first`, and if that fails with one h after the other, from large to small.

    A large h rounds less, a small one reaches over fewer kinks. So any h may acquit, but one condemns
    only when the next finds the same slope; where kinks or truncation are to blame it does not.
    """
    d = _along(f, x, analytic, v, first)
    if d.error <= tolerance:
        return d
    usual, smallest = _default_h(x, _rms(x)), 1000 * np.finfo(x.dtype).eps * np.abs(x).max()
    previous: Direction | None = None
    for exponent in range(2 if d.resolution > tolerance else 0, -5, -1):
        h = usual * 10.0**exponent
        if previous and exponent < 0 and (h < smallest or previous.resolution > 1e-3):
            break
        d = _along(f, x, analytic, v, h)
        if d.error <= (allowed := d.allowed(tolerance)):
            return d
        if (
            previous
            and abs(previous.numeric - d.numeric) <= allowed * d.scale
            and previous.error > 2 * allowed
        ):
            return previous
        previous = d
    return d


def _along(f: Function, x: NDArray, analytic: NDArray, v: NDArray, h: float) -> Direction:
    original = x.copy()
    try:
        x[...] = original + h * v
        step = x.astype(np.float64)
        f_above, eps = _number(f(x), x)
        x[...] = original - h * v
        step -= x
        f_below, _ = _number(f(x), x)
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
    return Direction(float(np.sum(analytic * step)), numeric, max(abs(numeric), typical), rounding, h)


def _reason(failed: list[Direction], directions: int, tolerance: float) -> str:
    d = max(failed, key=lambda d: d.error)
    return (
        f"along {len(failed)} of {directions} directions; at worst the gradient gives {d.analytic:.6g}, "
        f"the function {d.numeric:.6g}: error {d.error:.1e}, allowed {d.allowed(tolerance):.0e}"
    )


def _checked(who: str, x: NDArray) -> NDArray:
    """x as it came: an array that can move by a small h."""
    if not isinstance(x, np.ndarray):
        raise TypeError(f"{who}: x must be an array, since it is changed in place; got {type(x).__name__}")
    if x.dtype.kind != "f":
        raise TypeError(
            f"{who}: x must be float64, got {x.dtype}, which cannot move by a small h; use x.astype(float)"
        )
    if x.dtype.itemsize <= 4:
        warnings.warn(
            f"{who}: x is {x.dtype}; check in float64, or expect two digits", PrecisionWarning, stacklevel=3
        )
    return x


def _rms(x: NDArray) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


def _default_h(x: NDArray, size: float) -> float:
    return float(np.finfo(x.dtype).eps) ** (1 / 3) * max(1.0, size)


def _number(value: Any, x: NDArray) -> tuple[float, float]:
    """f's value, and how coarsely it was rounded: the eps of its dtype or x's, whichever is larger."""
    value = np.asarray(value)
    if value.size != 1 or value.dtype.kind not in "fiu":
        raise TypeError(f"f must return one real number, got {value.dtype} of shape {value.shape}")
    eps = float(np.finfo(x.dtype).eps)
    if value.dtype.kind == "f" and value.dtype.itemsize < x.dtype.itemsize:
        warnings.warn(f"f returns {value.dtype} for a {x.dtype} x", PrecisionWarning, stacklevel=4)
        eps = float(np.finfo(value.dtype).eps)
    return float(value.item()), eps
