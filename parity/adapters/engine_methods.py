"""An activation that is a method of an autograd engine's number, `Value.relu()`, as a layer.

Each number of x goes through it by itself, and backward() is asked of its result. Whether gradients add up is
asked by `used_twice`. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from inspect import signature
from typing import Any

import numpy as np

ARITHMETIC = ("__mul__", "__add__", "__matmul__")
TWICE: dict[str, Callable[[Any], Any]] = {  # x is in it twice
    "x + x": lambda x: x + x,
    "x * x": lambda x: x * x,
    "x * x + x": lambda x: x * x + x,
    "x - x": lambda x: x - x,
}
OUT_TWICE = "f(x) + f(x)"  # f is what is checked
DATA = ("data", "value", "val", "item")
GRADIENT = ("grad", "gradient", "g", "grads")


def is_engine(cls: type) -> bool:
    """Whether it has a backward and arithmetic of its own."""
    return callable(getattr(cls, "backward", None)) and any(hasattr(cls, name) for name in ARITHMETIC)


def takes_nothing(method: Any) -> bool:
    """Whether it asks for nothing but self."""
    _, *others = signature(method).parameters.values()
    return all(p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in others)


def as_layer(cls: type, name: str) -> type:
    """A class with forward and backward that calls the method on one number after another."""

    asked = {n: True for n in signature(cls).parameters if n == "requires_grad"}

    class Layer:
        def forward(self, x: Any) -> Any:
            self.x = np.array(x)
            return self._each(lambda node: _number(getattr(node, name)(), DATA))

        def backward(self, dout: Any) -> Any:
            def slope(node: Any) -> float:
                getattr(node, name)().backward()
                return _number(node, GRADIENT)

            return dout * self._each(slope)

        def used_twice(self, x: Any) -> dict[str, Any]:
            """The gradients at some numbers of expressions in which each of them is used twice."""
            twice = TWICE | {OUT_TWICE: lambda node: getattr(node, name)() + getattr(node, name)()}
            found = {}
            for says, of in twice.items():
                with suppress(Exception):  # an operator that it has not
                    found[says] = np.array([self._slope(of, number) for number in x.tolist()])
            return found

        def _slope(self, of: Callable[[Any], Any], number: float) -> float:
            node = cls(number, **asked)
            of(node).backward()
            return _number(node, GRADIENT)

        def _each(self, of: Callable[[Any], float]) -> Any:
            """What that gives for a new node of each number; numbers that are equal are asked once."""
            numbers, where = np.unique(self.x, return_inverse=True)
            found = [of(cls(number, **asked)) for number in numbers.astype(float).tolist()]
            return np.array(found, self.x.dtype)[where].reshape(self.x.shape)

    Layer.__name__ = name
    return Layer


def _number(node: Any, names: tuple[str, ...]) -> float:
    """What it holds under the first of the names; it may be an array of one number, or a node again."""
    for name in names:
        if not isinstance(node, (np.ndarray, np.generic, float, int)) and hasattr(node, name):
            return _number(getattr(node, name), DATA)
    return float(np.asarray(node).item())
