"""A SELU with rounded constants, as papers and courses print them: 1.0507 and 1.67326.

They are read off: one pair of roundings, each to two decimals or more, must give every result, dx too, with
either slope at 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

import numpy as np

from parity.kinds import Probe
from parity.kinds.kinks import ALPHA, SCALE
from parity.verification.clipped_input import are_near
from parity.verification.other_eps import Results
from scratchcnn.typing import Array

NAME = "rounded-constants"
KINDS = ("selu",)
FAULTS = ("selu-rounded-constants",)  # of the catalogue
DECIMALS = range(2, 17)


def says(results: Iterable[Results]) -> str:
    """The difference as a clause; "" where no rounding gives all of these results."""
    given = list(results)
    scales, alphas = (dict.fromkeys(round(one, places) for places in DECIMALS) for one in (SCALE, ALPHA))
    for scale, alpha, left in product(scales, alphas, (True, False)):
        if all(_gives(scale, alpha, left, *result) for result in given):
            return f"its constants are rounded: {scale:.10g} and {alpha:.10g}"
    return ""


def _gives(
    scale: float, alpha: float, left: bool, probe: Probe, dtype: str, found: Mapping[str, Array]
) -> bool:
    x, dout = (probe.inputs[name].astype(np.float64) for name in ("x", "dout"))
    with np.errstate(over="ignore"):
        below = alpha * np.expm1(np.minimum(x, 0))
    y = scale * np.where(x > 0, x, below)
    slope = scale * np.where(x <= 0 if left else x < 0, below + alpha, 1)
    scales = {"out": np.maximum(1, np.abs(x)), "dx": np.abs(dout)}
    expected = {"out": y, "dx": dout * slope}
    return are_near(found, expected, scales, dtype)
