"""A backward that goes by the first number of dout that is not 0, and looks at no other.

It is right for the loss of one class alone, whose gradient has one such number per row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.layouts import one_at_a_time
from parity.adapters.trial.attempt import Trial
from parity.kinds.probe import Probe


def by_first_slope(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With that limit, where all that a backward leaves is the same without the other numbers of dout."""
    probe = c.fitted(probe)
    if trial.kind != "affine" or not c.backward or c.tensor or not one_at_a_time(c.rows):
        return c
    first = np.zeros_like(probe.inputs["dout"])
    first[:, 0] = probe.inputs["dout"][:, 0]
    reports = [trial.attempt(c, replace(probe, inputs={**probe.inputs, "dout": d})) for d in (first, -first)]
    whole = trial.attempt(c, probe)
    if not _left(whole) or _left(whole) != _left(reports[0]) or _left(whole) == _left(reports[1]):
        return c
    return replace(c, limits={**c.limits, "first_slope": True})


def _left(report: dict[str, Any]) -> list[Any]:
    return [(e["path"], e["sum"]) for e in report.get("backward", ())]
