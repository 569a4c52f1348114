"""Optimizers in the ways that people call them. Needs NumPy alone.

dicts    update(params, grads), dicts of arrays by name
lists    the same with lists
arrays   update(w, dw) -> w, or w changed in place; an optimizer for each array
layer    update_params(layer), with .weights, .biases, .dweights, .dbiases
params   cls(params, lr), then step(); each parameter has .data and .grad
config   a function (w, dw, config) -> w, config
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from parity.adapters.arguments import bind, call, signature
from parity.adapters.convention import Convention
from parity.adapters.meanings import plain
from parity.adapters.recipe import recipe
from parity.kinds.probe import Probe

STEP = (
    *("update", "step", "updateparams", "updateweights", "updateparameters", "apply", "applygradients"),
    *("optimize", "applygradient", "__call__", "call", "updates", "fit", "get_updates"),
)
HANDED = ("params", "parameters", "modelparams", "modelparameters", "layers", "weights")
BEFORE, AFTER = ("pre_update_params",), ("post_update_params",)


def rules(about: dict[str, Any], kind: str) -> Iterator[Convention]:
    """The ways in which it may be called, by names and number of parameters; the likeliest first."""
    base = Convention(kind, about["name"])
    signature = about["signature"] or []
    if about["what"] == "function":
        if len(signature) >= 2:
            yield _with(base, "config", about["names"][0])
        return
    handed = bool(signature) and plain(signature[0]["name"]) in HANDED
    for word in STEP:
        for name in [n for n in about["methods"] if n == word or (plain(n) == word and n[0] != "_")]:
            required = [p for p in about["methods"][name] or () if p is not None and p["required"]]
            styles = {0: ("params",) if handed else (), 1: ("layer",), 2: ("dicts", "arrays", "lists")}
            for style in styles.get(len(required), ()):
                yield _with(base, style, name)


def _with(base: Convention, style: str, method: str) -> Convention:
    return replace(base, rule=style, forward=method)


class Rule:
    """An optimizer under such a convention."""

    def __init__(self, convention: Convention, factory: Any, probe: Probe):
        self.how, self.factory, self.kind, self.args = convention, factory, probe.kind, dict(probe.args)
        self.made: dict[str, Any] = {}
        self.handed: list[Any] = []

    def _new(self, *first: Any) -> Any:
        how = recipe(self.kind)
        if not first:
            return call(self.factory, self.args, how)
        bound = bind(list(signature(self.factory) or ())[len(first) :], how)
        given = {name: self.args[of[0]] for name, of in bound.items() if of[0] in self.args}
        return self.factory(*first, **given)

    def _one(self, name: str) -> Any:
        if name not in self.made:
            self.made[name] = self._new()
        return self.made[name]

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """One step: the arrays of params are changed."""
        getattr(self, f"_{self.how.rule}")(params, grads)

    def _dicts(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        arrays = dict(params)
        found = getattr(self._one(""), self.how.forward)(params, grads)
        _taken_over(arrays, found if isinstance(found, dict) and found.keys() == arrays.keys() else params)

    def _lists(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        given = list(params.values())
        found = getattr(self._one(""), self.how.forward)(given, list(grads.values()))
        new = found if isinstance(found, (list, tuple)) and len(found) == len(params) else given
        _taken_over(params, dict(zip(params, new, strict=True)))

    def _arrays(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        for name, w in params.items():
            new = getattr(self._one(name), self.how.forward)(w, grads[name])
            if new is not None:
                w[...] = new

    def _layer(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        optimizer = self._one("")
        _all_of(optimizer, BEFORE)
        for number, (weights, biases) in enumerate(_in_layers(params)):
            layer = self.made.setdefault(f"layer {number}", SimpleNamespace())
            shown = {"weights": weights, "biases": biases}
            for attribute, name in shown.items():
                setattr(layer, attribute, params[name] if name else np.zeros(1))
                setattr(layer, f"d{attribute}", grads[name] if name else np.zeros(1))
            getattr(optimizer, self.how.forward)(layer)
            for attribute, name in shown.items():
                if name:
                    _taken_over({name: params[name]}, {name: getattr(layer, attribute)})
        _all_of(optimizer, AFTER)

    def _params(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        if not self.handed:
            self.handed = [SimpleNamespace(data=p, grad=None) for p in params.values()]
            self.made[""] = self._new(self.handed)
        for parameter, name in zip(self.handed, params, strict=True):
            parameter.data, parameter.grad = params[name], grads[name]
        getattr(self.made[""], self.how.forward)()
        for parameter, name in zip(self.handed, params, strict=True):
            _taken_over({name: params[name]}, {name: parameter.data})

    def _config(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        start = {"learning_rate" if k == "lr" else k: v for k, v in self.args.items()}
        for name, w in params.items():
            config = self.made.get(name, dict(start))
            new, self.made[name] = self.factory(w, grads[name], config)
            w[...] = new


def _in_layers(params: dict[str, Any]) -> list[tuple[str, str]]:
    """Each array of weights with a bias, as long as there are any."""
    biases = [name for name, p in params.items() if p.ndim == 1]
    weights = [name for name in params if name not in biases]
    return [(name, biases[i] if i < len(biases) else "") for i, name in enumerate(weights)]


def _all_of(optimizer: Any, names: tuple[str, ...]) -> None:
    for name in names:
        if callable(getattr(optimizer, name, None)):
            getattr(optimizer, name)()


def _taken_over(arrays: dict[str, Any], new: dict[str, Any]) -> None:
    """New arrays are written into those that were handed over."""
    for name, array in arrays.items():
        if new[name] is not array:
            array[...] = new[name]
