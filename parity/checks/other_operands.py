"""An operator of an autograd engine with a plain number beside the node, another exponent, or an axis.

`x - 3` is no call of its layer, in which both operands are nodes; an engine may take the number with the
wrong sign, or give the gradient of a sum along one axis to another. What it refuses is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from parity.adapters.engine_expressions import DX, OF_THREE, OUT, OVER, three_axes
from parity.adapters.subject import Subject
from parity.adapters.wire import Odd
from parity.checks.engine_gate import engine_gate
from parity.comparison.gates import Comparison
from parity.kinds import Probe, kind_of
from scratchcnn.typing import Array

OTHER_OPERANDS = "plain numbers and axes"
X = np.array([[1.5, -2.0, 0.5], [3.0, -0.25, 2.5], [-1.0, 4.0, -3.5]])
SLOPE = np.array([[1.0, -2.0, 0.5], [3.0, 1.5, -1.0], [-0.5, 2.0, 4.0]])
Right = tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]  # out, and dx for a slope


def _put(where: Any, slope: Array) -> Array:
    """An array of 0, with the gradient at one place."""
    found = np.zeros(X.shape)
    found[where] = slope
    return found


def _extreme(of: Any, at: Any, axis: int, keepdims: bool = False) -> Right:
    """The largest or smallest along an axis, and the gradient, at its place alone."""
    places = np.expand_dims(at(X, axis=axis), axis)
    first = np.s_[:, :1] if keepdims else np.s_[0]

    def dx(x: Array, slope: Array) -> Array:
        found = np.zeros(x.shape)
        own = slope[first] if keepdims else np.expand_dims(slope[first], axis)
        np.put_along_axis(found, places, own, axis)
        return found

    return lambda x: of(x, axis=axis, keepdims=keepdims), dx


TURNED: Right = (
    lambda x: x.transpose(2, 0, 1),
    lambda x, slope: three_axes(slope).transpose(1, 2, 0),
)
RIGHT: dict[str, Right] = {
    "x.max(axis=0)": _extreme(np.max, np.argmax, 0),
    "x.max(axis=1)": _extreme(np.max, np.argmax, 1),
    "x.max(axis=1, keepdims)": _extreme(np.max, np.argmax, 1, True),
    "x.min(axis=0)": _extreme(np.min, np.argmin, 0),
    "x.min(axis=1)": _extreme(np.min, np.argmin, 1),
    "x.min(axis=1, keepdims)": _extreme(np.min, np.argmin, 1, True),
    "x + 3": (lambda x: x + 3, lambda x, slope: slope),
    "x - 3": (lambda x: x - 3, lambda x, slope: slope),
    "x * 3": (lambda x: x * 3, lambda x, slope: 3 * slope),
    "x / 4": (lambda x: x / 4, lambda x, slope: slope / 4),
    "3 + x": (lambda x: x + 3, lambda x, slope: slope),
    "3 * x": (lambda x: x * 3, lambda x, slope: 3 * slope),
    "x ** 3": (lambda x: x**3, lambda x, slope: 3 * x**2 * slope),
    f"x ** 0.5, {OVER}": (np.sqrt, lambda x, slope: slope / (2 * np.sqrt(x))),
    f"x ** -1, {OVER}": (lambda x: 1 / x, lambda x, slope: -slope / x**2),
    f"x.log(), {OVER}": (np.log, lambda x, slope: slope / x),
    f"x.sqrt(), {OVER}": (np.sqrt, lambda x, slope: slope / (2 * np.sqrt(x))),
    "x.abs() + x.abs()": (lambda x: 2 * np.abs(x), lambda x, slope: 2 * np.sign(x) * slope),
    "abs(x) + abs(x)": (lambda x: 2 * np.abs(x), lambda x, slope: 2 * np.sign(x) * slope),
    f"{OF_THREE}, .transpose(2, 0, 1)": TURNED,
    f"{OF_THREE}, .transpose((2, 0, 1))": TURNED,
    "x[1]": (lambda x: x[1], lambda x, slope: _put(np.s_[1], slope[0])),
    "x[:, 1]": (lambda x: x[:, 1], lambda x, slope: _put(np.s_[:, 1], slope[0])),
    "x[1:]": (lambda x: x[1:], lambda x, slope: _put(np.s_[1:], slope[1:])),
    "x[[0, 0, 2]]": (
        lambda x: x[[0, 0, 2]],
        lambda x, slope: np.stack([slope[0] + slope[1], 0 * slope[0], slope[2]]),
    ),
    "x ** 2 + x ** 2": (lambda x: 2 * x**2, lambda x, slope: 4 * x * slope),
    "x.sum(axis=0)": (lambda x: x.sum(axis=0), lambda x, slope: 0 * x + slope[0]),
    "x.sum(axis=1)": (lambda x: x.sum(axis=1), lambda x, slope: 0 * x + slope[0][:, None]),
    "x.sum(axis=1, keepdims)": (
        lambda x: x.sum(axis=1, keepdims=True),
        lambda x, slope: 0 * x + slope[:, :1],
    ),
    "x.mean(axis=0)": (lambda x: x.mean(axis=0), lambda x, slope: 0 * x + slope[0] / 3),
    "x.mean(axis=1)": (lambda x: x.mean(axis=1), lambda x, slope: 0 * x + slope[0][:, None] / 3),
    "x.mean(axis=1, keepdims)": (
        lambda x: x.mean(axis=1, keepdims=True),
        lambda x, slope: 0 * x + slope[:, :1] / 3,
    ),
}


def other_operands(subject: Subject, probe: Probe, judge: Any) -> Iterator[tuple[str, Comparison]]:
    """An operator of an autograd engine takes plain numbers, and a sum an axis."""
    kind = kind_of(probe.kind)
    if subject.convention is not None or "x" not in probe.inputs or kind.role == "function":
        return
    found = subject.build(probe).expressions(X, SLOPE)
    for says, (out, dx) in RIGHT.items():
        if isinstance(refusal := found.get(says), Odd):
            subject.leave_unasked(f"{says} ({refusal.why})")
        x = np.abs(X) if OVER in says else three_axes(X) if OF_THREE in says else X
        for tensor, right in ((OUT + says, out(x)), (DX + says, dx(x, SLOPE))):
            if tensor in found:
                yield tensor, engine_gate(found[tensor], right, kind.rtol)
