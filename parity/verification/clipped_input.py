"""A sigmoid whose input is cut off, so that its exponential stays finite: 1 / (1 + exp(-clip(x, -20, 20))).

Beyond the limits it is as near to 0 and 1 as at them. The limit is read off: one of LIMITS, below 0 alone or
on both sides, must give every result, dx too, whether dx goes on beyond the limits or is 0 there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np

from parity.kinds import Probe
from parity.verification.other_eps import Results
from scratchcnn.typing import Array

NAME = "clips-its-input"
KINDS = ("sigmoid", "silu")
LIMITS = (10, 12, 15, 16, 18, 20, 24, 25, 30, 32, 35, 36, 40, 45, 50, 60, 64, 80, 88, 100)
NEAR = {"float64": 1e-12, "float32": 1e-5}  # of a number, of the smallest that the sigmoid gives, of a slope


def says(results: Iterable[Results]) -> str:
    """The difference as a clause; "" where no limit gives all of these results."""
    given = list(results)
    for limit, upper, goes_on in product(LIMITS, (True, False), (True, False)):
        if all(_gives(limit, upper, goes_on, probe, dtype, found) for probe, dtype, found in given):
            return f"the input of its sigmoid is cut off at {f'-{limit} and {limit}' if upper else -limit}"
    return ""


def _gives(
    limit: int, upper: bool, goes_on: bool, probe: Probe, dtype: str, found: Mapping[str, Array]
) -> bool:
    x, dout = (probe.inputs[name].astype(np.float64) for name in ("x", "dout"))
    cut = np.clip(x, -limit, limit if upper else None)
    y = 1 / (1 + np.exp(-cut))
    slope = y * (1 - y) * (1 if goes_on else cut == x)
    if probe.kind == "silu":
        y, slope = x * y, y + x * slope
    expected = {"out": y, "dx": dout * slope}
    scales = {"out": np.abs(x) if probe.kind == "silu" else 1, "dx": np.abs(dout) * np.maximum(1, np.abs(x))}
    return are_near(found, expected, scales, dtype)


def are_near(
    found: Mapping[str, Array], expected: Mapping[str, Array], scales: Mapping[str, Any], dtype: str
) -> bool:
    """Whether each result has the shape and the numbers that are expected, in its precision at that scale."""
    return all(
        value.shape == expected[name].shape
        and bool((np.abs(value - expected[name]) <= NEAR[dtype] * scales[name]).all())
        for name, value in found.items()
        if name in expected
    )
