"""What an implementation can be asked for, so that what it cannot do is reported and not taken for a pass.

Features come from the probes: `groups`, `dilation`, `pad`, ... One that needs a keyword (`dilation=`) is
looked for in the signature. The others show in use: an implementation that raises on every input with the
feature, and on none without it, does not have it. An implementation whose features are named by `supports=`
is held to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from parity.comparison.records import Record
from parity.kinds import Probe, kind_of

OURS_ALONE = {"amplitude"}  # LeNet's tanh
# Features that no keyword stands for; they show in use.
WORDS = {
    "pairs": "pairs (a stride or pad of its own for each axis)",
    "no_bias": "no_bias (b=None)",
    "images": "images (4-D input)",
    "one_hot": "one_hot (labels as one-hot rows)",
    "even_window": "even_window (an even size)",
    "integers": "integers (an array of whole numbers)",
    "uneven": "uneven (an output size that does not divide the input's)",
}


def features(cases: Sequence[Probe]) -> set[str]:
    """Everything optional that some probe needs."""
    return {need for probe in cases for need in probe.needs}


def lacking(
    kind: str, names: Sequence[str] | None, cases: Sequence[Probe], supports: Iterable[str] | None
) -> set[str]:
    """The features that `supports` leaves out, or that the signature has no room for.

    `names` are the arguments that it takes, None where any name goes or they cannot be known.

    Raises ValueError for a feature in `supports` that the kind does not know.
    """
    known, found = features(cases), kind_of(kind)
    if supports is not None:
        claimed = {name.strip().replace("-", "_") for name in supports}
        if unknown := claimed - known:
            there = ", ".join(sorted(known)) or "none"
            raise ValueError(f"{kind} has no feature {', '.join(sorted(unknown))}; there are: {there}")
        return known - claimed
    if names is None:
        return set()
    room = set(names) | set(found.order[: len(names)])
    return {name for name in known & found.optional.keys() if name not in room}


INFERENCE = "gradients after an inference call"


def shown_lacking(records: Sequence[Record], cases: Sequence[Probe]) -> set[str]:
    """Features whose probes all raise, while those without it do not."""
    raised = {
        row.case for row in records if row.why.startswith("raised") and row.phase in ("forward", "backward")
    }
    found = set()
    for feature in WORDS:
        having = {probe.id for probe in cases if feature in probe.needs}
        plain = {probe.id for probe in cases if not probe.needs}
        if having and having <= raised and not plain <= raised:
            found.add(feature)
    return found


def raises_after_inference(records: Sequence[Record], cases: Sequence[Probe]) -> bool:
    """Whether backward raises after every inference call and no other: the book never calls it there."""
    if not kind_of(cases[0].kind).switches:
        return False
    ids = {probe.id for probe in cases}
    rows = [row for row in records if row.phase == "backward" and row.case in ids]
    raised = {row.case for row in rows if row.why.startswith("raised")}
    inference = {row.case for row in rows if is_inference(row.case)}
    return bool(raised) and raised == inference


def is_inference(case: str) -> bool:
    """Whether the probe of that id infers."""
    return case.endswith("inference")


def without(cases: Sequence[Probe], missing: set[str]) -> list[Probe]:
    """The probes that need none of the missing features."""
    return [probe for probe in cases if not probe.needs & missing]


def in_words(missing: Iterable[str]) -> list[str]:
    """The features as the report prints them, without those that PyTorch does not have either."""
    missing = set(missing) - OURS_ALONE
    return [WORDS.get(name, name) for name in sorted(missing)]
