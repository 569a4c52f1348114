"""A binary cross entropy that cuts off its labels as well as its outputs: t = clip(t, 1e-7, 1 - 1e-7).

Labels of 0 and 1 are then as far from them as that. The limit is read off, and must give every loss and dx.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from parity.kinds import Probe
from parity.kinds.elementwise_losses import divisor
from parity.verification.clipped_input import are_near
from parity.verification.inside_log import CONSTANTS
from parity.verification.other_eps import Results
from scratchcnn.typing import Array

KIND = "binary_cross_entropy"


def says(results: Iterable[Results]) -> str:
    """The difference as a clause; "" where no limit gives all of these results."""
    given = list(results)
    for small in CONSTANTS:
        if all(_gives(small, *result) for result in given):
            return f"its labels are cut off at {small:.3g} and 1 - {small:.3g}"
    return ""


def _gives(small: float, probe: Probe, dtype: str, found: Mapping[str, Array]) -> bool:
    x, t = (probe.inputs[name].astype(np.float64) for name in ("x", "t"))
    cut = np.clip(t, small, 1 - small)
    factor = probe.args.get("factor", 1.0) / divisor(x, probe.args)
    loss = -factor * (cut * np.log(x) + (1 - cut) * np.log1p(-x))
    if probe.args.get("reduction") != "none":
        loss = loss.sum()
    dx = factor * (x - cut) / (x * (1 - x))
    lost = 100 if dtype == "float32" else 1  # digits of y - y*y where y is nearly 1
    scales = {"loss": max(1.0, float(np.abs(loss).max())), "dx": lost * float(np.abs(dx).max())}
    return are_near(found, {"loss": np.asarray(loss), "dx": dx}, scales, dtype)
