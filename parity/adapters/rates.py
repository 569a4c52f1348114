"""The learning rate that an optimizer shows, set between two steps. Needs NumPy alone."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.reach import got, put, walk

RATES = ("lr", "learningrate", "learnrate", "lrate", "stepsize")  # alone, or in a longer name
NAMES = ("alpha", "eta", "rate", "eps", "epsilon")


def set_rate(root: Any, old: float, new: float) -> bool:
    """Write `new` wherever the rate lies, under any of its names: `lr`, `current_learning_rate`, `["lr"]`.

    Whether some place took it.
    """
    places = [
        path
        for path, value in walk(root)
        if isinstance(value, (float, np.floating)) and value == old and _named(path)
    ]
    for path in places:
        with suppress(Exception):  # an attribute that cannot be set
            put(root, path, new)
    return any(got(root, path) == new for path in places)


def _named(path: Any) -> bool:
    name = plain(str(path[-1][1])) if path else ""
    return name in NAMES or name.startswith(RATES) or name.endswith(RATES)
