"""Nesterov's in two calls: `lookahead(theta)` says where the gradient is to be taken, and `step(theta, grad)`
makes the step of the array itself.

PyTorch's parameters are where the gradient is taken. So the optimizer's own arrays are seen by nobody, and
the results are the places at which it looks next. Needs NumPy alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.array_lists import taken_over
from parity.adapters.layers_given import WEIGHTS
from parity.adapters.optimizer_names import ONE, TOGETHER

if TYPE_CHECKING:
    from parity.adapters.rule import Rule

AHEAD = re.compile(
    "(get|apply|compute|calc|to|the)*(look_?ahead|ahead)(point|position|params?|weights?|theta)?"
)
OF_ARRAYS = (*ONE, *TOGETHER, *map(plain, WEIGHTS), "x")
STYLES = {"arrays": "", "dicts": "dict"}  # of the step: a call for each array, or one for all


def method_ahead(methods: Mapping[str, Any]) -> str:
    """The method that says where the gradient is to be taken; "" for none."""
    for name, params in methods.items():
        required = [plain(p["name"]) for p in params or () if p is not None and p["required"]]
        if AHEAD.fullmatch(plain(name)) and len(required) == 1 and required[0] in OF_ARRAYS:
            return name
    return ""


def step_ahead(rule: Rule, params: dict[str, Any], grads: dict[str, Any]) -> None:
    """One step of arrays that lie ahead of the optimizer's own."""
    own = rule.states.setdefault("own", {name: array.copy() for name, array in params.items()})
    seen = rule.states.setdefault("seen", {name: array.copy() for name, array in params.items()})
    for name, array in params.items():  # it may be handed others
        own[name] = own[name] + (array - seen[name])
    if rule.how.rule == "dicts":
        found = rule.method("")(own, dict(grads))
        taken_over(own, found if isinstance(found, dict) and found.keys() == own.keys() else own)
    for name, slope in grads.items() if rule.how.rule == "arrays" else ():
        new = rule.method(name)(own[name], slope)
        own[name] = own[name] if new is None else np.array(new)
    places = _places(rule, own)
    for name, array in params.items():
        array[...] = places[name]
        seen[name] = array.copy()


def _places(rule: Rule, own: dict[str, Any]) -> dict[str, Any]:
    """Where it looks next."""
    copies = {name: array.copy() for name, array in own.items()}
    if rule.how.rule == "dicts":
        found = getattr(rule.one(""), rule.how.ahead)(copies)
        return found if isinstance(found, dict) else copies
    places = {name: getattr(rule.one(name), rule.how.ahead)(array) for name, array in copies.items()}
    return {name: copies[name] if place is None else place for name, place in places.items()}
