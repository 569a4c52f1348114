"""Gradients that show only in what backward, or a method after it, does to the weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.results import number_at
from parity.kinds.probe import Probe


def is_proportional(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether twice the dout changes the weights twice as much, as a step by the gradient does."""
    dout = probe.inputs.get("dout")
    if dout is None:
        return True
    once, twice = (
        _changes(trial, c, replace(probe, inputs={**probe.inputs, "dout": k * dout})) for k in (1, 2)
    )
    return bool(once) and all(np.isclose(2 * once[n], twice.get(n, np.nan), rtol=1e-3) for n in once)


def _changes(trial: Trial, c: Convention, probe: Probe) -> dict[str, float]:
    """By how much backward changed the mean of each weight."""
    report = trial.attempt(replace(c, updates=False), probe)
    found = {}
    for name, places in c.stored.items():
        before, after = (number_at(report, when, places[0]) for when in ("forward", "backward"))
        found[name] = after - before
    return found
