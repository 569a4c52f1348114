"""Why an implementation could not be checked: no number of it could be had, so none was right or wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence

from parity.adapters.features import BUILT
from parity.adapters.sure_errors import MARKED
from parity.comparison.records import Record
from parity.faults.diagnose import PLAIN

# How `why` begins where there is no number to compare.
NO_NUMBER = ("raised ", "missing", "expected an array", "expected a plain array")
ENDED = ("import", "calls")  # phases of the record that says how a process ended
NOT_NUMBERS = re.compile(r"^dtype .*, expected real numbers$")
TAKES_NO = "it takes no "  # how the sentence begins where a parameter is lacking: nothing of theirs raised
LACKS = re.compile(rf"^raised TypeError: ({TAKES_NO}[^()]*?)( while it was built)?$")
FORWARD_IS_RIGHT = "(forward is right)"  # at the end of why a backward that always raises is not checked


def compared(row: Record) -> bool:
    """Whether a result was there to be compared, be it of another shape or dtype."""
    return row.ok or not (row.why.startswith(NO_NUMBER) or NOT_NUMBERS.match(row.why))


def why_unchecked(records: Sequence[Record], ending: str = "") -> str:
    """A sentence without its subject; empty where something was compared that is enough for a verdict.

    Nothing compared in forward is no verdict. Neither is a right forward whose backward raises on every
    input: whether the gradients are right nobody has seen.
    """
    plain = [row for row in records if row.phase in PLAIN]
    backward = [row for row in plain if row.phase == "backward"]
    forward = [row for row in plain if row.phase == "forward"] or backward  # of a gradient alone
    if not any(compared(row) for row in forward if not row.tensor.startswith("running_")):
        return _first(forward) or ending or "nothing of it was compared"
    if all(row.ok for row in forward if compared(row)) and backward and not any(map(compared, backward)):
        raised = [row for row in backward if row.why.startswith("raised ")]
        if MARKED.search(raised[0].why if raised else ""):  # whatever it is given
            return ""
        return f"backward {raised[0].why} {FORWARD_IS_RIGHT}" if len(raised) == len(backward) else ""
    return ""


def _first(rows: Sequence[Record]) -> str:
    """What stood in the way on the first input; that it is the constructor only where it is so on all."""
    if not rows:
        return ""
    if found := LACKS.match(rows[0].why):
        return found[1]
    if all(row.why.endswith(BUILT) for row in rows):
        return f"building it {rows[0].why.removesuffix(BUILT)}"
    why = next((row.why for row in rows if not row.why.endswith(BUILT)), rows[0].why)
    if why == "missing":
        return "forward returned None"
    return f"its forward {why}" if why.startswith("raised ") else f"forward: {why}"
