"""A function beside its backward or derivative: which of the two is wrong, by name."""

from __future__ import annotations

from collections.abc import Iterable

from parity.adapters.convention import Convention
from parity.comparison.records import Record
from parity.verification.unchecked import compared
from parity.verification.verdict import RIGHT, Verdict

NOTHING = ("", "")


def functions_of(convention: Convention) -> tuple[str, str]:
    """(the function, its backward) by their names; two empty ones of a class, or where there is one alone."""
    if convention.constructor is not None:
        return NOTHING
    function, backward = (
        name.removeprefix("function ") for name in (convention.forward, convention.backward)
    )
    return (function, backward) if function and backward and function != backward else NOTHING


def wrong_one(functions: tuple[str, str], records: Iterable[Record]) -> tuple[str, str]:
    """(the name of the function whose numbers are right, that of its backward, which is wrong).

    Two empty names where it is not such a pair, or anything is wrong with what forward gives or does.
    """
    rows = list(records)
    own = any(compared(row) for row in rows if row.phase == "forward")
    others = all(row.phase == "backward" or row.tensor.startswith("d") for row in rows if not row.ok)
    return functions if own and others else NOTHING


def may_be_right_alone(verdict: Verdict) -> bool:
    """Whether both are wrong beside each other, so that the function is to be looked at by itself."""
    wrong = {row.phase for row in verdict.records if not row.ok and compared(row)}
    return verdict.outcome == "wrong" and all(verdict.functions) and {"forward", "backward"} <= wrong


def blame_backward(verdict: Verdict, alone: Verdict) -> None:
    """Where the function by itself is right, but for something: the pair is wrong in its backward alone."""
    if alone.outcome not in RIGHT:
        return
    said = {(row.case, row.tensor, row.dtype, row.phase) for row in alone.records}
    verdict.records = [
        row for row in verdict.records if row.ok or (row.case, row.tensor, row.dtype, row.phase) not in said
    ]
    verdict.forward_buts = alone.buts
