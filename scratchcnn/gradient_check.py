"""Gradient checks: comparison with the slope of the function itself (book, sections 4.4 and 5.7.3).

`numerical_gradient` is the book's: each number of the gradient by two calls of f. `check_gradient` compares
slopes along a few random directions, by two calls each, so it costs as little for 61 million numbers as for
ten. Both need float64: in float32 a difference is mostly rounding.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchcnn.kinks import Kink, KinkSearch
from scratchcnn.layers.base import Layer
from scratchcnn.slopes import (
    Direction,
    Function,
    PrecisionWarning,
    along,
    default_h,
    number,
    root_mean_square,
)
from scratchcnn.typing import Array

__all__ = [
    "Direction",
    "GradientCheck",
    "Kink",
    "PrecisionWarning",
    "check_gradient",
    "check_layer",
    "numerical_gradient",
]


def numerical_gradient(f: Function, x: Array, h: float | None = None) -> Array:
    """df/dx by central differences, one number at a time, in x's shape and dtype (book, section 4.4):

        df/dx_i = (f(x + h e_i) - f(x - h e_i)) / 2h

    f(x) returns one number. x is changed in place, so f may ignore its argument and use the array (the
    book's `lambda W: self.loss(x, t)`); it is restored exactly, also if f raises. h is eps**(1/3), where
    truncation and rounding balance: 6e-6 in float64, 5e-3 in float32, times |x_i| if that is above 1. The
    book's is 1e-4.

    Raises TypeError for integers, which cannot change by h (the book's code truncates x + h to x),
    ValueError for an h that vanishes beside x. Warns with PrecisionWarning in float32.
    """
    x = _writeable("numerical_gradient", _checked("numerical_gradient", x))
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        step = default_h(x, abs(float(value))) if h is None else h
        try:
            x[index] = value + step
            above, f_above = float(x[index]), number(f(x), x)[0]
            x[index] = value - step
            below, f_below = float(x[index]), number(f(x), x)[0]
        finally:
            x[index] = value
        if not above > below:
            raise ValueError(
                f"numerical_gradient: h={step} vanishes beside x = {value}; use a larger, positive h"
            )
        grad[index] = (f_above - f_below) / (above - below)
    return grad


@dataclass(frozen=True)
class GradientCheck:
    """What `check_gradient` found; true in an `if` when the gradient passed.

    worst        the largest relative error along a direction or at a kink
    tolerance    the error that was allowed
    resolution   the largest error that rounding in f alone can make; four times that is allowed, and
                 smaller mistakes cannot be seen
    details      one Direction per direction
    reason       why it failed, or None
    kinks        one Kink per number of x on a kink of f, where the gradient must lie between the slopes
                 to the two sides
    unchecked    number of elements left out because too many lie on kinks
    """

    ok: bool
    worst: float
    tolerance: float
    resolution: float
    details: tuple[Direction, ...]
    reason: str | None = None
    kinks: tuple[Kink, ...] = ()
    unchecked: int = 0

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        notes = ""
        if count := len(self.kinks):
            notes += (
                f"; {count} number{'s' if count > 1 else ''} on a kink, judged by the slopes to both sides"
            )
        if self.unchecked:
            notes += f"; {self.unchecked} not checked, since too many lie on kinks"
        if not self.ok:
            return f"wrong: {self.reason}{notes}"
        directions = f" along {len(self.details)} directions" if self.details else ""
        blind = f", blind below {4 * self.resolution:.0e}" if 4 * self.resolution > self.tolerance else ""
        return f"ok: error {self.worst:.1e} of {self.tolerance:.0e}{directions}{blind}{notes}"


def check_gradient(
    f: Function,
    x: Array,
    analytic: Array,
    directions: int = 8,
    rng: np.random.Generator | int = 0,
    h: float | None = None,
    tolerance: float | None = None,
    where: Array | bool = True,
    calls: int = 10_000,
) -> GradientCheck:
    """Check a gradient along random directions v, all its numbers at once:

        sum(analytic * v)   against   (f(x + h v) - f(x - h v)) / 2h

    Each |v_i| lies in [0.5, 1.5] with a random sign: no wrong number is overlooked, and no two cancel
    systematically. Errors are relative to the size of the gradient (see `Direction`), so that one number
    among ten thousand shows if it is off by 2e-4 of a typical one. Unless you give an h, a failing
    direction is tried again with others: a smaller h meets fewer kinks of a Relu, a larger one rounds
    less, and no h makes a wrong gradient pass.

    Numbers of x that lie exactly on a kink, such as a Relu's 0, have two slopes, one to each side. They
    are searched for if a direction fails, and pass if the gradient lies between the two.

    f, x, h     as in `numerical_gradient`: x is changed in place and restored exactly
    rng         a Generator, or a seed
    tolerance   1e-6 in float64, 2e-2 in float32
    where       booleans that broadcast to x: the numbers to move; the others are not checked
    calls       the largest number of calls of f for the search for kinks; numbers that it does not
                reach are left out and counted as `unchecked`

    NaN or infinity, in the gradient or from f, fails. Raises TypeError for integers, ValueError for
    another shape. Warns with PrecisionWarning in float32.
    """
    x, analytic = _writeable("check_gradient", _checked("check_gradient", x)), np.asarray(analytic)
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
    usual = default_h(x, root_mean_square(x))
    mask = np.broadcast_to(where, x.shape).astype(bool)
    details: list[Direction] = []
    kinks: list[Kink] = []
    unchecked = 0
    search = KinkSearch(f, x, analytic, usual if h is None else h, tolerance, calls)

    def slope(v: Array, first: float = usual) -> Direction:
        return along(f, x, analytic, v, h) if h is not None else _explore(f, x, analytic, v, first, tolerance)

    for _ in range(directions):
        if not mask.any():
            break
        v = rng.uniform(-1, 1, x.shape)
        v += np.copysign(0.5, v)
        v *= mask
        # What served the last direction is likely to serve this one.
        first = details[-1].h if details else usual
        d = slope(v, first)
        if not d.passes(tolerance) and (found := search.find(v)):
            kinks += found.kinks
            unchecked += len(found.unchecked)
            details += [e for e in map(slope, found.suspects) if not e.passes(tolerance)][:1]
            mask.flat[[*found.unchecked, *(kink.flat for kink in found.kinks)]] = False
            v *= mask
            if not v.any():
                break
            d = slope(v, first)
        details.append(d)
    return _result(details, kinks, unchecked, tolerance)


def check_layer(
    layer: Layer,
    x: Array,
    rng: np.random.Generator | int = 0,
    where: Mapping[str, Array] | None = None,
    **options: Any,
) -> dict[str, GradientCheck]:
    """Check a layer's dx and the gradient of each parameter: {"x": ..., "W": ..., "b": ...}.

    The function is the sum of the output times a random cotangent (with ones, errors can cancel).
    `where` maps names to masks, as in `where={"W": connections[:, :, None, None]}`; further `options` go
    to `check_gradient`. Afterwards x, parameters and buffers are unchanged, and `layer.grads` holds the
    gradients that were checked.

    Raises ValueError if forward gives another output for the same x: inject a mask into Dropout first.
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

        def f(_: Array) -> float:
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


def _explore(f: Function, x: Array, analytic: Array, v: Array, first: float, tolerance: float) -> Direction:
    """One direction: with the step `first` and, if that fails, with others from large to small.

    A large h rounds less, a small one meets fewer kinks. So a pass at any h counts, but a failure counts
    only if the next h finds the same slope; it does not where kinks or truncation are the cause.
    """
    d = along(f, x, analytic, v, first)
    if d.error <= tolerance:
        return d
    usual, smallest = default_h(x, root_mean_square(x)), 1000 * np.finfo(x.dtype).eps * np.abs(x).max()
    previous: Direction | None = None
    for exponent in range(2 if d.resolution > tolerance else 0, -5, -1):
        h = usual * 10.0**exponent
        if previous and exponent < 0 and (h < smallest or previous.resolution > 1e-3):
            break
        d = along(f, x, analytic, v, h)
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


def _result(details: list[Direction], kinks: list[Kink], unchecked: int, tolerance: float) -> GradientCheck:
    worst = max([d.error for d in details] + [kink.error for kink in kinks], default=math.inf)
    resolution = max((d.resolution for d in details), default=0.0)
    reason = None
    if not details and not kinks:
        reason = "no number was checked: too many lie on kinks"
    elif failed := [d for d in details if not d.passes(tolerance)]:
        reason = _reason(failed, len(details), tolerance)
    elif outside := [kink for kink in kinks if not kink.error <= tolerance]:
        kink = max(outside, key=lambda kink: kink.error)
        reason = (
            f"at {len(outside)} of {len(kinks)} numbers on a kink; at worst, for x{list(kink.index)}, the "
            f"gradient gives {kink.analytic:.6g}, the function {kink.left:.6g} and {kink.right:.6g}"
        )
    return GradientCheck(
        reason is None, worst, tolerance, resolution, tuple(details), reason, tuple(kinks), unchecked
    )


def _reason(failed: list[Direction], directions: int, tolerance: float) -> str:
    d = max(failed, key=lambda d: d.error)
    return (
        f"along {len(failed)} of {directions} directions; at worst the gradient gives {d.analytic:.6g}, "
        f"the function {d.numeric:.6g}: error {d.error:.1e}, allowed {d.allowed(tolerance):.0e}"
    )


def _writeable(who: str, x: Array) -> Array:
    if not x.flags.writeable:
        raise ValueError(f"{who}: x is read-only, and it is changed in place; use x.copy()")
    return x


def _checked(who: str, x: Array) -> Array:
    """x itself, if it is an array that can change by a small h; raises TypeError otherwise."""
    if not isinstance(x, np.ndarray):
        raise TypeError(f"{who}: x must be an array, since it is changed in place; got {type(x).__name__}")
    if x.dtype.kind != "f":
        raise TypeError(
            f"{who}: x must be float64, got {x.dtype}, which cannot change by a small h; use x.astype(float)"
        )
    if x.dtype.itemsize <= 4:
        warnings.warn(
            f"{who}: x is {x.dtype}; check in float64, or expect two digits", PrecisionWarning, stacklevel=3
        )
    return x
