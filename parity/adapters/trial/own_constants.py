"""The constant of an activation that cannot be given: the slope of a leaky ReLU, the alpha of an ELU.

It is read off the forward on negative numbers alone, where it has to be one number for all of them; GELU's
form, of which there are two, in the same way. The gradient is then judged against it; nothing of the backward
is looked at here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from parity.adapters.constants import CONSTANTS
from parity.adapters.convention import Convention
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.results import out_at
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


def own_constant(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """The convention with the constant that its forward shows, where it is not one of its arguments."""
    name = CONSTANTS.get(trial.kind, "")
    if not name or name in c.given or c.as_in_the_book:
        return c
    at_each = (np.full_like(probe.inputs["x"], at) for at in AT)
    shown = [out_at(trial, c, replace(probe, inputs={**probe.inputs, "x": x})) for x in at_each]
    if np.isnan(shown).any():
        return c
    if trial.kind == "gelu":
        form = next((form for form, right in FORMS.items() if np.allclose(shown, right, 0, SAME)), "")
        return replace(c, own={name: form}) if form else c
    value = _of_all([out / SHAPES[trial.kind](at) for out, at in zip(shown, AT, strict=True)])
    return replace(c, own={name: value}) if 0 < value < MOST[trial.kind] else c


def _of_all(shown: list[float]) -> float:
    """The number that all of them are, without what rounding adds; 0 where they differ."""
    for tolerance, digits in DIGITS:
        if max(shown) - min(shown) <= tolerance * abs(shown[0]):
            return float(f"{shown[0]:.{digits}g}")
    return 0.0
