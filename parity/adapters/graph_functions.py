"""Functions of a graph of variables: `Square()(x)` and `square(x)`, and the `x.grad` of `y.backward()`.

A variable without arithmetic, as in the first steps of *Deep Learning from Scratch 3*, holds an array. Each
such function is dressed as a layer of arrays, and so is the variable: a graph in which one is used twice.
A class is asked for its own backward, a function and the variable for the variable's. Needs NumPy alone.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from parity.adapters.code_objects import with_inner
from parity.adapters.engine import DATA, GRADIENT
from parity.adapters.network_arrays import Place
from parity.adapters.own_layer import OwnLayer

STEP, ALLOWED = 1e-5, 1e-4  # of a function that a variable is tried with
LAST = "a variable that is used twice keeps the gradient that comes last; it is the sum of both"


class Dressed:
    """A function of nodes as a layer of arrays."""

    node: type
    words = ""

    def __init__(self, **kwargs: Any):
        self.kwargs = kwargs

    def __deepcopy__(self, memo: Any) -> Dressed:
        return type(self)(**self.kwargs)

    def applied(self, nodes: list[Any]) -> Any:
        """What the function gives for these."""
        raise NotImplementedError

    def forward(self, *arrays: Any) -> Any:
        self.given = [self.node(np.array(a)) for a in arrays]
        self.result = self.applied(self.given)
        return held(self.result)

    def backward(self, dout: Any) -> Any:
        """The gradients that the variable's backward leaves at what it was given."""
        start(self.result, dout, _takes_nodes(self, self.given))
        found = [held(next(getattr(x, n) for n in GRADIENT if hasattr(x, n))) for x in self.given]
        return tuple(found) if len(found) > 1 else found[0]


class OfClass(Dressed):
    """A class whose instances are called with nodes."""

    of: type

    def applied(self, nodes: list[Any]) -> Any:
        self.function = self.of(**self.kwargs)
        return self.function(*nodes)

    def backward(self, dout: Any) -> Any:
        """What its own backward gives when the variable's asks it; alone, where the variable has none."""
        own, seen = self.function.backward, []

        def asked(*grads: Any, **options: Any) -> Any:
            seen.append(own(*grads, **options))
            return seen[-1]

        with suppress(Exception):
            self.function.backward = asked
            start(self.result, dout, _takes_nodes(self, self.given))
        if not seen and any(name.endswith("s") for name in _asked(type(self).of.backward)):  # type: ignore[attr-defined]
            raise TypeError("its backward asks for several gradients, and no variable hands them over")
        result = seen[0] if seen else own(np.asarray(dout))
        found = [held(one) for one in (result if isinstance(result, (tuple, list)) else [result])]
        return tuple(found) if len(found) > 1 else found[0]


class OfFunction(Dressed):
    of: Callable[..., Any]

    def applied(self, nodes: list[Any]) -> Any:
        return type(self).of(*nodes)


class OfVariable(Dressed):
    """A graph of it: one function after another, and a variable that is used twice where one takes two."""

    one: type | None
    two: type | None

    def applied(self, nodes: list[Any]) -> Any:
        (x,) = nodes
        y = self.one()(x) if self.one else x
        y = self.two()(y, x) if self.two else y
        return self.one()(y) if self.one else y


class GraphLayer(OwnLayer):
    """A function of nodes, or their class."""

    def __init__(self, found: Any):
        self.whole = found
        super().__init__(dressed(found) or found)
        self.name = getattr(found, "__name__", "")

    def described(self) -> str:
        way = self.way
        assert way is not None
        asked = ", ".join(way.inputs.shapes)
        left = ", ".join(f"{name}.grad" for name in way.by)
        if issubclass(self.found, OfClass):
            call = f"{self.name}({way.words})({asked}) of nodes, then its backward(gy)"
        elif issubclass(self.found, OfVariable):
            call = f"{self.found.words}, then y.backward(); x.grad"
        else:
            call = f"y = {self.name}({asked}) of nodes, then y.backward(); {left}"
        return f"called as {call}; {way.form.name}"

    def line(self, place: Place) -> str:
        if issubclass(self.found, OfClass):
            self.whole, keep = self.found.of, self.found
            self.found = self.found.of
            try:
                return super().line(place)
            finally:
                self.found = keep
        if issubclass(self.found, OfVariable) and self.found.two and _keeps_last(self.found):
            return LAST
        return ""


def dressed(found: Any) -> type | None:
    """The layer of arrays that it is; None where it is no function of nodes."""
    if not isinstance(found, type):
        return _of_function(found) if inspect.isfunction(found) else None
    node = node_of(found)
    if node is not None and callable(getattr(found, "backward", None)):
        asked = _asked(_forward(found))
        return _layer(OfClass, found, asked, node=node, of=found) if asked else None
    return _of_variable(found)


def _of_function(found: Any) -> type | None:
    for cls in _named(found):
        if (node := node_of(cls)) is not None and (asked := _asked(found, 0)):
            return _layer(OfFunction, None, asked, node=node, of=staticmethod(found))
    return None


def _of_variable(found: type) -> type | None:
    module = vars(sys.modules.get(found.__module__, sys))
    back = getattr(found, "backward", None)
    if not inspect.isfunction(back):
        return None
    others = [one for one in [*module.values(), *back.__globals__.values()] if isinstance(one, type)]
    functions = [one for one in dict.fromkeys(others) if node_of(one) is found]
    ones = [one for one in functions if len(_asked(_forward(one))) == 1 and _is_right(one, found, 1)]
    twos = [one for one in functions if len(_asked(_forward(one))) == 2 and _is_right(one, found, 2)]
    if not ones and not twos:
        return None
    two, one = (some[0] if some else None for some in (twos, ones))
    words = f"{one.__name__}()(x)" if one else "x"
    words = f"{two.__name__}()({words}, x)" if two else words
    words = f"y = {one.__name__}()({words})" if one else f"y = {words}"
    return _layer(OfVariable, None, ["x"], node=found, one=one, two=two, words=words)


def _layer(base: type, like: Any, asked: list[str], **names: Any) -> type:
    """A class whose constructor and forward ask for what the code under test does."""

    def forward(self: Any, *arrays: Any) -> Any:
        return Dressed.forward(self, *arrays)

    kinds = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("self", *asked)]
    forward.__signature__ = inspect.Signature(kinds)  # type: ignore[attr-defined]
    built = inspect.signature(like) if like is not None else inspect.Signature([])
    return type(base.__name__, (base,), {"forward": forward, "__signature__": built, **names})


def node_of(cls: type) -> type | None:
    """The class of the nodes that a function gives, where its instances are called with nodes."""
    call = next((vars(one)["__call__"] for one in cls.__mro__ if "__call__" in vars(one)), None)
    if not inspect.isfunction(call) or not inspect.isfunction(getattr(cls, "forward", None)):
        return None
    found = [one for one in _named(call) if not issubclass(one, BaseException) and one not in cls.__mro__]
    return next((one for one in found if _holds(one)), None)


def _named(function: Any) -> Iterator[type]:
    """The classes that a function's code names."""
    for code in with_inner(function.__code__):
        for name in code.co_names:
            if isinstance(one := function.__globals__.get(name), type):
                yield one


def _holds(cls: type) -> bool:
    """Whether an instance keeps the array that it is built with, and has a place for a gradient."""
    with suppress(Exception):
        node = cls(np.ones((2, 3)))
        return np.shape(held(node)) == (2, 3) and any(hasattr(node, name) for name in GRADIENT)
    return False


def _asked(function: Any, bound: int = 1) -> list[str]:
    """What it asks for; none where it takes any number of them, or none."""
    parameters = [*inspect.signature(function).parameters.values()][bound:]
    asked = [p for p in parameters if p.default is p.empty]
    plain = all(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in asked)
    return [p.name for p in asked] if plain else []


def _forward(cls: Any) -> Any:
    return cls.forward


def held(node: Any) -> Any:
    """The array in a node; an array as it is."""
    if node is None or isinstance(node, (np.ndarray, np.generic, int, float)):
        return node
    return held(next((getattr(node, name) for name in DATA if hasattr(node, name)), None))


def start(result: Any, dout: Any, as_node: bool) -> None:
    """Set the gradient of the result, and let it go back."""
    name = next(name for name in GRADIENT if hasattr(result, name))
    setattr(result, name, type(result)(np.asarray(dout)) if as_node else np.asarray(dout))
    result.backward()


def _takes_nodes(layer: Dressed, nodes: list[Any]) -> bool:
    """Whether a backward is handed nodes: its variable leaves some as gradients."""
    with suppress(Exception):
        given = [layer.node(np.array(held(x))) for x in nodes]
        type(layer)(**layer.kwargs).applied(given).backward()
        return any(isinstance(getattr(given[0], n, None), layer.node) for n in GRADIENT)
    return False


def _is_right(cls: type, node: type, inputs: int) -> bool:
    """Whether its own backward is the slope of its forward, and not 1, number by number."""
    with suppress(Exception), np.errstate(all="ignore"):
        rng = np.random.default_rng(3)
        layer = _layer(OfClass, None, list("xyz")[:inputs], node=node, of=cls)
        arrays = [rng.uniform(0.3, 1.2, (2, 3)) for _ in range(inputs)]
        out = layer().forward(*arrays)
        dout = rng.standard_normal(np.shape(out))
        one = layer()
        one.forward(*arrays)
        found = one.backward(dout)
        found = found if isinstance(found, tuple) else (found,)
        for i, grad in enumerate(found):
            moved = [[*arrays[:i], arrays[i] + sign * STEP, *arrays[i + 1 :]] for sign in (1, -1)]
            up, down = (np.asarray(layer().forward(*some)) for some in moved)
            slope = (up - down) / (2 * STEP)
            if np.shape(slope) != (2, 3) or not np.allclose(grad, dout * slope, atol=ALLOWED):
                return False
            if inputs == 1 and np.ptp(slope) < ALLOWED:
                return False
        return len(found) == inputs
    return False


def _keeps_last(layer: type[OfVariable]) -> bool:
    """Whether of a variable that is both inputs of a function the second gradient alone is left."""
    with suppress(Exception):
        assert layer.two is not None
        x = np.array([[0.5, 1.25]])
        dressed_two = _layer(OfClass, None, ["x", "y"], node=layer.node, of=layer.two)
        direct = dressed_two()
        direct.forward(x, x)
        first, second = direct.backward(np.ones_like(x))
        variable = layer.node(x)
        result = layer.two()(variable, variable)
        start(result, np.ones_like(x), False)
        got = held(next(getattr(variable, n) for n in GRADIENT if hasattr(variable, n)))
        return bool(np.allclose(got, second) and not np.allclose(got, first + second))
    return False
