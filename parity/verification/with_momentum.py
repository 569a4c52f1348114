"""An optimizer whose constructor takes a momentum is more than one kind: plain gradient descent where that is
0, and momentum where it is not; with a flag for it, Nesterov's too. Each is asked for, one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from parity.adapters.arguments import plain
from parity.adapters.rule_constants import MOMENTUM, NESTEROV
from parity.faults import faults_of
from parity.verification.slight_names import NAMES, names_of
from parity.verification.verdict import OPTION, RIGHT, Verdict

NEXT = {
    "sgd": ("momentum", MOMENTUM),
    "momentum": ("nesterov", NESTEROV),
}  # kind, and the names that ask for it
WORSE = ("right", "right_but", "wrong")


def kind_after(kind: str, parameters: Iterable[str], switched: Iterable[str] = ()) -> tuple[str, list[str]]:
    """The kind that it is as well, and its parameters that say so; "" where there is none.

    `switched` are those that were given a value for this kind's sake, under whatever name.
    """
    further, names = NEXT.get(kind, ("", ()))
    off = [name for name in switched if kind == "sgd" and plain(name) not in NESTEROV]
    found = list(dict.fromkeys([*(name for name in parameters if plain(name) in names), *off]))
    return (further, found) if found else ("", [])


def split(kind: str, allow: Iterable[str]) -> tuple[list[str], list[str]]:
    """The declared differences that this kind can have, and those of the kinds after it."""
    own, later = _can_have(kind), set[str]()
    while kind in NEXT:
        kind = NEXT[kind][0]
        later |= _can_have(kind)
    given = list(allow)
    only_later = [name for name in given if name in later - own]
    both = [name for name in given if name not in only_later]
    return both, only_later + [name for name in both if name in NAMES]


def _can_have(kind: str) -> set[str]:
    return {*(fault.name for fault in faults_of(kind)), *names_of(kind)}


def joined(verdict: Verdict, asked_for: Sequence[str], ask: Callable[[], Verdict]) -> Verdict:
    """The verdict with that on the kind after it; the worse of the two is told, and both are counted."""
    if verdict.outcome not in RIGHT:
        return verdict
    other = ask()
    if other.outcome not in WORSE:
        return verdict
    first, second = (verdict, other) if _rank(verdict) >= _rank(other) else (other, verdict)
    first.remarks = list(dict.fromkeys([*first.remarks, *second.remarks]))
    if other.outcome == "wrong":
        return other
    unseen = dict.fromkeys([*verdict.not_checked, *other.not_checked])
    both = {*verdict.not_checked} & {*other.not_checked}
    first.not_checked = [text for text in unseen if OPTION not in text or text in both]
    first.buts = list(dict.fromkeys([*first.buts, *second.buts]))
    first.records = [*verdict.records, *other.records]
    first.kind = verdict.kind
    first.remarks = [*first.remarks, f"{', '.join(asked_for)}: checked as {other.kind} too"]
    return first


def _rank(verdict: Verdict) -> tuple[int, bool]:
    return WORSE.index(verdict.outcome), bool(verdict.declared)
