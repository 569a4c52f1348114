"""The constant of an activation that cannot be given: the slope of a leaky ReLU, the alpha of an ELU.

It is read off the forward on negative numbers alone, where it has to be one number for all of them. The
gradient is then judged against that number; nothing of the backward is looked at here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from parity.adapters.constants import CONSTANTS
from parity.adapters.convention import Convention
from parity.adapters.trial.attempt import Trial
from parity.kinds.probe import Probe

AT = (-0.25, -1.0, -4.0)
SHAPES: dict[str, Callable[[float], float]] = {"leaky_relu": lambda x: x, "elu": math.expm1}
DIGITS = ((1e-12, 12), (1e-6, 6))  # that agree, and to how many it is rounded: of float64, of float32
MOST = {"leaky_relu": 1.0, "elu": 16.0}


def own_constant(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """The convention with the constant that its forward shows, where it is not one of its arguments."""
    name = CONSTANTS.get(trial.kind, "")
    if not name or name in c.given or c.as_in_the_book:
        return c
    path, shown = [list(step) for step in c.out.path], []
    for at in AT:
        x = np.full_like(probe.inputs["x"], at)
        report = trial.attempt(replace(c, backward=""), replace(probe, inputs={**probe.inputs, "x": x}))
        means = [e["value"] for e in report.get("forward", ()) if e["path"] == path and "value" in e]
        shown += [mean / SHAPES[trial.kind](at) for mean in means[:1]]
    value = _of_all(shown) if len(shown) == len(AT) else 0.0
    return replace(c, own={name: value}) if 0 < value < MOST[trial.kind] else c


def _of_all(shown: list[float]) -> float:
    """The number that all of them are, without what rounding adds; 0 where they differ."""
    for tolerance, digits in DIGITS:
        if max(shown) - min(shown) <= tolerance * abs(shown[0]):
            return float(f"{shown[0]:.{digits}g}")
    return 0.0
