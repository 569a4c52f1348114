"""Why the numbers are wrong: from what was seen of the code, asked again on inputs drawn afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from parity.adapters.bench import Raised
from parity.adapters.connection import Ended
from parity.adapters.load import TargetError
from parity.adapters.subject import Subject
from parity.explain.explanation import Explanation, asker, explain
from parity.explain.search import Case, reference
from parity.kinds import Probe
from parity.verification.observe import Seen
from parity.verification.reproduction import size
from parity.verification.slight import slight_ones
from parity.verification.slight_names import AVERAGES, OTHER_EPS, UNDECAYED
from parity.verification.verdict import Verdict

LARGEST = 4096  # numbers of an input that is searched


def explanation_of(
    subject: Subject, verdict: Verdict, seen: Seen, cases: Sequence[Probe]
) -> Explanation | None:
    """The explanation of float64 numbers that are wrong; None where there are none, or no more answers."""
    rows = [row for row in verdict.records if row.dtype == "float64" and row.phase in ("forward", "backward")]
    if all(row.ok for row in rows):
        return None
    counted, values = {(row.case, row.tensor) for row in rows}, seen.observation.values["float64"]
    said = (OTHER_EPS, AVERAGES, UNDECAYED)
    slight = {id(one.row) for one in slight_ones(seen.observation, cases) if one.name in said}
    wrong = {row.tensor for row in rows if not row.ok and id(row) not in slight}
    if slight and not wrong:
        return None
    if wrong:  # what is off by an eps alone has been said
        counted = {(row.case, row.tensor) for row in rows if row.tensor in wrong or row.ok}
    known = [
        Case(probe, found, right)
        for probe in cases
        if probe.id in values and size(probe) <= LARGEST
        if (found := {n: a for n, a in values[probe.id].items() if (probe.id, n) in counted})
        if (right := {n: a for n, a in reference(probe).items() if (probe.id, n) in counted})
    ]

    try:
        subject.open(verdict.kind)
        return explain(known, asker(subject), first=verdict.culprit.tensor if verdict.culprit else "")
    except (Ended, Raised, TargetError):
        return None
    finally:
        subject.close()
