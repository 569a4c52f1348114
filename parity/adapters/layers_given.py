"""Layers and models to hand to an optimizer that asks for them, each array where such code looks for it.

Weights and biases are set together in layers. Whatever the optimizer does, in place or by a new array in the
old one's place, is read back. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from parity.adapters.arguments import plain

Arrays = dict[str, Any]
FORMS = {
    "dicts": ".params and .grads, dicts",
    "lists": ".params and .grads, lists",
    "attributes": "an attribute for each array (.W, .dW, ...)",
    "objects": ".parameters() with .data and .grad",
}
WAYS = {  # who gets the layers
    "layers": "a list of layers that have {}",
    "layer": "each layer, which has {}",
    "model": "a model whose .layers have {}",
    "whole": "a model that has {}",
    "held layers": "nothing: layers come to the constructor, which have {}",
    "held model": "nothing: a model comes to the constructor, whose .layers have {}",
}
WORDS = {f"{way}, {form}": text.format(has) for way, text in WAYS.items() for form, has in FORMS.items()}
LAYERS, LAYER = ("layers", "layerlist", "modules"), ("layer", "module", "l")
MODEL = ("model", "net", "network", "nn", "neuralnetwork")
WEIGHTS, BIASES = ("W", "weights", "weight", "w"), ("b", "biases", "bias", "B")
SLOPES = ("d{}", "grad_{}", "{}_grad", "{}_gradient")
VALUES = ("data", "value", "val", "array", "params", "param", "_data")  # of a parameter that is an object
GRADS = ("grad", "grads", "gradient", "_grad")


def ways_for(name: str, held: bool = False) -> list[str]:
    """How a parameter of that name is handed layers, one layer or a model; the likeliest form first."""
    word, before = plain(name), "held " if held else ""
    way = "layers" if word in LAYERS else "model" if word in MODEL else ""
    way = "layer" if word in LAYER and not held else way
    found = [f"{before}{way}, {form}" for form in FORMS] if way else []
    itself = ["whole, dicts", "layer, attributes", "layer, lists"]  # a model that is its own only layer
    return [*found, *(itself if way == "model" and not held else ())]


class _Called(dict[str, Any]):
    """Arrays by name: `layer.params` and `layer.params()`."""

    def __call__(self) -> _Called:
        return self


class _CalledList(list[Any]):
    def __call__(self) -> _CalledList:
        return self


class SlopesByName(dict[str, Any]):
    """The gradients of one layer's weight and bias, `W` and `b`, under any name that they may have."""

    def __missing__(self, name: str) -> Any:
        for key, aliases in (("W", WEIGHTS), ("b", BIASES)):
            if name in aliases or name in [slope.format(alias) for slope in SLOPES for alias in aliases]:
                return self[key]
        raise KeyError(name)

    def get(self, name: Any, default: Any = None) -> Any:
        """As a dict's."""
        try:
            return self[name]
        except KeyError:
            return default

    def __contains__(self, name: object) -> bool:
        return self.get(name) is not None


class Parameter:
    """What a framework makes of an array that is trained, under every name that it may have there."""

    requires_grad = trainable = True
    skip_decay = False

    def give(self, array: Any, slope: Any) -> None:
        """This array and its gradient."""
        self.shape, self.size, self.ndim, self.dtype = array.shape, array.size, array.ndim, array.dtype
        for names, held in ((VALUES, array), (GRADS, slope)):
            for name in names:
                setattr(self, name, held)

    def taken(self, array: Any) -> Any:
        """What the array is now: the same one, or what was put in its place."""
        return next((now for name in VALUES if (now := getattr(self, name)) is not array), array)


class Layer:
    """One layer that holds a weight and its bias in one of the FORMS; a whole model holds every array so."""

    trainable = training = True

    def __init__(self, names: Sequence[str], form: str, number: int, whole: bool = False):
        self.keys = {n: n for n in names} if whole else dict(zip(names, ("W", "b"), strict=False))
        self.form, self.name, self.id = form, f"layer{number}", number
        self.objects: list[Parameter] = []
        self.params: Any = None
        self.grads: Any = None

    def give(self, params: Arrays, grads: Arrays | None) -> None:
        """These arrays, where an optimizer looks for them; without gradients, attributes of weights alone."""
        if self.form == "attributes":
            self._set(params, grads)
            return
        names = {key: name for name, key in self.keys.items()}
        if self.form == "objects":
            self.objects = self.objects or [Parameter() for _ in names]
            for parameter, name in zip(self.objects, names.values(), strict=True):
                parameter.give(params[name], (grads or {})[name])
            self.params = self.parameters = self.get_params = _CalledList(self.objects)
            return
        both: list[Any] = []
        for arrays in (params, grads or {}):
            own = {key: arrays[name] for key, name in names.items()}
            both.append(_Called(own) if self.form == "dicts" else _CalledList(own.values()))
        self.params = self.parameters = self.get_params = self.get_parameters = both[0]
        self.grads = self.gradients = self.get_grads = self.get_gradients = both[1]

    def _set(self, params: Arrays, grads: Arrays | None) -> None:
        """Under every name; a layer without a bias has one that is nobody's."""
        names = {key: name for name, key in self.keys.items()}
        for key, aliases in (("W", WEIGHTS), ("b", BIASES)):
            array = params[names[key]] if key in names else np.zeros(1)
            for alias in aliases:
                setattr(self, alias, array)
            if grads is None:
                continue
            slope = grads[names[key]] if key in names else np.zeros(1)
            for name in [form.format(alias) for form in SLOPES for alias in aliases]:
                setattr(self, name, slope)

    def params_and_grads(self) -> Iterator[tuple[Any, Any]]:
        """Pairs of an array and its gradient."""
        named: Any = self.keys.values() if self.form == "dicts" else range(len(self.keys))
        return ((self.params[at], self.grads[at]) for at in named)

    def set_params(self, params: Any) -> None:
        """New arrays for the old ones."""
        self.params = params

    set_parameters = set_params

    def taken(self, params: Arrays) -> Arrays:
        """What the arrays are now, by the names that they were given under."""
        found = {}
        for at, (name, key) in enumerate(self.keys.items()):
            if self.form == "attributes":
                aliases = [getattr(self, alias) for alias in (WEIGHTS if key == "W" else BIASES)]
                found[name] = next((a for a in aliases if a is not params[name]), params[name])
            elif self.form == "objects":
                found[name] = self.objects[at].taken(params[name])
            else:
                found[name] = self.params[key if self.form == "dicts" else at]
        return found


class Model:
    """The layers, as a model shows them."""

    def __init__(self, layers: Sequence[Layer]):
        self.layers = self.modules = list(layers)

    def params_and_grads(self) -> Iterator[tuple[Any, Any]]:
        """Pairs of an array and its gradient, of all layers."""
        return (pair for layer in self.layers for pair in layer.params_and_grads())

    def parameters(self) -> list[Any]:
        """The parameters of all layers, in a list."""
        return [one for layer in self.layers for one in layer.parameters()]

    get_params = get_parameters = params = parameters

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)
