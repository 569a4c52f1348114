"""Optimizers that return what is to be added to the arrays, or taken off them: of gradients alone, or of
arrays and gradients, where it stands in the place of new arrays.

Which of both is what the source says, or else what shows in the first step, which goes against the gradient;
every later one must have that sign. Where nothing is handed the rate, the step is what the rate is multiplied
by. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]
ADDED, TAKEN_OFF = "added to its array", "taken off its array"  # how `Convention.returns` begins
IGNORED = "not looked at: its array is changed in place"


class Steps:
    """What becomes of the arrays by the steps that one optimizer, or several of a kind, return.

    returns  what is known to become of them, as `Convention.returns` says it; "" for nothing
    rate   what a step is multiplied by
    sign   -1 where it is taken off the array; 0 as long as no step has shown it
    """

    def __init__(self, returns: str = "") -> None:
        self.rate = 1.0
        self.sign = 1 if returns.startswith(ADDED) else -1 if returns.startswith(TAKEN_OFF) else 0

    def in_places(self, update: Callable[[Any, Any], None], arrays: Arrays, grads: Arrays) -> None:
        """The arrays after an update that writes steps into their places."""
        before = {name: array.copy() for name, array in arrays.items()}
        update(arrays, grads)
        steps = {name: array.copy() for name, array in arrays.items()}
        for name, array in arrays.items():
            array[...] = before[name]
        self.taken(arrays, grads, steps)

    def taken(self, arrays: Arrays, grads: Arrays, steps: Arrays) -> None:
        """The arrays after these steps. Raises TypeError for what has not the shape of its array."""
        for name, array in arrays.items():
            step = steps[name]
            if np.shape(step) != array.shape:
                raise TypeError(f"returned {np.shape(step)} for a gradient of {array.shape}")
            if not self.sign:
                along = float(np.sum(np.asarray(step) * grads[name]))
                self.sign = -1 if along > 0 else 1 if along < 0 else 0
            array[...] = array + self.sign * self.rate * np.asarray(step)


def ignoring(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as if it returned nothing, or nothing before its state."""

    def silent(*arrays: Any, **named: Any) -> Any:
        found = function(*arrays, **named)
        return (None, *found[1:]) if isinstance(found, tuple) else None

    return silent
