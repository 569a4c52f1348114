"""Functions of gradient descent that take each weight, each bias and each gradient by itself:
`update_parameters(W1, b1, W2, b2, dW1, db1, dW2, db2, lr)`.

Names tell which gradient is of which array. The arrays take the places in turn, with others in the rest of
them, so that a place in which something else comes out shows. Needs NumPy alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from parity.adapters.arguments import Misfit, plain
from parity.adapters.array_lists import in_layers, taken_over
from parity.adapters.layers_given import nobodys
from parity.adapters.logarithms import definition_of
from parity.adapters.optimizer_names import DECAYS, RATES

if TYPE_CHECKING:
    from parity.adapters.rule import Rule

ARGUMENTS = "arguments"
Arrays = dict[str, Any]
ARRAY = re.compile("(w|weights?|theta|b|bias|biases)([0-9]+|out|o|hidden|h|ih|ho|xh|hh|hy)?")
BEFORE = "(d|grad|grads|gradient|nabla|delta|d[a-z]{1,4}d)"  # the array's name, as in dC_dw1
AFTER = "(grad|grads|gradient)"


def pairs_of(names: Iterable[str]) -> list[tuple[str, str]]:
    """Each array with its gradient, in their order, of at least a weight and one other; nothing where a name
    is neither of these nor a rate or a weight decay."""
    left = [name for name in names if plain(name) not in (*RATES, *DECAYS)]
    arrays = [name for name in left if ARRAY.fullmatch(plain(name))]
    found = []
    for array in arrays:
        own = re.compile(f"{BEFORE}{plain(array)}|{plain(array)}{AFTER}")
        slopes = [name for name in left if own.fullmatch(plain(name)) and name not in arrays]
        found += [(array, slope) for slope in slopes[:1]]
    taken = {name for pair in found for name in pair}
    return found if len(found) > 1 and len(found) == len(arrays) and taken == {*left} else []


def is_descent_of_arguments(names: Sequence[str]) -> bool:
    """Whether they are arrays, their gradients and one rate."""
    return bool(pairs_of(names)) and sum(plain(name) in RATES for name in names) == 1


def arguments(rule: Rule, params: Arrays, grads: Arrays) -> None:
    """A step: each layer, or array, has each place once."""
    pairs = pairs_of(rule.how.order)
    places = _places(pairs)
    with_biases = any(len(place) > 1 for place in places)
    layers = in_layers(params) if with_biases else [(name, "") for name in params]
    order = _returned(rule.factory) or [array for array, _ in pairs]
    for layer in layers:
        found = [_step(rule, places, at, layer, params, grads, order) for at in range(len(places))]
        for i, name in enumerate(layer):
            if name:
                own = [one[i] for one in found]
                other = (one for one in own if not np.array_equal(one, own[0], equal_nan=True))
                taken_over({name: params[name]}, {name: next(other, own[0])})


def _places(pairs: Sequence[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """The places of one layer each: its weight with its gradient, and its bias if it has one."""
    weights = [pair for pair in pairs if not plain(pair[0]).startswith("b")]
    biases = {_number(pair[0]): pair for pair in pairs if pair not in weights}
    return [[pair, *([biases[_number(pair[0])]] if _number(pair[0]) in biases else [])] for pair in weights]


def _number(name: str) -> str:
    found = ARRAY.fullmatch(plain(name))
    return (found[2] or "") if found else ""


def _step(
    rule: Rule,
    places: Sequence[Sequence[tuple[str, str]]],
    at: int,
    layer: tuple[str, str],
    params: Arrays,
    grads: Arrays,
    order: Sequence[str],
) -> list[Any]:
    """What becomes of a layer's arrays in that place; other arrays of their shapes are in the rest."""
    weight = params[layer[0]]
    own = [weight, params[layer[1]] if layer[1] else nobodys(weight)]
    slopes = [grads[layer[0]], grads[layer[1]] if layer[1] else nobodys(weight)]
    given: Arrays = {}
    for number, place in enumerate(places):
        for (array, slope), a, g in zip(place, own, slopes, strict=False):
            shift = 0.0 if number == at else number + 1.0
            given |= {array: a + shift, slope: g - shift}
    found = rule.function(**given, **rule.numbers_given())
    if isinstance(found, dict):
        given |= {name: found[name] for name in given if name in found}
    elif isinstance(found, (tuple, list)):
        if len(found) != len(order):
            raise Misfit(f"it returned {len(found)} arrays for {len(order)}")
        given |= dict(zip(order, found, strict=True))
    return [given[array] for array, _ in places[at]]


def _returned(function: Any) -> list[str]:
    """The names of the arrays in the order in which it returns them, where its source shows it."""
    node = definition_of(function)
    returns = [part.value for part in ast.walk(node) if isinstance(part, ast.Return)] if node else []
    last = returns[-1] if returns else None
    names = [one.id for one in last.elts if isinstance(one, ast.Name)] if isinstance(last, ast.Tuple) else []
    taken = {arg.arg for arg in node.args.args} if node else set()
    return names if isinstance(last, ast.Tuple) and len(names) == len(last.elts) and {*names} <= taken else []
