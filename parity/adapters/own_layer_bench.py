"""The requests about a layer that is none of the kinds: how it is called, and what can be moved.

Its results after moves and its gradients are asked for as those of a network without a reference are.
Needs NumPy alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.adapters.bench import as_raised
from parity.adapters.graph_functions import GraphLayer, dressed
from parity.adapters.load import load
from parity.adapters.own_embedding import IndexedLayer
from parity.adapters.own_layer import OwnLayer
from parity.adapters.own_network_bench import MOST_TRIED, OwnNetworkBench
from parity.adapters.wire import clean


class OwnLayerBench(OwnNetworkBench):
    """One layer, loss or function whose gradients are to be compared with its own forward."""

    def open_layer(self, target: str | None) -> dict[str, Any]:
        """Load it and find the ways in which it can be called."""
        with as_raised():
            layer = layer_of(load(target) if target is not None else self._factory)
            if layer.forward_name and layer.backward_name:
                layer.search()
        self._layer = layer
        self._own: Any = layer
        return {
            "class": clean(layer.name, 80),
            "ways": len(layer.ways),
            "tried": [clean(text, 300) for text in layer.tried[:MOST_TRIED]],
            "ran": layer.ran,
        }

    def one_slope(self, on: bool) -> None:
        """Whether from now on all numbers of dout but one are 0."""
        self._layer.one_slope = on

    def use_layer(self, number: int) -> dict[str, Any]:
        """From now on it is called in that way; what can be said of it."""
        layer = self._layer
        with as_raised():
            layer.use(way := layer.ways[number])
            base, without = layer.base(0), layer.without_gradient()
            self._places = {layer.shown(place): place for place in layer.places}
            shapes = {
                name: way.inputs.shapes[str(place[1])]
                if place[0] == "input"
                else np.shape(layer.at(base, place))
                for name, place in self._places.items()
            }
        return {
            "called": clean(layer.described(), 400),
            "without": [clean(name, 80) for name in without],
            "params": {name: list(shape) for name, shape in shapes.items()},
            "inputs": [name for name, place in self._places.items() if place[0] == "input"],
            "form": way.form.name,
            "single": way.form.single,
            "cases": way.form.cases,
            "sure": way.sure,
            "looks_for_one": layer.looks_for_one,
            "before_softmax": layer.before_softmax,
            "other": clean(layer.other_words(), 120),
            "rows": layer.gives_rows(),
            "every": layer.every_form(),
        }


def layer_of(found: Any) -> OwnLayer:
    """Somebody's layer, in the way in which it is to be called."""
    return GraphLayer(found) if dressed(found) is not None else IndexedLayer(found)
