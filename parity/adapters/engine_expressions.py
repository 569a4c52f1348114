"""Expressions of one operator of an autograd engine that its layer has no place for.

A plain number beside a node, exponents other than 2, and the axis of a sum: what each gives and the gradient
at x. An exception stands for what it refuses. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np

from parity.adapters.engine import Engine, as_given

OUT, DX = "out of ", "dx of "
OF_THREE = "x of three axes"
OVER = "x above 0"  # of a power that is a root, or a quotient
ALIASES = {  # that may be the same function
    "__radd__": "__add__",
    "__rmul__": "__mul__",
    "__iadd__": "__add__",
    "__isub__": "__sub__",
    "__imul__": "__mul__",
    "__itruediv__": "__truediv__",
}
AXES, KEPT = ("axis", "dim", "axes", "dims"), ("keepdims", "keepdim", "keep_dims")
BY_NUMBER: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "__add__": ("x + 3", lambda x, n: x + n),
    "__sub__": ("x - 3", lambda x, n: x - n),
    "__mul__": ("x * 3", lambda x, n: x * n),
    "__truediv__": ("x / 4", lambda x, n: x / n),
    "__radd__": ("3 + x", lambda x, n: n + x),
    "__rmul__": ("3 * x", lambda x, n: n * x),
}
POWERS: dict[str, Callable[[Any], Any]] = {
    "x ** 3": lambda x: x**3,
    f"x ** 0.5, {OVER}": lambda x: x**0.5,
    f"x ** -1, {OVER}": lambda x: x**-1,
    "x ** 2 + x ** 2": lambda x: x**2 + x**2,
}
OF_NUMBERS: dict[str, dict[str, Callable[[Any], Any]]] = {  # what the layer does not ask
    "log": {f"x.log(), {OVER}": lambda x: x.log()},
    "sqrt": {f"x.sqrt(), {OVER}": lambda x: x.sqrt()},
    "abs": {"x.abs() + x.abs()": lambda x: x.abs() + x.abs()},
    "__abs__": {"abs(x) + abs(x)": lambda x: abs(x) + abs(x)},
}
PICKED: dict[str, Callable[[Any], Any]] = {
    "x[1]": lambda x: x[1],
    "x[:, 1]": lambda x: x[:, 1],
    "x[1:]": lambda x: x[1:],
    "x[[0, 0, 2]]": lambda x: x[[0, 0, 2]],
}
OF_AXES = {"axis=0": (0, False), "axis=1": (1, False), "axis=1, keepdims": (1, True)}


def expressions(engine: Engine, name: str, x: Any, slope: Any) -> dict[str, Any]:
    """`out of SAYS` and `dx of SAYS` for each expression of that operator; what it refuses by SAYS.

    x, slope  (3, 3); of an engine of single numbers each is asked by itself
    """
    found: dict[str, Any] = {}
    for says, of in _of(engine, name).items():
        try:
            _ask(engine, says, of, x, slope, found)
        except Exception as error:
            found[says] = error
    return found


def _of(engine: Engine, name: str) -> dict[str, Callable[[Any], Any]]:
    """Each expression of an operator."""
    if name in BY_NUMBER:
        same = [
            r for r, own in ALIASES.items() if own == name and r in BY_NUMBER and _is_same(engine.cls, r, own)
        ]
        pairs = [BY_NUMBER[one] for one in (name, *same)]
        return {says: _with_number(of, float(next(filter(str.isdigit, says)))) for says, of in pairs}
    if name == "__pow__":
        left_out = () if engine.adds_up else ("x ** 2 + x ** 2",)
        return {says: of for says, of in POWERS.items() if says not in left_out}
    if name in OF_NUMBERS:
        return OF_NUMBERS[name]
    if name == "__getitem__" and engine.of_arrays:
        return PICKED
    if name == "transpose" and engine.of_arrays:
        return _of_three_axes(engine.cls)
    if name in ("sum", "mean", "max", "min") and engine.of_arrays:
        return _along_axes(engine.cls, name)
    return {}


def _is_same(cls: type, name: str, other: str) -> bool:
    return getattr(cls, name, None) is getattr(cls, other, cls)


def _with_number(of: Callable[[Any, Any], Any], number: float) -> Callable[[Any], Any]:
    def applied(x: Any) -> Any:
        try:
            return of(x, number)
        except Exception:  # it may take whole ones alone
            return of(x, int(number))

    return applied


def axis_asked_for(method: Any) -> str:
    """The name of the axis that a sum cannot do without; "" where it has a default, or asks for more."""
    try:
        _, *own = signature(method).parameters.values()
    except (TypeError, ValueError):
        return ""
    asked = [p.name for p in own if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    return asked[0] if len(asked) == 1 and asked[0] in AXES else ""


def _along_axes(cls: type, name: str) -> dict[str, Callable[[Any], Any]]:
    """x.sum(axis=0) and so on, as far as it has parameters for that."""
    try:
        own = list(signature(getattr(cls, name)).parameters)
    except (TypeError, ValueError):
        return {}
    axis = next((a for a in AXES if a in own), "")
    kept = next((k for k in KEPT if k in own), "")

    def along(at: int, keep: bool) -> Callable[[Any], Any]:
        given = {axis: at} | ({kept: True} if keep else {})
        return lambda x: getattr(x, name)(**given)

    found = {says: along(*how) for says, how in OF_AXES.items() if axis and (kept or not how[1])}
    return {f"x.{name}({says})": of for says, of in found.items()}


def _of_three_axes(cls: type) -> dict[str, Callable[[Any], Any]]:
    """x.transpose(2, 0, 1), as far as it takes axes."""
    try:
        own = signature(cls.transpose).parameters.values()  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return {}
    if any(p.kind is p.VAR_POSITIONAL for p in own):
        return {f"{OF_THREE}, .transpose(2, 0, 1)": lambda x: x.transpose(2, 0, 1)}
    of_one = any(p.name in AXES for p in own)
    return {f"{OF_THREE}, .transpose((2, 0, 1))": lambda x: x.transpose((2, 0, 1))} if of_one else {}


def three_axes(x: Any) -> Any:
    """(3, 3) -> (3, 3, 3), no two planes of which are the same."""
    return np.stack([x, 2 * x, -x], axis=2)


def _ask(
    engine: Engine, says: str, of: Callable[[Any], Any], x: Any, slope: Any, found: dict[str, Any]
) -> None:
    x = np.abs(x) if OVER in says else three_axes(x) if OF_THREE in says else x
    out = engine.values(of, [x])
    found[OUT + says] = as_given(out, x)
    seed = _seed_of(slope, out)
    if seed is not None:
        elementwise = out.shape == x.shape and says not in PICKED
        found[DX + says] = as_given(engine.gradients(of, [x], seed, elementwise)[0], x)


def _seed_of(slope: Any, out: Any) -> Any:
    """The gradient of a result: slope itself, or a part of it; None for a shape that is wrong."""
    parts = (slope, slope[:, :1], slope[0], slope[1:], three_axes(slope))
    return next((part for part in parts if part.shape == out.shape), None)
