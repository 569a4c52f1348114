"""Declared differences: `--allow dropout-not-inverted`.

A departure that somebody made on purpose is a bug of the catalogue with a name. Declaring it does not
loosen anything: the implementation must equal the reference with exactly that bug, on every input, in both
precisions and in every contract. The declaration stays in the report, and one that no longer holds (the
implementation is right, or wrong in another way) fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from parity.adapters.book import Adapter
from parity.faults import Fault, faults_of
from parity.faults.diagnose import UNKNOWN, Diagnosis, Observation, diagnose_as
from parity.kinds import Probe


def declared_faults(kind: str, names: Iterable[str]) -> list[Fault]:
    """The catalogue's entries of these names. Raises ValueError naming those of the kind."""
    known = {fault.name: fault for fault in faults_of(kind)}
    wanted = [name.strip().lower().replace("_", "-") for name in names]
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(
            f"no known difference named {', '.join(unknown)} for {kind}; "
            f"there are: {', '.join(sorted(known)) or 'none'}"
        )
    return [known[name] for name in wanted]


def exactly(
    faults: Sequence[Fault], seen: Observation, cases: Sequence[Probe], seed: int, adapter: Adapter
) -> Diagnosis:
    """The declared fault that explains the whole observation, or UNKNOWN."""
    for fault in faults:
        found = diagnose_as(fault, seen, cases, seed, adapter)
        if found.fault:
            return found
    return UNKNOWN
