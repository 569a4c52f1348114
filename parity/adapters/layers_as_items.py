"""Layers that are no objects with an attribute for each array: dicts of arrays and their gradients, and what
has one array alone. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from parity.adapters.layers_given import BIASES, WEIGHTS, Arrays, Names, Weight, nobodys, slopes_of


class Items(dict[str, Any]):
    """A dict that is told from others by what it is, so that it may be a key of another one."""

    trainable = True

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)


class LayerOfItems:
    """A layer that is a dict: `layer["W"]` and `layer["dW"]`, under every name that they may have."""

    def __init__(self, names: Sequence[str], number: int, called: Names):
        self.keys = dict(zip(names, ("W", "b"), strict=False))
        self.called, self.name, self.handed = called, f"layer{number}", Items()

    def _aliases(self, key: str) -> list[str]:
        return [*(WEIGHTS if key == "W" else BIASES), *(name for name, _ in self.called.get(key, ()))]

    def give(self, params: Arrays, grads: Arrays) -> None:
        """These arrays; a layer without a bias has one that is nobody's."""
        names = {key: name for name, key in self.keys.items()}
        for key in ("W", "b"):
            array = params[names[key]] if key in names else nobodys(params[names["W"]])
            slope = grads[names[key]] if key in names else np.zeros_like(array)
            slopes = [*slopes_of(self._aliases(key)), *(name for _, name in self.called.get(key, ()))]
            self.handed.update(dict.fromkeys(slopes, slope))
            self.handed.update(dict.fromkeys(self._aliases(key), array))

    def taken(self, params: Arrays) -> Arrays:
        """What the arrays are now, by the names that they were given under."""
        found = {}
        for name, key in self.keys.items():
            now = (self.handed[alias] for alias in self._aliases(key))
            found[name] = next((array for array in now if array is not params[name]), params[name])
        return found


class LayerOfOne:
    """A layer that has one array alone, as a parameter under a weight's names."""

    def __init__(self, names: Sequence[str], number: int, called: Names):
        self.keys = {names[0]: "W"}
        self.name, self.handed = f"layer{number}", Weight().called(called)

    def give(self, params: Arrays, grads: Arrays) -> None:
        """Its array and the gradient of it."""
        (name,) = self.keys
        self.handed.give(params[name], grads[name])

    def taken(self, params: Arrays) -> Arrays:
        """What the array is now, by the name that it was given under."""
        (name,) = self.keys
        return {name: self.handed.taken(params[name])}


class LayerOfNone:
    """A layer that has no arrays, as that of the input."""

    trainable = False

    def get_weights(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    get_params = get_parameters = params = parameters = weights = get_weights
    get_grads = get_gradients = grads = gradients = get_weights_grad = get_weights_gradients = get_weights
