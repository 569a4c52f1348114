"""Rarer forms in which optimizers are handed their arrays; `Rule` calls them under these names.

lists and pairs  update(weights, biases, grads): lists of arrays, and a list of pairs of their gradients
lists of pairs   update(params, grads): a list of pairs of a weight and its bias, and one of their gradients
lists of numbers  update(params, grads): the numbers of all arrays in one list; code of arrays is not asked
dict of a layer  update(params, grads, layer_id), layer by layer: dicts of its arrays; list of a layer: lists
held array       cls(x0, lr), or set_params(x0), then step(grad) -> the new array; an optimizer for each
asked            update(w, grad_func) -> w: see `rule_asked`
run              all steps in one call: see `rule_runs`
arguments        update(W1, b1, dW1, db1, lr): see `numbered_arguments`
config           a function (w, dw, config) -> w, config: see `rule_table`

Needs NumPy alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from parity.adapters.arguments import Misfit, plain
from parity.adapters.array_lists import (
    are_like,
    both_like,
    from_two_lists,
    in_layers,
    taken_over,
    two_lists,
)
from parity.adapters.layers_given import of_layer
from parity.adapters.numbered_arguments import ARGUMENTS, arguments
from parity.adapters.rule_asked import ASKED, asked
from parity.adapters.rule_names import KEYS, is_slope
from parity.adapters.rule_runs import run
from parity.adapters.rule_table import CONFIG, config

if TYPE_CHECKING:
    from parity.adapters.rule import Rule

Arrays = dict[str, Any]


def _lists_and_pairs(rule: Rule, params: Arrays, grads: Arrays) -> None:
    own, slopes = two_lists(params), [*zip(*two_lists(grads), strict=True)]
    found = rule.method("")(*own, slopes)
    from_two_lists(params, found if both_like(found, own) else own)


def _lists_of_pairs(rule: Rule, params: Arrays, grads: Arrays) -> None:
    own = [list(pair) for pair in zip(*two_lists(params), strict=True)]
    found = rule.method("")(own, [*zip(*two_lists(grads), strict=True)])
    new = found if both_like(found, own) else own
    from_two_lists(params, [*zip(*new, strict=True)])


def _lists_of_numbers(rule: Rule, params: Arrays, grads: Arrays) -> None:
    if names_numpy(rule.factory):
        raise TypeError("it takes arrays")
    numbers, slopes = (
        [number for array in side.values() for number in array.ravel().tolist()] for side in (params, grads)
    )
    found = rule.method("")(numbers, slopes)
    new = np.array(found if isinstance(found, (list, tuple)) and are_like(found, numbers) else numbers)
    for array in params.values():
        array[...] = new[: array.size].reshape(array.shape)
        new = new[array.size :]


def _held_array(rule: Rule, params: Arrays, grads: Arrays) -> None:
    if rule.how.prepare and not rule.made and not _steps_from_what_it_is_shown(rule):
        raise Misfit(f"{rule.how.prepare}() sets something else than its array")
    arrays, _ = rule.lasting(params, grads)
    for name, array in params.items():
        found = rule.method(name, arrays[name])(grads[name])
        taken_over({name: array}, {name: found if np.shape(found) == array.shape else arrays[name]})


def _steps_from_what_it_is_shown(rule: Rule) -> bool:
    """Whether a gradient of 0 leaves it with the array that its `set_params` was shown."""
    shown, nothing = np.ones((2, 3)), np.zeros((2, 3))
    optimizer = rule.tables["shown"] = rule.new()
    rule.prepared.add(id(optimizer))
    getattr(optimizer, rule.how.prepare)(shown)
    found = rule.method_of(optimizer)(nothing)
    return np.shape(found) in ((), shown.shape) and np.allclose(shown if found is None else found, 1.0)


def _of_one_layer(rule: Rule, params: Arrays, grads: Arrays) -> None:
    lists = rule.how.rule.startswith("list")
    asked = [plain(one["name"]) for one in rule.asked()]
    for number, (weights, bias) in enumerate(in_layers(params)):
        own, slopes = of_layer(params, grads, weights, bias, lists)
        values = [number if word in KEYS else slopes if is_slope(word) else own for word in asked]
        found = rule.method("")(*values)
        alike = type(found) is list if lists else isinstance(found, dict) and own.keys() <= found.keys()
        new = found if alike else own
        for at, key, name in ((0, "W", weights), (1, "b", bias)):
            if name:
                taken_over({name: params[name]}, {name: new[at if lists else key]})


RUN = "run"
FORMS: dict[str, Callable[[Rule, Arrays, Arrays], None]] = {
    "lists and pairs": _lists_and_pairs,
    "lists of pairs": _lists_of_pairs,
    "lists of numbers": _lists_of_numbers,
    "held array": _held_array,
    "dict of a layer": _of_one_layer,
    "list of a layer": _of_one_layer,
    RUN: run,
    CONFIG: config,
    ASKED: asked,
    ARGUMENTS: arguments,
}


def names_numpy(factory: Any) -> bool:
    """Whether the code of a class or function names NumPy."""
    classes = factory.__mro__[:-1] if isinstance(factory, type) else ()
    own = [factory, *(one for cls in classes for one in vars(cls).values())]
    return any({"np", "numpy"} & {*one.__code__.co_names} for one in own if inspect.isfunction(one))
