"""Outputs (N, 1) against labels of (N,), or the other way round, which NumPy stretches to (N, N).

Such a loss is the mean over all pairs: it stays the same when the labels alone change places, as no other
does. Labels of the other shape may be what it takes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.results import out_at
from parity.kinds.probe import Probe


def takes_flat_labels(trial: Trial, c: Convention, thin: Probe) -> bool:
    """Whether it may take labels (N,) with outputs (N, 1): it stretches labels (N, 1), and those not."""
    flat = replace(c, limits={**c.limits, "flat_labels": True})
    return is_stretched(trial, c, thin) and not is_stretched(trial, flat, thin)


def is_stretched(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether the loss stays the same when the labels alone change places."""
    x, t = probe.inputs["x"], probe.inputs["t"]
    turned = replace(probe, inputs={"x": x, "t": np.roll(t, 1, axis=0)})
    here, there = out_at(trial, c, probe), out_at(trial, c, turned)
    own = replace(probe, inputs={"x": x, "t": t + 0.25 * (1 - 2 * t)})  # it has labels, and goes by them
    return bool(np.isclose(here, there, rtol=1e-9, atol=0) and not np.isclose(here, out_at(trial, c, own)))
