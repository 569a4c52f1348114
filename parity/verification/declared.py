"""Declared differences: `--allow dropout-not-inverted`.

A departure that somebody made on purpose is a bug of the catalogue with a name, or one of those that leave
the numbers right (`slight.NAMES`). Declaring it does not loosen anything: with the latter taken away, the
implementation must equal the reference with exactly that bug (or those two), on every input, in both
precisions and in every contract. The declaration stays in the report, and one that no longer holds (the
implementation is right, or wrong in another way) fails.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from parity.adapters.book import Adapter
from parity.faults import Fault, faults_of
from parity.faults.diagnose import UNKNOWN, Diagnosis, Observation, diagnose_as
from parity.faults.diagnose_dtypes import NAME as WIDENED
from parity.faults.diagnose_pairs import OVERFLOWS, diagnose_pair
from parity.kinds import Probe
from parity.verification import flat_dx, kept_axis, rounded_constants, shared_ties, turned_kernel
from parity.verification.other_eps import given_eps
from parity.verification.slight import removable, without_slight
from parity.verification.slight_names import (
    AT_KINK,
    AVERAGES,
    FLAT,
    KEEPS_AXIS,
    NAMES,
    NEW_ARRAYS,
    OVERFLOW,
    REUSES,
    ROUNDS,
    TURNED,
    WRITES,
    WRITES_GRADIENTS,
)
from parity.verification.slight_readings import Slight, but_eps, own_eps
from scratchcnn.lookup import nearest

JOINED = "+"  # between the names of two bugs, as a diagnosis prints them


@dataclass(frozen=True)
class Declared:
    """What was declared, as it was written: bugs of the catalogue, and names of `slight.NAMES`."""

    faults: Sequence[Fault] = ()
    slight: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.faults or self.slight)

    def __str__(self) -> str:
        return ", ".join([*(fault.name for fault in self.faults), *self.slight])

    def covers(self, name: str) -> str:
        """The declaration that allows this name of `slight.NAMES`: its own, or that of a bug like it."""
        if name in self.slight:
            return name
        return next((fault.name for fault in self.faults if slight_name(fault) == name), "")


@dataclass(frozen=True)
class Found:
    """How a declaration explains an observation: the diagnosis, what was not declared of it, and an eps of
    its own that it has beside the known bug."""

    diagnosis: Diagnosis = UNKNOWN
    names: Sequence[str] = ()
    others: Sequence[Slight] = field(default=())
    eps: float | None = None

    @property
    def all(self) -> list[str]:
        """The names of what it has, declared or not."""
        return [*self.names, *dict.fromkeys(one.name for one in self.others)]


def declared_faults(kind: str, names: Iterable[str], slight: Collection[str] = tuple(NAMES)) -> Declared:
    """What these names declare, bugs of the kind or names among `slight`; `a + b`, as a diagnosis prints it,
    is two. Raises ValueError."""
    known = {fault.name: fault for fault in faults_of(kind)}
    wanted = [part.strip().lower().replace("_", "-") for name in names for part in name.split(JOINED)]
    if unknown := [name for name in wanted if name not in known and name not in slight]:
        there = dict.fromkeys([*sorted(known), *slight])
        raise ValueError(
            f"no known difference named {', '.join(unknown)} for {kind}; "
            f"there are: {', '.join(there)}{nearest(unknown[0], there)}"
        )
    return Declared(
        [known[name] for name in wanted if name in known], [name for name in wanted if name not in known]
    )


def slight_name(fault: Fault) -> str:
    """The name in `slight.NAMES` of what this bug does to right numbers; nothing for another bug."""
    if fault.name in NAMES:
        return fault.name
    if fault.shows == "precision":
        return WIDENED if "float64" in fault.says else ""
    if fault.shows == "contract":
        if fault.says.startswith("an output that the next forward"):
            return REUSES
        if fault.says.startswith("new arrays in params"):
            return NEW_ARRAYS
        for what, name in {**WRITES, "grads": WRITES_GRADIENTS}.items():
            if fault.says.startswith((f"a write into {what}", f"zeros written into {what}")):
                return name
        return ""
    if fault.name == "momentum-averages":
        return AVERAGES
    if fault.name in turned_kernel.KINDS.values():
        return TURNED
    if fault.name in kept_axis.FAULTS:
        return KEEPS_AXIS
    if fault.name in flat_dx.FAULTS:
        return FLAT
    if fault.name in rounded_constants.FAULTS:
        return ROUNDS
    if fault.name in shared_ties.KINDS.values():
        return AT_KINK
    return OVERFLOW if fault.name.endswith(OVERFLOWS) else ""


def explained(
    declared: Declared,
    seen: Observation,
    cases: Sequence[Probe],
    every: Sequence[Probe],
    seed: int,
    adapter: Adapter,
) -> Found:
    """What of the declaration explains the whole observation; nothing where none of it does.

    `cases` are the kind's own probes, on which a bug can be run, `every` are all that were tried.
    """
    found = exactly(declared.faults, seen, cases, seed, adapter)
    if found.fault:
        return Found(found, [found.fault])
    ones = removable(seen, every)
    names = {one.name: declared.covers(one.name) for one in ones}
    used = list(dict.fromkeys(filter(None, names.values())))
    others = [one for one in ones if not names[one.name]]
    covered = [one for one in ones if names[one.name]]
    if covered:  # what is declared together is told together: the book's eps and its running variance
        found = exactly(declared.faults, without_slight(seen, covered, every), cases, seed, adapter)
        if found.fault:
            return Found(found, [found.fault, *used], eps=own_eps(covered))
    rest = without_slight(seen, ones, every) if ones else seen
    if rest.ok:
        says = ", and ".join(NAMES[name] for name, allowed in names.items() if allowed)
        return Found(Diagnosis(" + ".join(used), says, 0.0), used, others) if used else Found()
    if ones:
        found = exactly(declared.faults, rest, cases, seed, adapter)
    if not found.fault and len(declared.faults) > 1:
        found = diagnose_pair(rest, cases, seed, adapter, declared.faults)
    eps = own_eps(ones)
    if not found.fault and eps is not None:
        left = without_slight(seen, but_eps(ones), every)
        found = exactly(declared.faults, left, given_eps(cases, eps), seed, adapter)
    return Found(found, [found.fault, *used], others, eps) if found.fault else Found()


def exactly(
    faults: Sequence[Fault], seen: Observation, cases: Sequence[Probe], seed: int, adapter: Adapter
) -> Diagnosis:
    """The declared fault that explains the whole observation, or UNKNOWN."""
    for fault in faults:
        found = diagnose_as(fault, seen, cases, seed, adapter)
        if found.fault:
            return found
    return UNKNOWN
