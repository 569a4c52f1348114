"""Optimizers that are handed the gradient as a function: `update(w, grad_func) -> w`, an optimizer for each.

The function gives the gradient of the step, wherever it is asked; that must be once a step, and at the array
itself. Nesterov's asks ahead of its array, where PyTorch has its parameters: the places at which
it asks are compared, and that of the next step is where a copy of it asks. Needs NumPy alone.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from parity.adapters.rule import Rule

ASKED = "asked"


class Gradient:
    """The gradient as a function, and where it was asked."""

    def __init__(self, slope: Any):
        self.slope, self.places = slope, list[Any]()

    def __call__(self, at: Any, *_: Any) -> Any:
        self.places.append(np.array(at))
        return self.slope.copy()

    @property
    def place(self) -> Any:
        """Where it was asked; raises TypeError where that was not once, or not at an array."""
        if len(self.places) != 1 or self.places[0].shape != self.slope.shape:
            raise TypeError(f"asks for the gradient {len(self.places)} times in a step, or at no array")
        return self.places[0]


def asked(rule: Rule, params: dict[str, Any], grads: dict[str, Any]) -> None:
    """One step of each array."""
    for name, array in params.items():
        if rule.kind == "nesterov":
            own, ahead = rule.states.get(name, (array.copy(), array))
            own = own + (array - ahead)  # where its array is, if it is handed others
            new = _stepped(rule.one(name), rule, own, Gradient(grads[name]))
            array[...] = _next_place(rule, name, new, grads[name])
            rule.states[name] = (new, array.copy())
            continue
        new = _stepped(rule.one(name), rule, array.copy(), Gradient(grads[name]))
        if name not in rule.states and not np.array_equal(_next_place(rule, name, new, grads[name]), new):
            raise TypeError("asks for the gradient at another place than its array's")
        rule.states[name] = array[...] = new


def _next_place(rule: Rule, name: str, array: Any, slope: Any) -> Any:
    """Where it would ask in the next step."""
    gradient = Gradient(slope)
    _stepped(deepcopy(rule.one(name)), rule, array.copy(), gradient)
    return gradient.place


def _stepped(optimizer: Any, rule: Rule, own: Any, gradient: Gradient) -> Any:
    """The array after a step, a new one or that which was handed over."""
    found = rule.method_of(optimizer)(own, gradient)
    gradient.place  # noqa: B018  it must have been asked once
    return own if found is None else found
