"""The learning rate that an optimizer shows, set between two steps. Needs NumPy alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.reach import Path, got, put, spelled, walk

RATES = ("lr", "learningrate", "learnrate", "lrate", "stepsize")  # alone, or in a longer name
NAMES = ("alpha", "eta", "rate", "eps", "epsilon")


def rates(root: Any, value: float) -> list[str]:
    """Where the rate lies, each name once, whichever of several objects has it: `.lr`, `["lr"]`."""
    return list(dict.fromkeys(spelled(path[-1:]) for path in _places(root, value)))


def set_rate(root: Any, old: float, new: float, at: str = "") -> bool:
    """Write `new` wherever the rate lies, under any of its names: `lr`, `current_learning_rate`, `["lr"]`; or
    under one of them alone.

    Whether some place took it.
    """
    places = [path for path in _places(root, old) if at in ("", spelled(path[-1:]))]
    for path in places:
        with suppress(Exception):  # an attribute that cannot be set
            put(root, path, new)
    return any(got(root, path) == new for path in places)


def _places(root: Any, rate: float) -> Iterator[Path]:
    for path, value in list(walk(root)):
        if isinstance(value, (float, np.floating)) and value == rate and _named(path):
            yield path


def _named(path: Any) -> bool:
    name = plain(str(path[-1][1])) if path else ""
    return name in NAMES or name.startswith(RATES) or name.endswith(RATES)
