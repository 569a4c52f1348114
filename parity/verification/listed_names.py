"""One thing that can be named in a target."""

from __future__ import annotations

from dataclasses import dataclass

from parity.kinds import ELEMENTWISE

FORWARD, BACKWARD = "forward", "backward"
ACTIVATIONS = (*ELEMENTWISE, "softmax")  # by their names alone, also as functions


@dataclass(frozen=True)
class Listed:
    """One thing of a file that can be named in a target, and its kind; "" where its name does not show it."""

    name: str
    kind: str
