"""Optimizers that are handed gradients alone and return what is to be added to the arrays, or taken off them.

Which of both shows in the first step, which goes against the gradient; every later one must have that sign.
Where nothing is handed the rate, the step is what the rate is multiplied by. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]


class Steps:
    """What becomes of the arrays by the steps that one optimizer, or several of a kind, return.

    rate   what a step is multiplied by
    sign   -1 where it is taken off the array; 0 as long as no step has shown it
    """

    def __init__(self) -> None:
        self.rate, self.sign = 1.0, 0

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
