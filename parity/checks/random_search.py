"""Random geometries are tried until one is wrong; hypothesis then shrinks it to the smallest.

How many are tried is a number, never a time: a verdict is the same on a busy machine and on a quiet one.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from parity.adapters.connection import Ended
from parity.adapters.subject import Subject, subject_here
from parity.checks.layer import judge, run_probe
from parity.kinds import Probe
from parity.kinds.random_geometry import (
    Geometry,
    integers_of,
    needs_of,
    probe_of,
    random_geometry,
    shared_probe_of,
)
from parity.reference.threads import one_thread

EXAMPLES = 200
EXAMPLES_IN_BROWSER = 60
MOST_DRAWS = 50  # per example, where few of the geometries are supported


@dataclass(frozen=True)
class Search:
    """The smallest random geometry on which an implementation is wrong, None where it never was; how many it
    was tried on before that; and how its process ended, if it did."""

    probe: Probe | None
    tried: int
    ended: Ended | None = None


def search(
    kind: str,
    factory: Callable[..., Any] | Subject,
    adapter: Any = None,
    supports: Callable[[Probe], bool] = lambda probe: True,
    examples: int = EXAMPLES,
    fit: Callable[[Geometry], Geometry] = lambda g: g,
    prepare: Callable[[Probe], Probe] = lambda probe: probe,
    right: Callable[[Probe], bool] | None = None,
) -> Search:
    """Try random geometries that the implementation supports, in float64, until one is wrong.

    `fit` brings a geometry to sizes that it takes, where it takes few, and `prepare` the probe to what else.
    `right` judges it by something other than PyTorch. Without the package hypothesis (in a browser) the first
    wrong geometry stays as it is.
    """
    subject = factory if isinstance(factory, Subject) else subject_here(factory, kind, adapter)
    unseen = subject.convention.unseen if subject.convention else ()
    found: list[Probe] = []
    ended: list[Ended] = []
    tried = 0

    def as_pytorch(probe: Probe) -> bool:
        _, judged = run_probe(subject, probe, judge, "float64")
        return all(comparison.ok for name, comparison in judged.items() if name not in unseen)

    def wrong(probe: Probe) -> bool:
        nonlocal tried
        if ended:  # hypothesis goes on, the process does not
            return False
        tried += not found
        try:
            if (right or as_pytorch)(probe):
                return False
        except Ended as error:
            ended.append(error)
            return False
        found.append(probe)
        return True

    with one_thread():
        if not _any(kind, supports, examples, wrong, fit, prepare) or ended:
            return Search(found[-1] if found else None, tried, ended[0] if ended else None)
    smallest = None
    if importlib.util.find_spec("hypothesis"):
        from parity.checks import shrink

        with one_thread():
            smallest = shrink.smallest(
                kind, lambda g: prepare(probe_of(kind, fit(g))), supports, wrong, examples
            )
    if smallest is None:  # hypothesis is not here or met none, or the process ended before
        smallest = found[-1]
    return Search(smallest, tried, ended[0] if ended else None)


@cache
def _drawn(kind: str) -> Callable[[int], tuple[Geometry, frozenset[str]]]:
    """The geometry of each number and what it needs: the same ones every time, each drawn once."""
    integers = integers_of(kind, np.random.default_rng([*kind.encode(), 7]))
    found = list[tuple[Geometry, frozenset[str]]]()

    def of(number: int) -> tuple[Geometry, frozenset[str]]:
        while len(found) <= number:
            g = random_geometry(integers, kind)
            found.append((g, needs_of(g)))
        return found[number]

    return of


def _any(
    kind: str,
    supports: Callable[[Probe], bool],
    examples: int,
    wrong: Callable[[Probe], bool],
    fit: Callable[[Geometry], Geometry],
    prepare: Callable[[Probe], Probe],
) -> bool:
    """Whether one of that many supported geometries is wrong; the same ones every time."""
    drawn, left = _drawn(kind), examples
    supported: dict[frozenset[str], bool] = {}  # by what a geometry needs, before it costs anything
    for number in range(MOST_DRAWS * examples):
        own, needs = drawn(number)
        g = fit(own)
        needs = needs if g is own else needs_of(g)
        if needs not in supported:
            supported[needs] = supports(Probe(kind, "", needs=needs))
        if not supported[needs]:
            continue
        probe = prepare(shared_probe_of(kind, g))
        if supports(probe):
            if wrong(probe):
                return True
            left -= 1
        if not left:
            break
    return False
