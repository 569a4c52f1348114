"""A function beside its backward or derivative: which of the two is wrong, by name."""

from __future__ import annotations

from collections.abc import Iterable

from parity.adapters.convention import Convention
from parity.comparison.records import Record
from parity.verification.unchecked import compared


def wrong_one(convention: Convention | None, records: Iterable[Record]) -> tuple[str, str]:
    """(the name of the function whose numbers are right, that of its backward, which is wrong).

    Two empty names where there is one function, a class, or anything wrong with what forward gives.
    """
    nothing = ("", "")
    if convention is None or convention.constructor is not None:
        return nothing
    names = [name.removeprefix("function ") for name in (convention.forward, convention.backward)]
    forward = [row for row in records if row.phase == "forward"]
    if not all(names) or names[0] == names[1] or not any(map(compared, forward)):
        return nothing
    return (names[0], names[1]) if all(row.ok for row in forward) else nothing
