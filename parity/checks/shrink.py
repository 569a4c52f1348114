"""The smallest geometry on which an implementation is wrong, by hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from parity.kinds import Probe
from parity.kinds.random_geometry import Geometry, random_geometry


@st.composite
def geometries(draw: Any, kind: str) -> Geometry:
    """hypothesis' strategy for random geometries of that kind, which it can shrink."""
    return random_geometry(lambda low, high: draw(st.integers(low, high)), kind)


def smallest(
    kind: str,
    probe_of: Callable[[Geometry], Probe],
    supports: Callable[[Probe], bool],
    wrong: Callable[[Probe], bool],
    examples: int,
) -> Probe | None:
    """The smallest supported probe that is wrong; None where hypothesis meets none."""
    options = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    try:
        return find(geometries(kind).map(probe_of).filter(supports), wrong, settings=options)
    except HypothesisException:
        return None
