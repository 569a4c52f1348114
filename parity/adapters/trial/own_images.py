"""Layers that take images of one size alone, since their source has it: `for i in range(14)`, `(n, 32, 32)`.

Where nothing else goes they are called with square images of that size, of twice that size, and of that size
and what the window takes off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.conventions import NotCallable
from parity.adapters.trial.own_classes import Ask, find_for_its_classes
from parity.adapters.trial.probes import WINDOWS
from parity.adapters.trial.search import find
from parity.kinds.probe import Probe
from parity.kinds.probes import with_cotangent

LEAST, MOST = 5, 64  # of the sizes that are tried
SIZES = 3  # that are tried, of those in its source


def find_for_its_images(
    ask: Ask, about: dict[str, Any], kind: str, fits: bool, in_columns: Callable[[], str | None]
) -> Convention | None:
    """`find_for_its_classes`, with the size of images that its source has where no others go."""
    try:
        return find_for_its_classes(ask, about, kind, fits, in_columns)
    except NotCallable as error:
        refused = error
    counts = about.get("class_counts", ()) if kind in ("convolution", *WINDOWS) else ()
    sizes = [n for n in counts if LEAST <= n <= MOST][:SIZES]
    tried = any(why.startswith(("forward: ", "backward: ")) for _, why in refused.tried)
    for size in sizes if tried else ():
        with suppress(NotCallable):
            found = find(ask, about, kind, fits, in_columns, own=probes_of_images(kind, size))
            if found is not None:
                return found
    raise refused


@lru_cache(maxsize=64)
def probes_of_images(kind: str, size: int) -> tuple[tuple[Probe, dict[str, Any]], ...]:
    """Trials with square images of which something is that size, each with its limits."""
    return tuple(_drawn(kind, size))


def _drawn(kind: str, size: int) -> Iterator[tuple[Probe, dict[str, Any]]]:
    rng = np.random.default_rng([*kind.encode(), size])
    window = 3 if kind == "convolution" else 2
    sides = (size, size + window - 1) if kind == "convolution" else (2 * size, size)
    for side in sides:
        for C in (6, 1):
            x = rng.standard_normal((2, C, side, side))
            args: dict[str, Any] = {"pool_h": window, "pool_w": window, "stride": 2}
            if kind == "convolution":
                args = {"W": rng.standard_normal((8, C, window, window)), "b": rng.standard_normal(8)}
            sizes = {"H": side, "W": side} | ({"C": 1} if C == 1 else {})
            probe = with_cotangent(Probe(kind, "a trial", args, {"x": x}), 0)
            yield probe, {"square": True, "sizes": sizes}
