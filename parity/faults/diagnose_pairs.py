"""Two known bugs at once: each explains the results that it changes, together they explain all of them.

Two shapes are recognised, and only where no single bug explains everything:

- the results that are wrong fall into two sets, one bug gives exactly the numbers of the first and leaves the
  second alone, the other the reverse (dW and db both divided by N);
- one bug gives all numbers, and another, which changes no number, breaks the contracts that are left over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from parity.adapters.book import Adapter
from parity.checks.layer import exact_results
from parity.comparison.gates import largest
from parity.faults import Fault, faults_of
from parity.faults.diagnose import (
    DTYPES,
    PLAIN,
    REMARKED,
    SAME,
    UNKNOWN,
    Diagnosis,
    Observation,
    fault_observation,
    plausible,
    single_call,
    tensor_distance,
    wrong_first,
)
from parity.kinds import kind_of
from parity.kinds.probe import Probe
from scratchcnn.typing import Array

OVERFLOWS = ("-overflow", "-no-shift")  # how the names of those end that are right wherever they are finite
Pair = tuple[Fault, Fault]


def diagnose_pair(
    seen: Observation,
    cases: Sequence[Probe],
    seed: int,
    adapter: Adapter,
    among: Sequence[Fault] | None = None,
) -> Diagnosis:
    """The one pair of faults (of the kind, or of `among`) that explains the observation, or UNKNOWN."""
    cases = [probe for probe in cases if probe.id in seen.values[DTYPES[0]]]
    found = {
        tuple(sorted((a.says, b.says))): (a, b)
        for a, b in _pairs(seen, cases, adapter, faults_of(seen.kind) if among is None else among)
        if _same_contracts(seen, (a, b), cases, seed, adapter)
    }
    if len(found) != 1:
        return UNKNOWN
    a, b = sorted(next(iter(found.values())), key=lambda fault: fault.name.endswith(OVERFLOWS))
    left = max(_left(fault, seen, cases, adapter) for fault in (a, b))
    return Diagnosis(f"{a.name} + {b.name}", f"{a.says}, and with {b.says}", left)


def _pairs(
    seen: Observation, cases: Sequence[Probe], adapter: Adapter, among: Sequence[Fault]
) -> Iterator[Pair]:
    """Pairs that give the numbers seen."""
    wrong = {row.tensor for row in seen.records if not row.ok and row.phase in PLAIN}
    faults = [fault for fault in among if not fault.equivalent]
    parts = [(fault, part) for fault in faults if (part := _part(fault, seen, cases, adapter, wrong))]
    for (a, first), (b, second) in combinations(parts, 2):
        if not first & second and first | second == wrong:
            yield a, b
    silent = [fault for fault in faults if fault.shows == "contract"]
    if seen.broken_contracts:
        whole = [fault for fault in faults if plausible(fault, seen, cases, adapter)]
        yield from ((a, b) for a in whole for b in silent if a is not b)


def _part(
    fault: Fault, seen: Observation, cases: Sequence[Probe], adapter: Adapter, wrong: set[str]
) -> frozenset[str]:
    """The results that the fault changes, if they are some of the wrong ones and it gives their numbers."""
    changed: set[str] = set()
    other: set[str] = set()
    rtol = kind_of(seen.kind).rtol
    for probe, dtype in wrong_first(seen, cases):
        exact, observed = exact_results(probe), seen.values[dtype][probe.id]
        mine = single_call(fault, probe, dtype, adapter)
        for name in exact:
            if (probe.id, name) in seen.hidden or name in seen.unseen:
                continue
            slack = seen.rounding.get((probe.id, name), 0.0) if dtype == "float32" else 0.0
            if dtype == "float64" and not _equal(mine.get(name), exact[name], rtol):
                changed.add(name)
            if not _equal(mine.get(name), observed.get(name), max(rtol, SAME[dtype]), slack):
                other.add(name)
        if changed & other or not changed <= wrong or wrong <= other:  # it gives none of the wrong ones
            return frozenset()
    return frozenset(changed) if changed < wrong else frozenset()


def _equal(a: Array | None, b: Array | None, rtol: float, slack: float = 0.0) -> bool:
    """Whether the difference is within `rtol` of b's largest number, or within `slack`."""
    if a is None or b is None:
        return a is b
    left = tensor_distance(a, b)
    scale = largest(b)
    return left is not None and left <= max(rtol, slack / scale if scale else 0.0)


def _same_contracts(
    seen: Observation, pair: Pair, cases: Sequence[Probe], seed: int, adapter: Adapter
) -> bool:
    """Whether the two together break the contracts that were broken, and no other."""
    ids = tuple(probe.id for probe in cases)
    both = set().union(*(fault_observation(f, ids, seed, adapter).broken_contracts for f in pair))
    partly = {case for case, _ in seen.hidden}
    return not [
        breach
        for breach in both ^ seen.broken_contracts
        if breach[2] not in partly
        and breach[1] not in seen.unseen
        and not (breach[0] in REMARKED and seen.remarked is not None)
    ]


def _left(fault: Fault, seen: Observation, cases: Iterable[Probe], adapter: Adapter) -> float:
    """The largest difference in float64 between the fault's numbers and those seen that it explains."""
    worst = 0.0
    for probe in cases:
        observed, mine = seen.values["float64"][probe.id], single_call(fault, probe, "float64", adapter)
        for name in observed.keys() & mine.keys():
            left = tensor_distance(mine[name], observed[name])
            if left is not None and left <= SAME["float64"]:
                worst = max(worst, left)
    return worst
