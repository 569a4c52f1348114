"""The verdict on code that raises, or gives nothing, whatever it is given: it is wrong without a number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parity.adapters.sure_errors import MARKED, ON_THE_LEFT
from parity.comparison.gates import refused
from parity.comparison.records import Place, Record, record
from parity.faults.diagnose import PLAIN
from parity.verification.unchecked import compared
from parity.verification.verdict import Verdict

NOTHING = "forward returns nothing and keeps nothing of what it computes"
OF_CLASS = "under that name stands a class of the file, whose constructor takes no more"
UNCALLED = "its function has put a method under that name: the () of the call are missing"
HINTS = {  # by the beginning of what was raised, or a part of it
    ON_THE_LEFT: "Python calls it for what is no node alone, and so it never gives a result",
    "raised NameError": "nothing in its file gives that name a meaning: an import or an argument is missing",
    "raised UnboundLocalError": "its function assigns that name on a later line alone",
    "raised TypeError: 'int'": "its function has put a number under that name, in a loop or above",
    "__init__() takes": OF_CLASS,
    "() takes no arguments": OF_CLASS,
    "' object does not support item": UNCALLED,
    "method' object is not subscr": UNCALLED,
    "raised AttributeError: 'int'": "its function has put a number under that name, in a loop or above",
    "raised AttributeError: module": "NumPy has nothing of that name",
    "raised AttributeError": "nothing in its file gives it one of that name first",
    "raised IndexError: index": "the axis is as long as that, so that its last index is one less",
    "raised IndexError": "weights are no index",
    "raised TypeError: Cannot interpret": "it takes the sizes as one tuple; its second argument is a dtype",
    "raised": "np.max and np.min take one array and an axis; of two it is np.maximum or np.minimum",
    "forward": "its last line should be `return`, with the result",
}


def always(records: Sequence[Record], gives_nothing: bool = False) -> str:
    """What its forward, or a backward after a right forward, comes to on every input, where no way of calling
    it is to blame for that; "" otherwise."""
    plain = [row for row in records if row.phase in PLAIN]
    forward = [row for row in plain if row.phase == "forward" and not row.tensor.startswith("running_")]
    if forward and not any(map(compared, forward)):
        if gives_nothing and all(row.why == "missing" for row in forward):
            return NOTHING
        return forward[0].why if MARKED.search(forward[0].why) else ""
    return ""


def that_always(verdict: Verdict, comes_to: str) -> Verdict:
    """The verdict on what comes to that on every input: there is no number to compare."""
    place = Place("", "float64", "cpu")
    row = record(place, verdict.kind, "forward", "the call", refused(np.empty(0), comes_to))
    hint = next(text for said, text in HINTS.items() if comes_to.startswith(said) or said in comes_to)
    verdict.records, verdict.ok, verdict.always = [row], False, f"{comes_to}; {hint}"
    verdict.not_checked, verdict.remarks = [], []
    return verdict


def that_raises(verdict: Verdict, raises: str) -> Verdict:
    """The same for one that raises whatever it is given, as its call has it: `backward(x) raised ...`."""
    place = Place("", "float64", "cpu")
    row = record(place, verdict.kind, "backward", "the call", refused(np.empty(0), raises))
    verdict.records, verdict.ok, verdict.always = [row], False, raises
    verdict.not_checked, verdict.remarks = [], []
    return verdict
