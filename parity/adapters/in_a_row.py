"""The outputs of a network that has no method for them: those of its layers one after another.

Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from parity.adapters.container_trace import FORWARD, Log, same, through
from parity.adapters.network_calls import Call


@dataclass(frozen=True)
class InARow(Call):
    """Its layers one after another, of a network that has no method for its outputs."""

    layers_of: Callable[[Any], list[Any]] | None = None

    def __str__(self) -> str:
        return "its layers one after another"

    def of(self, network: Any) -> Any:
        """The function of x for that network."""

        def outputs(x: Any) -> Any:
            assert self.layers_of is not None
            return through(self.layers_of(network), x)

        return outputs


def goes_in_a_row(log: Log, count: int) -> bool:
    """Whether it calls each of its layers once, in their order, each with what the one before it gave."""
    events = log.of(FORWARD)
    in_order = [event.layer for event in events] == list(range(count))
    return in_order and all(same(later.given, one.gave) for one, later in pairwise(events))
