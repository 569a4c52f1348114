"""An activation that is a method of an autograd engine's node, `Value.relu()`, as a layer.

Of an engine of single numbers each number of x goes through it by itself. Whether gradients add up is
asked by `used_twice`. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from inspect import signature
from typing import Any

import numpy as np

from parity.adapters.engine import ARITHMETIC, Engine, NoGradient, as_given, is_engine, of_one_number
from parity.adapters.engine_backward import BACKWARD
from parity.adapters.engine_expressions import expressions
from parity.adapters.engine_kinds import engine_of

TWICE: dict[str, Callable[[Any], Any]] = {  # x is in it twice
    "x + x": lambda x: x + x,
    "x * x": lambda x: x * x,
    "x * x + x": lambda x: x * x + x,
    "x - x": lambda x: x - x,
}
RESULT_TWICE: dict[str, Callable[[Any], Any]] = {  # so is a result y that has to wait for all of its gradient
    "y + y, y = x + x": lambda x: _twice(x + x, lambda y: y + y),
    "y * y, y = x + x": lambda x: _twice(x + x, lambda y: y * y),
    "y + y * y, y = x + x": lambda x: _twice(x + x, lambda y: y + y * y),
    "y * y + y, y = x + x": lambda x: _twice(x + x, lambda y: y * y + y),
}
OUT_TWICE = "f(x) + f(x)"  # f is what is checked
EXPRESSIONS = TWICE | RESULT_TWICE


def _twice(y: Any, of: Callable[[Any], Any]) -> Any:
    return of(y)


class OfEngine:
    """A layer in the book's way that is made of an engine.

    says    what of it is the engine's, as a verdict prints it
    """

    engine: Engine
    says = ""

    def expressions(self, x: Any, slope: Any) -> dict[str, Any]:
        """What its operator gives for plain numbers and along axes, and the gradients at x."""
        return expressions(self.engine, type(self).__name__, x, slope)


def takes_nothing(method: Any) -> bool:
    """Whether it asks for nothing but self."""
    _, *others = signature(method).parameters.values()
    return all(p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in others)


def used_twice(engine: Engine, x: Any, names: Any = tuple(EXPRESSIONS)) -> dict[str, Any]:
    """The gradients at x of expressions in which it, or a result, is used twice; without what it has not."""
    found: dict[str, Any] = {}
    for says in names:
        try:
            found[says] = as_given(engine.gradients(EXPRESSIONS[says], [x], np.ones_like(x))[0], x)
        except NoGradient:
            continue
        except Exception as error:
            if says in RESULT_TWICE and _goes_forward(engine, says, x):
                found[says] = error
    return found


def _goes_forward(engine: Engine, says: str, x: Any) -> bool:
    """Whether it gives a result: else an operator is lacking."""
    with suppress(Exception):
        return engine.values(EXPRESSIONS[says], [x]) is not None
    return False


def as_layer(cls: type, name: str) -> type:
    """A class with forward and backward that calls the method, on single numbers where it takes no arrays."""
    layer = _layer_of(engine_of(cls) or Engine(cls), name)
    if layer.engine.of_arrays and of_one_number(cls) and not goes_back(layer):
        apart = _layer_of(engine_of(cls, of_arrays=False) or Engine(cls, of_arrays=False), name)
        return apart if goes_back(apart) else layer
    return layer


def goes_back(layer: Any, *weights: Any) -> bool:
    """Whether a layer of these weights goes forward and back with two rows of two numbers."""
    x = np.array([[1.0, 2.0], [3.0, 0.5]])
    with suppress(Exception):
        made = layer(*weights)
        return made.backward(np.ones_like(made.forward(x))) is not None
    return False


def _layer_of(engine: Engine, name: str) -> type[OfEngine]:
    cls = engine.cls

    def of(node: Any) -> Any:
        return getattr(node, name)()

    class Layer(OfEngine):
        says = f"{cls.__name__}(x).{name}() and {engine.backward or BACKWARD}()" + asked(engine)

        def forward(self, x: Any) -> Any:
            self.x = np.array(x)
            return as_given(engine.values(of, [self.x]), self.x)

        def backward(self, dout: Any) -> Any:
            return as_given(engine.gradients(of, [self.x], dout)[0], self.x)

        def used_twice(self, x: Any) -> dict[str, Any]:
            """The gradient at some numbers of the sum of two calls, where the engine can add."""
            if hasattr(cls, "__add__") and not engine.adds_up:
                return {OUT_TWICE: NoGradient("x + x has another gradient than 2")}
            found: dict[str, Any] = {}
            with suppress(Exception):
                both = engine.gradients(lambda node: of(node) + of(node), [x], np.ones_like(x))
                found[OUT_TWICE] = as_given(both[0], x)
            return found

    Layer.__name__, Layer.engine = name, engine
    return Layer


def asked(engine: Engine) -> str:
    """How its nodes are asked, where that is not for arrays and their gradients at once."""
    apart = "" if engine.of_arrays else ", for one number after another"
    return apart + (f", the result's .{engine.by_caller} set before" if engine.by_caller else "")


__all__ = ["ARITHMETIC", "OUT_TWICE", "TWICE", "OfEngine", "as_layer", "is_engine", "takes_nothing"]
