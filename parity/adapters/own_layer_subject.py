"""Somebody's layer that is none of the kinds, as the checks see it; see `own_layer.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from parity.adapters.children import copied_child, fresh_child
from parity.adapters.connection import Apart, Ended, Here
from parity.adapters.isolate import Limits
from parity.adapters.network_bench import NetworkBench
from parity.adapters.network_subject import NOT_AN_ANSWER
from parity.adapters.own_network_subject import OwnSubject
from parity.adapters.subject import COPY, FRESH
from parity.adapters.wire import clean


@dataclass(frozen=True)
class LayerWay:
    """How it is called.

    without the inputs whose gradient it does not give
    params  the shapes of all that can be moved; `inputs` those of them that are no weights
    form    the shape of its input in words; `single` where that is one sample
    other   the arguments that it is given besides in the second case
    before_softmax  whether it gives output less target, and takes logarithms
    looks_for_one  whether its backward looks for the numbers of dout that are not 0
    sure    whether there is no other way to read its backward
    rows    whether its forward gives the rows of its weights that its input names, as an embedding's does
    every   whether each form of its input is one that it is meant for
    """

    called: str
    without: list[str]
    params: dict[str, tuple[int, ...]]
    inputs: list[str]
    form: str
    single: bool
    cases: int
    sure: bool
    before_softmax: bool
    looks_for_one: bool
    other: str
    rows: bool
    every: bool


class OwnLayerSubject(OwnSubject):
    """One layer under test."""

    ran = False  # a forward of it

    def open(self) -> OwnLayerSubject:
        """Load it and look for ways."""
        about = self._dict(self.connection.ask("open_layer", target=self.target))
        ways = about.get("ways")
        self.name, self.ways = clean(about.get("class"), 80), ways if isinstance(ways, int) else 0
        self.tried = [clean(text) for text in about.get("tried") or ()]
        self.ran = about.get("ran") is True
        return self

    def one_slope(self, on: bool) -> None:
        """Whether from now on all numbers of dout but one are 0."""
        self.connection.ask("one_slope", on=on)

    def use_layer(self, number: int) -> LayerWay:
        about = self._dict(self.connection.ask("use_layer", number=number))
        try:
            return LayerWay(
                clean(about["called"]),
                [clean(name, 80) for name in about["without"]],
                {clean(name, 80): tuple(map(int, shape)) for name, shape in dict(about["params"]).items()},
                [clean(name, 80) for name in about["inputs"]],
                clean(about["form"], 80),
                about["single"] is True,
                int(about["cases"]),
                about["sure"] is True,
                about["before_softmax"] is True,
                about["looks_for_one"] is True,
                clean(about["other"], 120),
                about["rows"] is True,
                about["every"] is True,
            )
        except (KeyError, TypeError, ValueError):
            raise Ended(NOT_AN_ANSWER) from None


def layer_here(layer: Any) -> OwnLayerSubject:
    """The layer in this process, without limits; still to be opened."""
    target = layer if isinstance(layer, str) else None
    return OwnLayerSubject(Here(NetworkBench(None if target else layer)), target)


def layer_apart(layer: Any, limits: Limits) -> OwnLayerSubject:
    """The layer in a process of its own; still to be opened."""
    if isinstance(layer, str):
        return OwnLayerSubject(Apart(fresh_child(), limits, FRESH), layer)
    return OwnLayerSubject(Apart(copied_child(NetworkBench(layer)), limits, COPY))
