"""hypothesis looks for a geometry on which an implementation is wrong, and shrinks it to the smallest."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from parity.adapters.subject import Subject, subject_here
from parity.checks.layer import judge, run_probe
from parity.kinds import Probe
from parity.kinds.random_geometry import Geometry, probe_of, random_geometry

EXAMPLES = 200


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
    seconds: float = math.inf,
) -> Probe | None:
    """The smallest random geometry on which the implementation is wrong in float64, or None.

    After that many seconds nothing more is tried.
    """
    subject = factory if isinstance(factory, Subject) else subject_here(factory, kind, adapter)
    end = time.monotonic() + seconds

    found: list[Probe] = []

    def wrong(g: Geometry) -> bool:
        probe = probe_of(kind, g)
        if time.monotonic() > end or not supports(probe):
            return False
        _, judged = run_probe(subject, probe, judge, "float64")
        if all(comparison.ok for comparison in judged.values()):
            return False
        found.append(probe)
        return True

    options = settings(
        max_examples=examples, database=None, deadline=None, derandomize=True,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads take longer over so small arrays
    try:
        return probe_of(kind, find(geometries(kind), wrong, settings=options))
    except HypothesisException:  # there is none, or the time was up before the smallest was reached
        return found[-1] if found else None
    finally:
        torch.set_num_threads(threads)
