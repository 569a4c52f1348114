"""Which kind a class is meant to be, by its name: Conv2D, MaxPooling, Linear, CrossEntropyLoss."""

from __future__ import annotations

import re

from parity.kinds import ALL_KINDS

# The kinds that somebody else's code can be checked as; the others are LeNet-5's own.
NAMES = tuple(kind.name for kind in ALL_KINDS.values() if kind.call)
KNOWN = {name.replace("_", ""): name for name in NAMES} | {
    alias: name for name in NAMES for alias in ALL_KINDS[name].aliases
}


def kind_by_name(name: str) -> str | None:
    """The kind of a class of that name, or None when the name does not say."""
    plain = re.sub(r"[^a-z0-9]", "", name.rpartition(":")[2].split(",")[0].rpartition(".")[2].lower())
    return KNOWN.get(plain)
