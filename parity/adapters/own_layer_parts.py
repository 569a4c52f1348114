"""What can be read off a layer that is none of the kinds, and off what it gives.

Needs NumPy alone.
"""

from __future__ import annotations

import ast
import inspect
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.network_arrays import Place, inside
from parity.adapters.network_builds import RATE
from parity.adapters.network_gradients import Arrays, shape_fits
from parity.adapters.network_words import is_gradient, may_be_trained
from parity.adapters.own_layer_words import BACKWARDS, FORWARDS, SLOPES, base_of_gradient
from parity.adapters.sources import tree_of_source


def methods_of(cls: type) -> tuple[str, str]:
    """The names of its forward and of its backward; "" where it has none."""
    names = method_names(cls)
    return chosen(names, FORWARDS), chosen(names, (*BACKWARDS, *SLOPES))


def method_names(cls: type) -> list[str]:
    return [
        name
        for name in dict.fromkeys(name for one in cls.__mro__ if one is not object for name in vars(one))
        if (not name.startswith("__") or name == "__call__") and callable(getattr(cls, name, None))
    ]


def chosen(names: list[str], words: tuple[str, ...]) -> str:
    """The first of these words that is one of the names, as it is written there."""
    found = {plain(name.strip("_")): name for name in reversed(names)}
    return next((found[word] for word in words if word in found), "")


def asked_of(function: Any) -> tuple[list[str], bool]:
    """The parameters that it asks for, without self, and whether it takes any number of them."""
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        return ["x"], False
    asked = [
        p.name
        for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    asked = asked[1:] if asked[:1] in (["self"], ["this"]) else asked
    return asked, any(p.kind is p.VAR_POSITIONAL for p in parameters)


def weights_of(layer: Any) -> dict[Place, Any]:
    return {
        place: value
        for place, value in inside(layer)
        if isinstance(value, np.ndarray)
        and value.dtype.kind == "f"
        and value.size
        and all(isinstance(step, int) or may_be_trained(step) for step in place)
    }


def gradients_beside(layer: Any, weights: dict[Place, Any]) -> Arrays:
    """The gradients that lie beside their weights by name: `dalpha`, `alpha_grad`."""
    found: Arrays = {}
    for place, value in weights.items():
        beside = [
            (step, held)
            for (*owner, step), held in inside(layer)
            if tuple(owner) == place[:-1] and isinstance(step, str) and step != place[-1]
        ]
        fits = [held for step, held in beside if base_of_gradient(step) == plain(str(place[-1]))]
        if len(fits) == 1 and shape_fits(np.shape(fits[0]), np.shape(value)):
            found[place] = np.asarray(fits[0])
    return found


def with_gradients_beside(layer: Any, later: Any) -> dict[Place, Any]:
    """Attributes, also single numbers, of which a gradient lies beside them after a backward."""
    own, after = getattr(layer, "__dict__", {}), getattr(later, "__dict__", {})
    graded = {base_of_gradient(name) for name in after if is_gradient(name) or name.startswith("d")}
    return {(name,): value for name, value in own.items() if plain(name) in graded and is_float(value)}


def is_float(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


def names_in(node: ast.AST) -> set[str]:
    return {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


def names_in_class(cls: type) -> set[str]:
    tree = tree_of_source(cls)
    return names_in(tree) if tree is not None else set()


def is_number_or_array(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return False
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fiu"
    if isinstance(value, (list, tuple)):
        return False
    return isinstance(value, (int, float, np.floating, np.integer))


def is_usable(out: Any) -> bool:
    """Whether it is an array or a number of float64 that is finite."""
    if not is_number_or_array(out):
        return False
    array = np.asarray(out)
    return array.dtype == np.float64 and array.size > 0 and bool(np.isfinite(array).all())


def what_it_is(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, (np.ndarray, np.generic)):
        bad = value.dtype.kind == "f" and not np.isfinite(value).all()
        return f"an array {np.shape(value)} of {value.dtype}" + (", not all finite" if bad else "")
    return type(value).__name__


def of_role(role: str) -> str:
    return {"out": "what forward gave", "rate": f"{RATE}", "flag": "True"}.get(role, role.removeprefix("in:"))
