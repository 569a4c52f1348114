"""What a layer that steps by an optimizer of its own is handed: it makes the step, and shows the gradient.

The change of each weight is then the rate times its gradient. Needs NumPy alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

RATE = 2.0**20  # of a layer that updates itself: its weights are then small beside the change


class RecordingOptimizer:
    """One step of gradient descent at `RATE`, however it is asked for one.

    update(w, dw) -> w; lists of both; dicts of both, changed in place; update(w, b, dw, db) -> w, b
    """

    lr = learning_rate = RATE

    def update(self, w: Any, grad: Any, *others: Any) -> Any:
        if isinstance(w, dict) and isinstance(grad, dict):
            return _in_place(w, grad)
        if isinstance(w, (list, tuple)):
            return [self.update(one, its) for one, its in zip(w, grad, strict=True)]
        if _are_weights_first(w, grad, others):
            return w - RATE * others[0], grad - RATE * others[1]
        return w - RATE * grad

    __call__ = update_params = step = update
    update_weights = update_parameters = optimize = apply = apply_gradients = get_update = update


def _are_weights_first(w: Any, second: Any, others: tuple[Any, ...]) -> bool:
    """Whether it is handed W, b and then their gradients, as their shapes show."""
    arrays = [np.shape(one) for one in (w, second, *others[:2])]
    return len(others) >= 2 and arrays[0] != arrays[1] and arrays[:2] == arrays[2:]


def _in_place(params: dict[Any, Any], grads: dict[Any, Any]) -> dict[Any, Any]:
    """The weights of a dict, changed by gradients of the same names, or of those with a d before."""
    for name in params:
        params[name] -= RATE * grads[name if name in grads else f"d{name}"]
    return params
