"""Somebody's network, as the checks see it: its parameters, its calls, and what passed through its layers.

It answers wherever it runs (`connection.py`); what comes back is checked for its form before it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.adapters.bench import Raised
from parity.adapters.children import copied_child, fresh_child
from parity.adapters.connection import Apart, Connection, Ended, Here
from parity.adapters.isolate import Limits
from parity.adapters.network_bench import NetworkBench
from parity.adapters.subject import COPY, FRESH, Subject
from parity.adapters.wire import Odd, clean
from parity.kinds.protocols import NetworkLike
from scratchcnn.typing import Array

NOT_AN_ANSWER = "sent something that is not an answer"
LEAST_ANSWER = 1 << 31  # bytes of an answer: a layer's weights may take hundreds of megabytes


@dataclass
class LayerView:
    """A layer of the network: what its class and its bases are called, and the parameters that it holds."""

    path: str
    classes: list[str]
    mode: str
    holds: list[str]


@dataclass
class Called:
    """What a call gave (an array, a number, a dict, or an Odd), and its arguments after it."""

    value: Any
    arguments: list[Any] = field(default_factory=list)


class ForeignNetwork:
    """One network under test. Its methods raise what the connection does: Raised, Ended, TargetError."""

    def __init__(self, connection: Connection, target: str | None = None):
        self.connection, self.where, self.target = connection, connection.where, target
        self.name, self.lacks = "", list[str]()
        self.shapes: dict[str, tuple[str, tuple[int, ...]] | Odd] = {}  # of the parameters: dtype and shape
        self.input_dim: tuple[int, ...] | None = None
        self.predicts = False
        self.layers: list[LayerView] = []

    def open(self) -> ForeignNetwork:
        """Load and build it."""
        about = _dict(self.connection.ask("open_network", target=self.target))
        self.name, self.lacks = clean(about.get("class"), 80), [clean(n, 80) for n in _list(about, "lacks")]
        if self.lacks:
            return self
        self.shapes = {clean(name, 80): _outline(found) for name, found in _dict(about["params"]).items()}
        shape = about.get("input_dim")
        self.input_dim = tuple(map(int, shape)) if shape and all(isinstance(n, int) for n in shape) else None
        self.predicts = about.get("predicts") is True
        self.layers = [_layer(found) for found in _list(about, "layers")]
        return self

    # -- its parameters --------------------------------------------------------------------------
    def array(self, name: str) -> Any:
        """The parameter as it is now: an array, or an Odd."""
        return self.connection.ask("array", name=name)

    def params(self) -> dict[str, Any]:
        return {name: self.array(name) for name in self.shapes}

    def set_array(self, name: str, value: Array) -> None:
        """Write into the parameter, as an optimizer does."""
        self.connection.ask("set_array", name=name, value=value)

    # -- a second one ----------------------------------------------------------------------------
    def open_another(self) -> bool:
        """Build a second one of the same class; False where it is a copy, since there was but an object."""
        return self.connection.ask("open_another") is True

    def use(self, number: int) -> None:
        """Go on with the first (0) or the second (1)."""
        self.connection.ask("use", number=number)

    # -- its calls -------------------------------------------------------------------------------
    def predict(self, x: Array) -> Called:
        return self._call("predict", x)

    def loss(self, x: Array, t: Array) -> Called:
        called = self._call("loss", x, t)
        if isinstance(called.value, Odd):
            called.value = Odd(called.value.why.replace("expected an array", "expected a number"))
        return called

    def gradient(self, x: Array, t: Array) -> Called:
        """Its value is a dict, or an Odd."""
        called = self._call("gradient", x, t)
        if isinstance(called.value, Odd):
            called.value = Odd(called.value.why.replace("expected an array", "expected a dict of arrays"))
        elif not isinstance(called.value, dict):
            called.value = Odd(f"expected a dict of arrays, got {type(called.value).__name__}")
        return called

    def _call(self, method: str, *fields: Array) -> Called:
        try:
            found = _dict(self.connection.ask("call", method=method, fields=list(fields)))
        except Raised as error:
            raise Raised(f"{error} in {method}") from None
        return Called(found.get("value"), list(found.get("arguments") or ()))

    # -- its layers ------------------------------------------------------------------------------
    def trace(self, x: Array, t: Array) -> None:
        """One `loss` and one `gradient` in which every layer notes what passes through it."""
        self.connection.ask("traced", x=x, t=t)

    def passed(self, path: str, names: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any], bool]:
        """What passed through the layer then (x, t, out, dout, dx), those attributes that it has, and whether
        its calls were noted."""
        found = _dict(self.connection.ask("passed", path=path, names=list(names)))
        return _dict(found.get("passed")), _dict(found.get("attributes")), found.get("seen") is True

    def layer_subject(self, path: str) -> Subject:
        """The layer's class as code under test. Nothing can be asked of the network any more."""
        self.connection.ask("of_layer", path=path)
        return Subject(self.connection)

    def close(self) -> str:
        """End the process that it runs in, if it has one; what it printed."""
        return self.connection.close()


def network_here(network: NetworkLike | type[NetworkLike] | str) -> ForeignNetwork:
    """The network in this process, without limits; still to be opened."""
    target = network if isinstance(network, str) else None
    return ForeignNetwork(Here(NetworkBench(None if target else network)), target)


def network_apart(network: NetworkLike | type[NetworkLike] | str, limits: Limits) -> ForeignNetwork:
    """The network in a process of its own; still to be opened.

    That is a fresh interpreter where it has a name (`net.py:Net`), and a copy of this process where it is an
    object that only this process has.
    """
    if isinstance(network, str):
        connection, target = Apart(fresh_child(), limits, FRESH), network
    else:
        connection, target = Apart(copied_child(NetworkBench(network)), limits, COPY), None
    connection.least = LEAST_ANSWER
    return ForeignNetwork(connection, target)


def _dict(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise Ended(NOT_AN_ANSWER)
    return found


def _list(about: dict[str, Any], name: str) -> list[Any]:
    found = about.get(name)
    if not isinstance(found, list):
        raise Ended(NOT_AN_ANSWER)
    return found


def _outline(found: Any) -> tuple[str, tuple[int, ...]] | Odd:
    if isinstance(found, Odd):
        return found
    try:
        dtype, shape = found
        return np.dtype(dtype).name, tuple(int(n) for n in shape)
    except (TypeError, ValueError):
        raise Ended(NOT_AN_ANSWER) from None


def _layer(found: Any) -> LayerView:
    about = _dict(found)
    classes, holds = _list(about, "classes"), _list(about, "holds")
    mode = str(about.get("mode", ""))
    return LayerView(str(about.get("path")), [str(c) for c in classes], mode, [str(h) for h in holds])
