"""Why an implementation is wrong: which known bug reproduces what it computed.

Every fault of the catalogue is a hypothesis. It is run on the same probes, in both precisions, and
through the same contracts; it explains the observation when it gives the same numbers everywhere, right
and wrong ones alike, and breaks the same contracts. When no fault does, or two different ones do, the
answer is "unknown": never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.check_kind import check_kind
from parity.compare import difference, largest
from parity.faults import Fault, faults_of
from parity.implementations import Book
from parity.kinds import Probe, Tensors
from parity.probes import probes
from parity.records import Record

DTYPES = ("float64", "float32")
SAME = {"float64": 1e-9, "float32": 1e-5}  # of a tensor's scale: the same function
PLAIN = ("forward", "backward")  # phases of single calls; the others are contracts


@dataclass
class Observation:
    """All that a check saw of one implementation: its records, and the numbers behind them."""

    kind: str
    records: list[Record]
    values: dict[str, dict[str, Tensors]] = field(default_factory=dict)  # dtype -> probe id -> tensors

    @property
    def ok(self) -> bool:
        return all(row.ok for row in self.records)

    @property
    def broken_contracts(self) -> set[tuple[str, str, str]]:
        return {(r.phase, r.tensor, r.case) for r in self.records if not r.ok and r.phase not in PLAIN}


@dataclass(frozen=True)
class Diagnosis:
    """The fault that explains every observation, and the largest difference left over in float64."""

    fault: str = ""
    says: str = ""
    residual: float = float("nan")

    def __str__(self) -> str:
        if not self.fault:
            return "unknown: no bug of the catalogue reproduces these numbers"
        return f"equals the reference with {self.says}, to {self.residual:.0e}"


UNKNOWN = Diagnosis()


def observe(
    kind: str,
    factory: Callable[..., Any],
    protocol: Book | None = None,
    cases: Sequence[Probe] | None = None,
    seed: int = 0,
) -> Observation:
    """Check an implementation in float64, then in float32, and keep what it computed."""
    seen = Observation(kind, [])
    for dtype in DTYPES:
        values: dict[str, Tensors] = {}
        seen.records += check_kind(kind, dtype, "cpu", seed, factory, protocol, cases, values)
        seen.values[dtype] = values
    return seen


def diagnose(seen: Observation, cases: Sequence[Probe] | None = None, seed: int = 0) -> Diagnosis:
    """The one fault that explains the observation, or UNKNOWN."""
    if seen.ok:
        return UNKNOWN
    ids = None if cases is None else tuple(probe.id for probe in cases)
    matches: dict[str, Diagnosis] = {}
    for fault in faults_of(seen.kind):
        left = explains(_fault_observation(fault, ids, seed), seen)
        if left is not None:
            matches.setdefault(fault.says, Diagnosis(fault.name, fault.says, left))
    return next(iter(matches.values())) if len(matches) == 1 else UNKNOWN


@cache
def _fault_observation(fault: Fault, ids: tuple[str, ...] | None, seed: int) -> Observation:
    """What the check sees of a fault, on the probes of these ids; the same for every diagnosis."""
    cases = [probe for probe in probes(fault.kind, seed) if ids is None or probe.id in ids]
    return observe(fault.kind, fault.make, Book(), cases, seed)


def explains(fault: Observation, seen: Observation) -> float | None:
    """The largest difference in float64 of any tensor's scale, None where the two are not the same."""
    if fault.broken_contracts != seen.broken_contracts:
        return None
    worst = 0.0
    for dtype in DTYPES:
        for case, observed in seen.values[dtype].items():
            left = _distance(fault.values[dtype].get(case, {}), observed, SAME[dtype])
            if left is None:
                return None
            worst = max(worst, left) if dtype == "float64" else worst
    return worst


def _distance(found: Tensors, observed: Tensors, tolerance: float) -> float | None:
    if found.keys() != observed.keys():
        return None
    worst = 0.0
    for name, theirs in observed.items():
        left = _tensor_distance(found[name], theirs)
        if left is None or left > tolerance:
            return None
        worst = max(worst, left)
    return worst


def _tensor_distance(a: NDArray, b: NDArray) -> float | None:
    """max |a - b| / max |b| over the finite numbers; None unless shape, dtype and infinities agree."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return None
    if a.dtype.kind != "f":
        return 0.0 if np.array_equal(a, b) else None
    finite = np.isfinite(b)
    if not np.array_equal(np.isfinite(a), finite):
        return None
    a, b = np.where(finite, a, 0), np.where(finite, b, 0)
    left, scale = difference(a, b), largest(b)
    return left / scale if scale else (0.0 if left == 0 else None)
