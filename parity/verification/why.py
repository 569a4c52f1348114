"""Why the numbers are wrong: from what was seen of the code, asked again on inputs drawn afterwards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

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

TIMES = re.compile(r"dx is PyTorch's multiplied by ([A-Z*]+)")
RIGHT_WHERE = ", right only where the layers before it divide by N themselves"
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
    ones = slight_ones(seen.observation, cases)
    slight = {id(one.row) for one in ones if one.name in said}
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
        why = explain(known, asker(subject), first=verdict.culprit.tensor if verdict.culprit else "")
    except (Ended, Raised, TargetError):
        return None
    finally:
        subject.close()
    but = {id(one.row) for one in ones}
    losses = [row for row in rows if row.tensor == "loss"]
    return of_its_own_loss(why) if losses and all(row.ok or id(row) in but for row in losses) else why


def of_its_own_loss(explanation: Explanation) -> Explanation:
    """The same, where the loss is right: a gradient that is off by a size is so many times that loss's."""
    return replace(explanation, sentences=tuple(map(_of_its_own_loss, explanation.sentences)))


def _of_its_own_loss(sentence: str) -> str:
    found = TIMES.fullmatch(sentence)
    if found is None:
        return sentence
    says = f"dx is {found[1]} times the gradient of the loss that it gives"
    return says + RIGHT_WHERE if found[1] == "N" else says
