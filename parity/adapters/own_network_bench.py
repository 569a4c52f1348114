"""The requests about a network without a reference: its loss after moves of its parameters, its gradients.

A part of `NetworkBench`. Parameters go by the names under which they are shown. Needs NumPy alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from parity.adapters.bench import Bench, as_raised, plain
from parity.adapters.composed import Composed
from parity.adapters.container import Container
from parity.adapters.function_network import OwnFunctions, functions_of
from parity.adapters.handed_layers import is_container_class
from parity.adapters.in_double import in_double
from parity.adapters.load import load
from parity.adapters.network_arrays import Place, shown
from parity.adapters.network_builds import unknown
from parity.adapters.network_lines import small_constants
from parity.adapters.network_nodes import OfNodes, of_nodes
from parity.adapters.own_network import OwnNetwork
from parity.adapters.wire import clean

MOST_TRIED = 12


class OwnNetworkBench(Bench):
    """One network whose gradients are to be compared with its own loss."""

    def open_own(self, target: str | None) -> dict[str, Any]:
        """Load it and find the ways in which loss and gradients can be had."""
        with as_raised():
            network = load(target) if target is not None else self._factory
            handed = isinstance(network, type) and is_container_class(network)
            functions = functions_of(network)
            nodes = None if handed or functions else of_nodes(network)
            if handed:
                self._own: OwnNetwork = Container(network)
            elif functions:
                self._own = OwnFunctions(functions)
            else:
                self._own = OwnNetwork(network if nodes is None else nodes)
            found = self._own.search()
            if nodes is not None and not found:
                self._own = OwnNetwork(network)
                found = self._own.search()
            if not found and not handed and not functions and isinstance(network, type):
                if target is not None:
                    in_double(network)
                tried, self._own = self._own.tried, Composed(network)
                found = self._own.search()
                self._own.tried = list(dict.fromkeys([*tried, *self._own.tried]))
        built = self._own.found if functions else network
        cls = built if isinstance(built, type) else type(built)
        return {
            "class": clean(cls.__name__, 80),
            "ways": len(found),
            "tried": [clean(text, 300) for text in self._own.tried[:MOST_TRIED]],
            "unknown": [] if handed else [clean(name, 80) for name in unknown(cls)],
            "container": handed,
        }

    def use_own(self, number: int) -> dict[str, Any]:
        """From now on it is called in that way; what can be said of it."""
        own = self._own
        own.use(own.ways[number])
        with as_raised():
            params = own.params(own.base(0))
        self._places: dict[str, Place] = {shown(place): place for place in params}
        assert own.way is not None
        return {
            "called": clean(own.described(), 400),
            "params": {name: list(np.shape(params[place])) for name, place in self._places.items()},
            "decays": own.takes_decay,
            "paired": own.is_paired,
            "clips": own.clips,
            "fails": getattr(own.way, "fails", False),
            "source": own.way.source,
            "rated": own.is_rated,
            "rows": own.way.data.rows,
            "outputs": own.way.data.outputs,
            "of_outputs": own.way.of_outputs,
            "composed": isinstance(own, Composed),
            "several": clean(own.way.several, 160),
            "nodes": isinstance(own.base(0), OfNodes),
            "small": small_constants(type(own.base(0))),
            "by_functions": own.by_functions,
            "unseen": [clean(one, 160) for one in own.unseen],
        }

    def own_losses(self, case: int, decays: bool, moves: Sequence[Sequence[Any]]) -> Any:
        """Its loss after each move [name, which number, by how much]."""
        with as_raised():
            known = [(self._places[name], int(at), float(by)) for name, at, by in moves]
            return self._own.losses(case, decays, known)

    def own_outputs(self, case: int, decays: bool, moves: Sequence[Sequence[Any]]) -> Any:
        """Its outputs after each move, a row each."""
        with as_raised():
            known = [(self._places[name], int(at), float(by)) for name, at, by in moves]
            return plain(self._own.outputs(case, decays, known))

    def own_labels(self, case: int) -> Any:
        """The labels of that case."""
        return plain(np.asarray(self._own.data(case).t))

    def own_values(self, case: int, decays: bool) -> dict[str, Any]:
        """Its parameters in that case."""
        with as_raised():
            base = self._own.base(case, decays)
            return {name: np.array(self._own.at(base, place), float) for name, place in self._places.items()}

    def own_gradients(self, case: int, decays: bool) -> dict[str, Any]:
        """Parameter -> gradient, as it gives them."""
        with as_raised():
            grads = self._own.gradients(case, decays)
            names = {place: name for name, place in self._places.items()}
            return {names[place]: plain(np.asarray(grad)) for place, grad in grads.items() if place in names}

    def own_rows(self, few: int, row: int | None) -> bool:
        """From now on of one that states no loss so many rows are taken (0: all), or that row alone."""
        self._own.few, self._own.row = few, row
        return True

    def own_line(self, name: str) -> str:
        """Where its source computes the gradient of a parameter."""
        return clean(self._own.line(self._places[name]), 120)

    def own_looked(self, case: int) -> dict[str, Any]:
        """What the calls of its layers show of a container, in words, with the lines."""
        assert isinstance(self._own, Container | Composed)
        with as_raised():
            found = self._own.looked_at(case)
            file = (inspect.getsourcefile(type(self._own.base(case))) or "").rpartition("/")[2]
        for key in ("forward", "backward", "start", "step"):
            broken = found[key]
            line = f" ({file}, line {broken.line})" if broken is not None and broken.line else ""
            found[key] = "" if broken is None else clean(broken.says + line, 400)
        return {**found, **{key: [clean(one, 80) for one in found[key]] for key in ("wrong", "unknown")}}
