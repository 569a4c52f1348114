"""The constant of what cannot be given one: the slope of a leaky ReLU, the alpha of an ELU, Huber's delta,
what a step function gives at 0.

It is read off the forward on negative numbers alone, where it has to be one number for all of them; GELU's
form, of which there are two, in the same way; delta off where the line beyond it points and how steep it is.
The gradient is then judged against it; nothing of the backward is looked at here, unless it is all there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from parity.adapters.constants import CONSTANTS, STEP
from parity.adapters.convention import Convention
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.results import dx_at, out_at
from parity.kinds.probe import Probe

AT = (-0.25, -1.0, -4.0)
SHAPES: dict[str, Callable[[float], float]] = {"leaky_relu": lambda x: x, "elu": math.expm1}
DIGITS = ((1e-12, 12), (1e-6, 6))  # that agree, and to how many it is rounded: of float64, of float32
FORMS = {  # GELU's, at AT; they are 1e-4 apart
    "none": tuple(x * math.erfc(-x / math.sqrt(2)) / 2 for x in AT),
    "tanh": tuple(x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2 for x in AT),
}
SAME = 1e-6
MOST = {"leaky_relu": 1.0, "elu": 16.0}
HUBER, DELTA = "huber_loss", "delta"
NEAR, FAR = 2.0**-7, (128.0, 256.0)  # x - t within and beyond any delta that people write


def own_constant(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """The convention with the constant that its forward shows, where it is not one of its arguments."""
    name = CONSTANTS.get(trial.kind, "")
    if not name or name in c.given or c.as_in_the_book or trial.kind == HUBER:
        return c
    if trial.kind == STEP:
        value = out_at(
            trial, c, replace(probe, inputs={**probe.inputs, "x": np.zeros_like(probe.inputs["x"])})
        )
        return replace(c, own={name: float(value)}) if value in (0.5, 1) else c
    at_each = (np.full_like(probe.inputs["x"], at) for at in AT)
    shown = [out_at(trial, c, replace(probe, inputs={**probe.inputs, "x": x})) for x in at_each]
    if np.isnan(shown).any():
        return c
    if trial.kind == "gelu":
        form = next((form for form, right in FORMS.items() if np.allclose(shown, right, 0, SAME)), "")
        return replace(c, own={name: form}) if form else c
    value = _of_all([out / SHAPES[trial.kind](at) for out, at in zip(shown, AT, strict=True)])
    return replace(c, own={name: value}) if 0 < value < MOST[trial.kind] else c


def own_delta(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """The convention of a Huber loss with the delta that its forward shows, where it is not an argument.

    Twice the same: by how steep the line is beside the square within delta, and by where it meets 0.
    """
    if trial.kind != HUBER or DELTA in c.given or c.as_in_the_book:
        return c
    near, first, second = (_at(trial, c, probe, by, out_at) for by in (NEAR, *FAR))
    steep = (second - first) / (FAR[1] - FAR[0])
    with np.errstate(all="ignore"):
        by_slope, by_place = steep * NEAR**2 / near / 2, 2 * (FAR[0] - np.divide(first, steep))
    return _with_delta(c, [float(by_slope), float(by_place)])


def own_delta_of_gradient(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """The same of a gradient alone: by where it stays, beside its slope within delta."""
    if trial.kind != HUBER or DELTA in c.given:
        return c
    near, first, second = (_at(trial, c, probe, by, dx_at) for by in (NEAR, *FAR))
    with np.errstate(all="ignore"):
        slope = np.divide(near, NEAR)
        return _with_delta(c, [float(np.divide(first, slope)), float(np.divide(second, slope))])


def _at(trial: Trial, c: Convention, probe: Probe, by: float, of: Callable[..., float]) -> float:
    """What is given where all outputs are as far above their targets."""
    t = np.round(probe.inputs["t"])  # the differences are exact
    return of(trial, c, replace(probe, inputs={**probe.inputs, "x": t + by, "t": t}))


def _with_delta(c: Convention, shown: list[float]) -> Convention:
    value = _of_all(shown) if np.isfinite(shown).all() else 0.0
    return replace(c, own={DELTA: value}) if NEAR < value < FAR[0] and value != 1 else c


def _of_all(shown: list[float]) -> float:
    """The number that all of them are, without what rounding adds; 0 where they differ."""
    for tolerance, digits in DIGITS:
        if max(shown) - min(shown) <= tolerance * abs(shown[0]):
            return float(f"{shown[0]:.{digits}g}")
    return 0.0
