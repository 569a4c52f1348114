"""Why an implementation is wrong: which known bug reproduces what it computed.

Every fault of the catalogue is a hypothesis. It is run on the same probes, in both precisions, and
through the same contracts; it explains the observation when it gives the same numbers everywhere, right
and wrong ones alike, and breaks the same contracts. When no fault does, or two different ones do, the
answer is "unknown": never a guess. Two that are the same at an activation's own constant are both named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import numpy as np

from parity.adapters.bench import Raised
from parity.adapters.book import Adapter
from parity.adapters.conventions import ADAPTERS
from parity.adapters.recipe import is_reduced
from parity.adapters.rule_constants import WRITTEN
from parity.adapters.subject import Subject, subject_here
from parity.checks.layer import check_kind
from parity.checks.long_life import LIVES
from parity.comparison.gates import difference, largest
from parity.comparison.records import Record
from parity.faults import FAULTS, Fault, faults_of
from parity.kinds import ELEMENTWISE, Probe, Tensors, kind_of
from parity.kinds.probes import probes
from scratchcnn.typing import Array

DTYPES = ("float64", "float32")
SAME = {"float64": 1e-9, "float32": 1e-5}  # of a tensor's scale: the same function
BOOK = ADAPTERS["book"]
REMARKED = ("buffers may be reused",)  # contracts that PyTorch does not keep either
PLAIN = ("forward", "backward")  # phases of single calls; the others are contracts


@dataclass
class Observation:
    """All that a check saw of one implementation: its records, and their numbers.

    `hidden` are results, (probe id, tensor), that could not be had at all, `unseen` those that no probe has;
    they speak neither for nor against a hypothesis. `remarked` are breaches, (contract, tensor, probe id),
    that are no error here: only of hypotheses that explain all else, they show which one it is.
    """

    kind: str
    records: list[Record]
    values: dict[str, dict[str, Tensors]] = field(default_factory=dict)  # dtype -> probe id -> tensors
    hidden: set[tuple[str, str]] = field(default_factory=set)
    remarked: set[tuple[str, str, str]] | None = None
    unseen: Sequence[str] = ()

    @property
    def ok(self) -> bool:
        return all(row.ok for row in self.records)

    @property
    def broken_contracts(self) -> set[tuple[str, str, str]]:
        apart = (*PLAIN, *LIVES)  # a fault of the catalogue is not run for a whole life
        return {(r.phase, r.tensor, r.case) for r in self.records if not r.ok and r.phase not in apart}

    @cached_property
    def looked_at(self) -> dict[int, tuple[tuple[Any, ...], Any]]:
        """What was found out of a failed record, by its id, and what it was found out from."""
        return {}

    @cached_property
    def rounding(self) -> dict[tuple[str, str], float]:
        """How far rounding alone may move a float32 result apart, twice: once for each of two of them."""
        rows = [
            r for r in self.records if r.dtype == "float32" and r.phase in PLAIN and np.isfinite(r.allowed)
        ]
        return {(r.case, r.tensor): 2 * r.allowed for r in rows}

    @cached_property
    def scales(self) -> dict[tuple[str, str], float]:
        """Of which size PyTorch's result is in float64: what is nothing but rounding has none of its own."""
        rows = [r for r in self.records if r.dtype == "float64" and r.phase in PLAIN]
        rtol = kind_of(self.kind).rtol
        return {(r.case, r.tensor): r.allowed / rtol for r in rows if np.isfinite(r.allowed)}


@dataclass(frozen=True)
class Diagnosis:
    """The fault that explains every observation, and the largest difference left over in float64.

    `besides` is what the code does to its dtypes in addition (`parity.faults.diagnose_dtypes`).
    """

    fault: str = ""
    says: str = ""
    residual: float = float("nan")
    besides: str = ""

    def __str__(self) -> str:
        if not self.fault:
            return "unknown: no bug of the catalogue does exactly this"
        how_well = "exactly" if self.residual == 0 else f"to {self.residual:.0e}"
        besides = f"; besides, {self.besides}" if self.besides else ""
        return f"equals the reference with {self.says}, {how_well}{besides}"


Options = tuple[tuple[str, Any], ...]
UNKNOWN = Diagnosis()


def observe(
    kind: str,
    factory: Callable[..., Any],
    adapter: Adapter | None = None,
    cases: Sequence[Probe] | None = None,
    seed: int = 0,
) -> Observation:
    """Check an implementation in float64, then in float32, and keep what it computed."""
    seen = Observation(kind, [])
    for dtype in DTYPES:
        values: dict[str, Tensors] = {}
        seen.records += check_kind(kind, dtype, "cpu", seed, factory, adapter, cases, values)
        seen.values[dtype] = values
    return seen


def diagnose(
    seen: Observation, cases: Sequence[Probe] | None = None, seed: int = 0, adapter: Adapter | None = None
) -> Diagnosis:
    """The one fault that explains the observation, two where none does, or UNKNOWN.

    `cases` are the probes that were seen, `adapter` how a fault is run (one that sees less than the
    book's, where the observation does).
    """
    if all(row.ok or row.phase in LIVES for row in seen.records):  # no fault is run for a whole life
        return UNKNOWN
    adapter, cases = adapter or BOOK, probes(seen.kind, seed) if cases is None else cases
    found = [diagnose_as(fault, seen, cases, seed, adapter) for fault in faults_of(seen.kind)]
    matches = {diagnosis.says: diagnosis for diagnosis in reversed(found) if diagnosis.fault}
    if len(matches) > 1 and seen.remarked is not None:
        ids = tuple(probe.id for probe in cases)
        options = read_off(cases)
        matches = {
            says: diagnosis
            for says, diagnosis in matches.items()
            if _remarks(fault_observation(FAULTS[diagnosis.fault], ids, seed, adapter, options))
            == seen.remarked
        }
    if len(matches) > 1 and is_reduced(
        seen.kind
    ):  # the same where nothing is divided; the plainest comes last
        return list(matches.values())[-1]
    if len(matches) > 1 and seen.kind in ELEMENTWISE and read_off(cases):
        return _either(list(matches.values()))
    if matches:
        return next(iter(matches.values())) if len(matches) == 1 else UNKNOWN
    from parity.faults.diagnose_pairs import diagnose_pair

    return diagnose_pair(seen, cases, seed, adapter)


def _either(matches: Sequence[Diagnosis]) -> Diagnosis:
    """Bugs that are one at the constant that the implementation has: 0.01 is the square of a slope of 0.1."""
    ones = sorted(matches, key=lambda one: one.fault)
    says = f"{' or '.join(one.says for one in ones)} (the same at this constant)"
    return Diagnosis(" or ".join(one.fault for one in ones), says, max(one.residual for one in ones))


def _remarks(seen: Observation) -> set[tuple[str, str, str]]:
    return {breach for breach in seen.broken_contracts if breach[0] in REMARKED}


def diagnose_as(
    fault: Fault, seen: Observation, cases: Sequence[Probe], seed: int = 0, adapter: Adapter = BOOK
) -> Diagnosis:
    """This fault when it explains the whole observation, else UNKNOWN."""
    if not plausible(fault, seen, cases, adapter):
        return UNKNOWN
    ids = tuple(p.id for p in cases)
    left = explains(fault_observation(fault, ids, seed, adapter, read_off(cases)), seen)
    return UNKNOWN if left is None else Diagnosis(fault.name, fault.says, left)


def plausible(fault: Fault, seen: Observation, cases: Sequence[Probe], adapter: Adapter) -> bool:
    """Whether the fault gives the numbers seen in single calls: cheap, and rules most of them out.

    What was wrong is tried first, on which most of them differ.
    """
    return all(
        _distance(single_call(fault, probe, dtype, adapter), seen, dtype, probe.id) is not None
        for probe, dtype in wrong_first(seen, cases)
    )


def wrong_first(seen: Observation, cases: Sequence[Probe]) -> list[tuple[Probe, str]]:
    """Every probe of which numbers were seen, with the dtype; those on which one was wrong come first."""
    wrong = {(row.case, row.dtype) for row in seen.records if not row.ok and row.phase in PLAIN}
    pairs = [(probe, dtype) for dtype in DTYPES for probe in cases if probe.id in seen.values[dtype]]
    return sorted(pairs, key=lambda pair: (pair[0].id, pair[1]) not in wrong)


def single_call(fault: Fault, probe: Probe, dtype: str, adapter: Adapter) -> Tensors:
    """What the fault gives on a probe; nothing when it raises. Kept with the probe."""
    key = fault, dtype, adapter
    if key not in probe.judged:
        try:
            found = opened(fault, probe.kind, adapter).results(probe.cast(dtype))
        except Raised:
            found = {}
        probe.judged[key] = {name: a for name, a in found.items() if isinstance(a, np.ndarray)}
    found_before: Tensors = probe.judged[key]
    return found_before


@cache
def opened(fault: Fault, kind: str, adapter: Adapter) -> Subject:
    """The fault, ready to be asked: each answer is that of a new object."""
    return subject_here(fault.make, kind, adapter)


@cache
def lasting_probes(kind: str, seed: int) -> list[Probe]:
    """The kind's probes, which keep what was computed for them: for many diagnoses in one process."""
    return probes(kind, seed)


@cache
def fault_observation(
    fault: Fault, ids: tuple[str, ...], seed: int, adapter: Adapter, options: Options = ()
) -> Observation:
    """What the check sees of a fault, on the probes of these ids; the same for every diagnosis.

    With `options` of a loss that were read off the implementation, and are the same for all.
    """
    cases = [probe for probe in lasting_probes(fault.kind, seed) if probe.id in ids]
    if options:
        cases = [replace(probe, args=probe.args | dict(options)) for probe in cases]
    return observe(fault.kind, fault.make, adapter, cases, seed)


def read_off(cases: Sequence[Probe]) -> Options:
    """The options that were put into all of the probes: those of a convention, for a loss per output, an
    activation or an optimizer, and an eps of the code's own."""
    own = {probe.args.get("eps") for probe in cases}
    found: dict[str, Any] = {"eps": own.pop()} if len(own) == 1 and None not in own else {}
    for written in WRITTEN.get(cases[0].kind, ()) if cases else ():
        if all(written.items() <= probe.args.items() for probe in cases):
            found |= written
    if found:
        return tuple(found.items())
    if cases and cases[0].kind in ELEMENTWISE:
        first = cases[0].args.items()
        return tuple((k, v) for k, v in first if all(probe.args.get(k) == v for probe in cases))
    if not cases or not is_reduced(cases[0].kind) or cases[0].needs:
        return ()
    return tuple(cases[0].args.items())


def explains(fault: Observation, seen: Observation) -> float | None:
    """The largest difference in float64 of any tensor's scale, None where the two are not the same."""
    partly = {case for case, _ in seen.hidden}
    for contract, tensor, case in fault.broken_contracts ^ seen.broken_contracts:
        if (
            case not in partly
            and tensor not in seen.unseen
            and not (contract in REMARKED and seen.remarked is not None)
        ):
            return None
    worst = 0.0
    for dtype in DTYPES:
        for case in seen.values[dtype]:
            if case not in fault.values[dtype]:  # a random or real size, on which no fault is run
                return None
            left = _distance(fault.values[dtype][case], seen, dtype, case)
            if left is None:
                return None
            worst = max(worst, left) if dtype == "float64" else worst
    return worst


def _distance(found: Tensors, seen: Observation, dtype: str, case: str) -> float | None:
    """How far `found` is from what was seen of one probe; None when it is not the same."""
    observed, found = (
        {
            name: a
            for name, a in tensors.items()
            if (case, name) not in seen.hidden and name not in seen.unseen
        }
        for tensors in (seen.values[dtype][case], found)
    )
    if found.keys() != observed.keys():
        return None
    worst = 0.0
    for name, theirs in observed.items():
        least = seen.scales.get((case, name), 0.0) if dtype == "float64" else 0.0
        left, scale = tensor_distance(found[name], theirs, least), largest(theirs)
        slack = seen.rounding.get((case, name), 0.0) / scale if dtype == "float32" and scale else 0.0
        if left is None or left > max(SAME[dtype], kind_of(seen.kind).rtol, slack):
            return None
        worst = max(worst, left)
    return worst


def tensor_distance(a: Array, b: Array, least: float = 0.0) -> float | None:
    """max |a - b| / max |b| over the finite numbers; None unless shape, dtype and infinities agree.

    `least` is what the scale, max |b|, is at least.
    """
    if a.shape != b.shape or a.dtype != b.dtype:
        return None
    if a.dtype.kind != "f":
        return 0.0 if np.array_equal(a, b) else None
    finite = np.isfinite(b)
    if not np.array_equal(np.isfinite(a), finite):
        return None
    a, b = np.where(finite, a, 0), np.where(finite, b, 0)
    left, scale = difference(a, b), max(largest(b), least)
    return left / scale if scale else (0.0 if left == 0 else None)
