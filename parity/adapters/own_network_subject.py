"""Somebody's network without a reference, as the checks see it; see `own_network.py`.

What comes back is checked for its form before it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.adapters.children import copied_child, fresh_child
from parity.adapters.connection import Apart, Connection, Ended, Here
from parity.adapters.isolate import Limits
from parity.adapters.network_bench import NetworkBench
from parity.adapters.network_subject import NOT_AN_ANSWER
from parity.adapters.subject import COPY, FRESH
from parity.adapters.wire import Odd, clean
from scratchcnn.typing import Array

Move = tuple[str, int, float]  # a parameter, which of its numbers, by how much


@dataclass(frozen=True)
class OwnWay:
    """How loss and gradients are had.

    paired  the loss belongs to the gradients by how it is called, and is not only reported beside them
    source  "returned", "kept" or "changed": where the gradients are
    rated   whether the rate of a step is ours
    unseen  what it could be given besides, and was not
    by_functions  whether it is written as functions, its loss beside its gradients
    clips   whether it clips its gradients
    fails   whether its method raises: of a container, whose calls then may show why
    small   the small constants of its file
    of_outputs  it states no loss: there are outputs alone
    composed    it makes its layers itself, whose calls show what they are given and give
    several     what several rows at once make of its gradients, where it was given one
    nodes       it is a network of an engine's nodes, whose loss is a sum of its outputs
    """

    called: str
    params: dict[str, tuple[int, ...]]
    decays: bool
    paired: bool
    source: str
    rated: bool
    rows: int
    outputs: int
    small: list[float]
    of_outputs: bool
    several: str
    clips: bool
    fails: bool
    nodes: bool
    by_functions: bool
    unseen: list[str]
    composed: bool


@dataclass(frozen=True)
class Looked:
    """What the calls of its layers show of a container.

    forward, backward  what it does wrong with its layers, in words with the line; "" where nothing is seen
    start              the same of the gradient that the last layer is handed
    step               the same of a training that takes no step, and of what is returned
    wrong, unknown     layers whose own backward is wrong, and those of which that cannot be said
    whole              whether its outputs are what its last layer gave; where it makes its layers itself and
                       is handed a gradient, whether that goes to the layer that gave its outputs
    dx                 whether it returns the gradient of its input
    short              whether it goes forward without its last layer
    """

    forward: str
    backward: str
    start: str
    step: str
    wrong: tuple[str, ...]
    unknown: tuple[str, ...]
    whole: bool
    dx: bool
    short: bool


class OwnSubject:
    """One network under test. Its methods raise what the connection does: Raised, Ended, TargetError."""

    def __init__(self, connection: Connection, target: str | None = None):
        self.connection, self.where, self.target = connection, connection.where, target
        self.name, self.ways = "", 0
        self.tried, self.unknown = list[str](), list[str]()
        self.is_container = False  # it is handed its layers

    def open(self) -> OwnSubject:
        """Load it and look for ways."""
        about = self._dict(self.connection.ask("open_own", target=self.target))
        self.name, self.ways = clean(about.get("class"), 80), _int(about.get("ways"))
        self.tried = [clean(text) for text in about.get("tried") or ()]
        self.unknown = [clean(text, 80) for text in about.get("unknown") or ()]
        self.is_container = about.get("container") is True
        return self

    def use(self, number: int) -> OwnWay:
        about = self._dict(self.connection.ask("use_own", number=number))
        try:
            return OwnWay(
                clean(about["called"]),
                {clean(name, 80): tuple(map(int, shape)) for name, shape in dict(about["params"]).items()},
                about["decays"] is True,
                about["paired"] is True,
                str(about["source"]),
                about["rated"] is True,
                _int(about["rows"]),
                _int(about["outputs"]),
                [float(one) for one in about["small"]],
                about["of_outputs"] is True,
                clean(about["several"], 200),
                about["clips"] is True,
                about["fails"] is True,
                about["nodes"] is True,
                about["by_functions"] is True,
                [clean(one, 200) for one in about["unseen"]],
                about["composed"] is True,
            )
        except (KeyError, TypeError, ValueError):
            raise Ended(NOT_AN_ANSWER) from None

    def losses(self, case: int, decays: bool, moves: Sequence[Move]) -> Array:
        """The loss after each move."""
        found = self.connection.ask(
            "own_losses", case=case, decays=decays, moves=[list(move) for move in moves]
        )
        if not isinstance(found, np.ndarray) or found.shape != (len(moves),) or found.dtype != np.float64:
            raise Ended(NOT_AN_ANSWER)
        return found

    def outputs(self, case: int, decays: bool, moves: Sequence[Move]) -> Array:
        """The outputs after each move, in a row each."""
        moved = [list(move) for move in moves]
        found = self.connection.ask("own_outputs", case=case, decays=decays, moves=moved)
        if not isinstance(found, np.ndarray) or found.ndim != 2 or len(found) != len(moves):
            raise Ended(NOT_AN_ANSWER)
        return found.astype(np.float64)

    def labels(self, case: int) -> Array | None:
        """The labels of that case, where they are an array of numbers."""
        found = self.connection.ask("own_labels", case=case)
        return found.astype(np.float64) if isinstance(found, np.ndarray) else None

    def values(self, case: int, decays: bool) -> dict[str, Array]:
        """The parameters of that case."""
        return self._arrays(self.connection.ask("own_values", case=case, decays=decays))

    def gradients(self, case: int, decays: bool) -> dict[str, Any]:
        """Parameter -> gradient, an array or an Odd."""
        return self._dict(self.connection.ask("own_gradients", case=case, decays=decays))

    def looked(self, case: int) -> Looked:
        """What the calls of its layers show of a container."""
        about = self._dict(self.connection.ask("own_looked", case=case))
        wrong, unknown = (
            tuple(clean(one, 80) for one in about.get(key) or ()) for key in ("wrong", "unknown")
        )
        keys = ("forward", "backward", "start", "step")
        forward, backward, start, step = (clean(about.get(key), 400) for key in keys)
        flags = (about.get(key) is True for key in ("whole", "dx", "short"))
        return Looked(forward, backward, start, step, wrong, unknown, *flags)

    def rows(self, few: int, row: int | None = None) -> None:
        """From now on of one that states no loss so many rows are taken (0: all), or that row alone."""
        self.connection.ask("own_rows", few=few, row=row)

    def line(self, name: str) -> str:
        """`net.py, line 31`, where that gradient is computed."""
        return clean(self.connection.ask("own_line", name=name), 120)

    def close(self) -> str:
        """End the process that it runs in, if it has one; what it printed."""
        return self.connection.close()

    @staticmethod
    def _dict(found: Any) -> dict[str, Any]:
        if not isinstance(found, dict):
            raise Ended(NOT_AN_ANSWER)
        return found

    def _arrays(self, found: Any) -> dict[str, Array]:
        if any(isinstance(one, Odd) or not isinstance(one, np.ndarray) for one in self._dict(found).values()):
            raise Ended(NOT_AN_ANSWER)
        return dict(found)


def own_here(network: Any) -> OwnSubject:
    """The network in this process, without limits; still to be opened."""
    target = network if isinstance(network, str) else None
    return OwnSubject(Here(NetworkBench(None if target else network)), target)


def own_apart(network: Any, limits: Limits) -> OwnSubject:
    """The network in a process of its own; still to be opened."""
    if isinstance(network, str):
        return OwnSubject(Apart(fresh_child(), limits, FRESH), network)
    return OwnSubject(Apart(copied_child(NetworkBench(network)), limits, COPY))


def _int(value: Any) -> int:
    if not isinstance(value, int):
        raise Ended(NOT_AN_ANSWER)
    return value
