"""hypothesis looks for a geometry on which an implementation is wrong, and shrinks it to the smallest.

How many are tried is a number, never a time: a verdict is the same on a busy machine and on a quiet one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from parity.adapters.connection import Ended
from parity.adapters.subject import Subject, subject_here
from parity.checks.layer import judge, run_probe
from parity.kinds import Probe
from parity.kinds.random_geometry import Geometry, probe_of, random_geometry
from parity.reference.threads import one_thread

EXAMPLES = 200


@dataclass(frozen=True)
class Search:
    """The smallest random geometry on which an implementation is wrong, None where it never was; how many it
    was tried on before that; and how its process ended, if it did."""

    probe: Probe | None
    tried: int
    ended: Ended | None = None


@st.composite
def geometries(draw: Any, kind: str) -> Geometry:
    """hypothesis' strategy for the same, which it can shrink."""
    return random_geometry(lambda low, high: draw(st.integers(low, high)), kind)


def search(
    kind: str,
    factory: Callable[..., Any] | Subject,
    adapter: Any = None,
    supports: Callable[[Probe], bool] = lambda probe: True,
    examples: int = EXAMPLES,
) -> Search:
    """Try random geometries that the implementation supports, in float64, until one is wrong."""
    subject = factory if isinstance(factory, Subject) else subject_here(factory, kind, adapter)
    found: list[Probe] = []
    ended: list[Ended] = []
    tried = 0

    def wrong(probe: Probe) -> bool:
        nonlocal tried
        if ended:  # hypothesis goes on, the process does not
            return False
        tried += not found
        try:
            _, judged = run_probe(subject, probe, judge, "float64")
        except Ended as error:
            ended.append(error)
            return False
        if all(comparison.ok for comparison in judged.values()):
            return False
        found.append(probe)
        return True

    options = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    strategy = geometries(kind).map(lambda g: probe_of(kind, g)).filter(supports)
    smallest: Probe | None = None
    try:
        with one_thread():
            smallest = find(strategy, wrong, settings=options)
    except HypothesisException:  # there is none, or the process ended before the smallest was reached
        smallest = found[-1] if found else None
    return Search(smallest, tried, ended[0] if ended else None)
