"""Functions that are kept in a class or in a dict: `Activations.relu`, `ACTIVATIONS["relu"]`.

A static method is a function as it is, a class method goes with its class, and a method goes with an object
on which no constructor was called. An item of a dict may be a function, a pair of a function and its
derivative, or a dict of the two. A method or operator of an autograd engine is made a layer, and so is a
function of its nodes that is an operator. Needs NumPy alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from inspect import getattr_static, isfunction, signature
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from parity.adapters.engine_kinds import engine_of
from parity.adapters.engine_methods import as_layer, takes_nothing
from parity.adapters.engine_table import FUNCTIONS, OPERATORS, as_function_layer, as_operator_layer

STEP = re.compile(r"""\.?([^.\[\]]+)|\[(?:"([^"]*)"|'([^']*)'|([^\]]*))\]""")
DERIVATIVE = "_prime"  # what the name of a derivative without one ends in
SELF = ("self", "this")
FIRST = {  # what a function of an activation or of a loss takes first, where it takes no self
    *(
        "x",
        "z",
        "a",
        "v",
        "inputs",
        "input",
        "value",
        "values",
        "data",
        "arr",
        "array",
        "net",
        "y",
        "yhat",
        "ytrue",
    ),
    *(
        "label",
        "labels",
        "logits",
        "output",
        "outputs",
        "pred",
        "preds",
        "predictions",
        "predicted",
        "actual",
        "target",
        "targets",
    ),
    *("activations", "activation", "prediction", "scores", "probs"),
}


def steps(name: str) -> list[tuple[str, str]]:
    """`A.b["c"]` -> [(".", "A"), (".", "b"), ("[]", "c")]; keys may be quoted in either way, or not."""
    found = [match.groups() for match in STEP.finditer(name)]
    return [(".", own) if own else ("[]", a or b or c or "") for own, a, b, c in found]


def last(name: str) -> str:
    """What it is called there: `relu` of `Activations.relu` and of `ACTIVATIONS["relu"]`."""
    return steps(name)[-1][1] if name else ""


def taken(holder: Any, how: str, name: str) -> Any:
    """The member of that name. Raises AttributeError and KeyError where there is none."""
    if how == "[]":
        return _called(holder[name], name)
    if name.startswith("__") and not hasattr(holder, name):  # as Python keeps it
        name = f"_{holder.__name__.lstrip('_')}{name}"
    found = getattr(holder, name)
    if isinstance(holder, ModuleType) and name in FUNCTIONS and isfunction(found):
        return _of_nodes(holder, found)
    if isinstance(holder, type) and name in OPERATORS and engine_of(holder):
        return as_operator_layer(holder, name)
    if isinstance(holder, type) and _is_method(getattr_static(holder, name)):
        if takes_nothing(found) and engine_of(holder):
            return as_layer(holder, name)
        return MethodType(found, object.__new__(holder))
    return found


def _of_nodes(module: ModuleType, function: Any) -> Any:
    """A function of that module as an operator of the engine that is written in it; else as it is."""
    own = [c for c in vars(module).values() if isinstance(c, type) and c.__module__ == module.__name__]
    engine = next((cls for cls in own if engine_of(cls)), None)
    return function if engine is None else as_function_layer(engine, function)


def siblings(function: Any) -> dict[str, Callable[..., Any]]:
    """The other functions of its class, callable as it is; none for a function of a module."""
    holder = _class_of(function)
    if holder is None:
        return {}
    own = getattr(function, "__self__", None)
    found = {}
    for name in [name for name in dir(holder) if not name.startswith("__")]:
        held = getattr_static(holder, name)
        if _is_method(held) and isinstance(own, holder):
            found[name] = getattr(own, name)
        elif isinstance(held, (staticmethod, classmethod)) or (isfunction(held) and not _is_method(held)):
            found[name] = getattr(holder, name)
    return found


def _is_method(held: Any) -> bool:
    """Whether it is a function that takes self; one that does not is called by the class's name."""
    return isfunction(held) and next(iter(signature(held).parameters), "") in SELF


def is_bare(cls: type) -> bool:
    """Whether its functions are written without self: they are called by the class's name."""
    return _is_bare(cls)


@lru_cache(maxsize=64)  # asked before every call
def _is_bare(cls: type) -> bool:
    names = (name for name in dir(cls) if not (name.startswith("__") and name.endswith("__")))
    own = [held for name in names if isfunction(held := getattr_static(cls, name))]
    firsts = [next(iter(signature(held).parameters), "") for held in own]
    firsts = [first.lower() for first in firsts if first]  # one without parameters is for the class too
    return bool(firsts) and all(first in FIRST or first.startswith(("x_", "y_")) for first in firsts)


def _class_of(function: Any) -> type | None:
    """The class in which it was written, as far as its name and its module tell."""
    holder: Any = getattr(function, "__globals__", {})
    for part in getattr(function, "__qualname__", "").split(".")[:-1]:
        holder = holder.get(part) if isinstance(holder, dict) else getattr(holder, part, None)
    return holder if isinstance(holder, type) else None


def _called(value: Any, key: str) -> Any:
    """An item of a dict as what is checked: a function or a pair; a lambda goes by its key."""
    if isinstance(value, Mapping) and len(value) == 2 and all(map(callable, value.values())):
        value = _forward_first(value)
    if isinstance(value, (tuple, list)) and len(value) == 2 and all(map(callable, value)):
        one, other = _called(value[0], key), _called(value[1], key + DERIVATIVE)
        return pair(one, other)
    if isinstance(value, np.ufunc):
        return _of_ufunc(value, key)
    if getattr(value, "__name__", "") == "<lambda>":
        value.__name__ = key
    return value


def pair(one: Any, other: Any) -> tuple[Any, Any]:
    """A function and its derivative, which a trial finds by their names: two names that differ."""
    if isfunction(one) and isfunction(other) and one.__name__ == other.__name__:
        other.__name__ = one.__name__ + DERIVATIVE
    return one, other


def _forward_first(value: Mapping[str, Any]) -> tuple[Any, Any]:
    """Of {"f": ..., "df": ...}, whatever the order."""
    first, second = value
    return (value[second], value[first]) if is_derivative(first) else (value[first], value[second])


def is_derivative(name: str) -> bool:
    """Whether the name says so: d, df, derivative, relu_prime, backward, ..."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    return any(word in WORDS for word in words)


WORDS = {
    *("d", "df", "dx", "deriv", "derivative", "derivatives", "derivate", "der", "prime", "primes", "grad"),
    *("grads", "gradient", "gradients", "backward", "backwards", "back", "bwd", "bprop", "backprop", "diff"),
    *("dfunc", "dfn", "delta"),
}


def of_object(held: Any, name: str) -> Any:
    """An object that keeps functions, `relu = Activation(f, df)`, as a class of that name; else itself."""
    own = vars(held) if hasattr(held, "__dict__") and not callable(held) else {}
    if not any(isfunction(value) or isinstance(value, np.ufunc) for value in own.values()):
        return held

    def __init__(self: Any) -> None:
        vars(self).update(own)

    return type(name, (type(held),), {"__init__": __init__, "__module__": type(held).__module__})


def of_vectorized(vectorized: Any, name: str) -> Callable[..., Any]:
    """np.vectorize(f) as a function under that name, with the parameters and the file of f."""

    def call(*args: Any, **named: Any) -> Any:
        return vectorized(*args, **named)

    inner = vectorized.pyfunc
    there = getattr(inner, "__globals__", call.__globals__)
    found = FunctionType(call.__code__, there, name, None, call.__closure__)
    found.__module__ = getattr(inner, "__module__", found.__module__)
    vars(found)["__wrapped__"] = inner
    return found


def _of_ufunc(function: np.ufunc, name: str) -> Callable[..., Any]:
    """np.tanh as a function of x under that name: a ufunc shows no parameters."""

    def call(x: Any) -> Any:
        return function(x)

    call.__name__ = name
    return call
