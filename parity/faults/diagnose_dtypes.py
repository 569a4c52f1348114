"""Code that makes float64 from float32 (an `np.zeros` without a dtype) hides what else is wrong with it.

No bug of the catalogue has that in just the same places, so the observation is taken apart: float64 in,
where it changes nothing, is diagnosed individually, and the dtype is named besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from parity.adapters.book import Adapter
from parity.comparison.gates import largest
from parity.faults.diagnose import SAME, UNKNOWN, Diagnosis, Observation, diagnose
from parity.kinds import Probe, kind_of

WIDENED = "dtype float64, expected float32"
NAME, SAYS = "float64-from-float32", "float64 from float32"


def diagnose_apart(seen: Observation, cases: Sequence[Probe], seed: int, adapter: Adapter) -> Diagnosis:
    """What is wrong in float64 alone, and float64 from float32 besides; UNKNOWN unless that is all."""
    wrong = {dtype: [r for r in seen.records if not r.ok and r.dtype == dtype] for dtype in SAME}
    widened = {(r.case, r.tensor) for r in wrong["float32"] if r.why.startswith(WIDENED)}
    known = {(r.case, r.tensor) for r in wrong["float64"]}
    if not widened or any((r.case, r.tensor) not in widened | known for r in wrong["float32"]):
        return UNKNOWN
    if not known:
        left = max(_left(seen, probe, widened) for probe in cases)
        return Diagnosis(NAME, SAYS, left) if left <= SAME["float32"] else UNKNOWN
    exact = replace(
        seen,
        records=[row for row in seen.records if row.dtype == "float64"],
        values={"float64": seen.values["float64"], "float32": {}},
    )
    found = diagnose(exact, cases, seed, adapter)
    return replace(found, besides=SAYS) if found.fault else UNKNOWN


def _left(seen: Observation, probe: Probe, widened: set[tuple[str, str]]) -> float:
    """How far the widened results are from PyTorch's on the same numbers, of their scale."""
    exact, found = kind_of(probe.kind).reference(probe), seen.values["float32"].get(probe.id, {})
    worst = 0.0
    for name in [name for case, name in widened if case == probe.id]:
        if found[name].shape != exact[name].shape:
            return float("inf")
        worst = max(
            worst, float(np.max(abs(found[name] - exact[name]), initial=0)) / (largest(exact[name]) or 1)
        )
    return worst
