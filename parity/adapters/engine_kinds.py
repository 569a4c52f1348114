"""Engines whose nodes have no backward: dual numbers, and graphs that a function goes back through.

A dual number carries its derivative along, so that each operand's slope is had by a forward in which it alone
has the derivative 1. A function such as `get_gradients(y)` gives a dict of the gradients by their nodes.
Needs NumPy alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from inspect import Parameter
from typing import Any

import numpy as np

from parity.adapters.engine import ARITHMETIC, Engine, NoGradient, Of, is_engine, of_one_number
from parity.adapters.engine_sources import goes_back_through, is_dual
from parity.adapters.sources import tree_of_source

VALUE, SLOPE = 1.25, 3.5  # by which the attributes of a dual number are told apart


class Duals(Engine):
    """Numbers that are built of a value and a derivative."""

    def __init__(self, cls: type):
        self.cls, self.flags, self.of_arrays, self.backward = cls, {}, False, ""

    def node(self, data: Any) -> Any:
        return self._made(float(data), 0.0)

    def _made(self, value: float, slope: float) -> Any:
        try:
            return self.cls(value, slope)
        except (TypeError, AttributeError):  # it takes arrays alone
            return self.cls(np.array(value), np.array(slope))

    def value(self, node: Any) -> Any:
        return np.asarray(self._held(node, self.names[0]))

    def gradients(self, of: Of, arrays: Sequence[Any], seed: Any, elementwise: bool = True) -> list[Any]:
        found = self._each(lambda *nodes: self._tangents(of, nodes), arrays, len(arrays))
        return [np.asarray(seed * slope) for slope in found]

    def _tangents(self, of: Of, nodes: Sequence[Any]) -> list[Any]:
        values = [float(self.value(node)) for node in nodes]
        turns = ([self._made(v, float(i == j)) for j, v in enumerate(values)] for i in range(len(values)))
        return [np.asarray(self._held(of(*turn), self.names[1])) for turn in turns]

    def _held(self, node: Any, name: str) -> Any:
        if node is None:
            raise NoGradient("it returned None")
        if not hasattr(node, name):
            raise NoGradient(f"{type(node).__name__} holds no .{name}")
        return getattr(node, name)

    @cached_property
    def names(self) -> tuple[str, str]:
        """The attributes of its value and of its derivative."""
        node = self._made(VALUE, SLOPE)
        slots = [name for c in type(node).__mro__ for name in getattr(c, "__slots__", ())]
        held = {name: getattr(node, name) for name in (*getattr(node, "__dict__", {}), *slots)}
        value, slope = (
            next((name for name, one in held.items() if np.size(one) == 1 and np.all(one == number)), "")
            for number in (VALUE, SLOPE)
        )
        return value, slope

    @cached_property
    def adds_up(self) -> bool:
        return bool(self.gradients(lambda a: a + a, [np.array([1.5])], 1.0)[0][0] == 2.0)


class ByFunction(Engine):
    """Nodes whose gradients a function gives, in a dict."""

    def __init__(self, cls: type, function: Callable[[Any], Any], of_arrays: bool = True):
        self.function = function
        self.kept: Mapping[Any, Any] = {}
        super().__init__(cls, of_arrays and not of_one_number(cls))

    def gradient(self, node: Any) -> Any:
        found = next((grad for one, grad in self.kept.items() if one is node), None)
        return None if found is None else np.asarray(found)

    def start(self, out: Any) -> None:
        found = self.function(out)
        if not isinstance(found, Mapping):
            raise NoGradient(f"{self.function.__name__}() gives no gradients by their nodes")
        self.kept = found

    @cached_property
    def _takes(self) -> Parameter | None:
        return None


def engine_of(cls: Any, of_arrays: bool = True) -> Engine | None:
    """The engine whose nodes these are; None where the class is of none."""
    if not isinstance(cls, type) or not any(hasattr(cls, name) for name in ARITHMETIC):
        return None
    if is_engine(cls):
        return Engine(cls, of_arrays)
    node = _definition(cls)
    if node is None:
        return None
    if is_dual(node):
        return Duals(cls)
    names = next((f.__globals__ for f in vars(cls).values() if inspect.isfunction(f)), {})
    own = [f for f in names.values() if inspect.isfunction(f) and f.__globals__ is names]
    function = next((f for f in own if goes_back_through(f.__name__, _definition(f))), None)
    return ByFunction(cls, function, of_arrays) if function is not None else None


def _definition(one: Any) -> Any:
    tree = tree_of_source(one)
    return tree.body[0] if tree is not None and tree.body else None
