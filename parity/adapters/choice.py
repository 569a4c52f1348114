"""A class or function with one of the words among which its code chooses: `Dense(activation="relu")`.

It then takes everything but that. So do the functions beside it that ask for the same parameter, as a
derivative does. Needs NumPy alone.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from types import FunctionType
from typing import Any

from parity.adapters.code_objects import constants_in
from parity.adapters.members import siblings

WORD = re.compile(r"[\w +-]+")  # what can be written in a target
CHOSEN = re.compile(r"""(\w+)\((\w+)=["']([\w +-]+)["']\)""")


def spelled(name: str, parameter: str, word: str) -> str:
    """`Dense(activation="relu")`"""
    return f'{name}({parameter}="{word}")'


def parted(name: str) -> tuple[str, str, str]:
    """The name, the parameter and the word; "" for both where there is no choice in it."""
    found = CHOSEN.fullmatch(name)
    return (found[1], found[2], found[3]) if found else (name, "", "")


def chosen(factory: Any, parameter: str, word: str) -> Any:
    """The class or function with that word. Raises LookupError where it takes no such parameter."""
    if isinstance(factory, type):
        return _class(factory, parameter, word)
    if parameter not in inspect.signature(factory).parameters:
        raise LookupError(parameter)
    return _function(factory, parameter, word, _beside(factory, parameter, word))


def _class(cls: type, parameter: str, word: str) -> type:
    own, build = inspect.signature(cls), cls.__init__  # type: ignore[misc]
    if parameter not in own.parameters:
        raise LookupError(parameter)

    def __init__(self: Any, *args: Any, **named: Any) -> None:
        build(self, **_without(own, parameter).bind(*args, **named).arguments, **{parameter: word})

    body = {"__init__": __init__, "__module__": cls.__module__, "__signature__": _without(own, parameter)}
    return type(cls)(cls.__name__, (cls,), body)


def _function(
    function: Callable[..., Any], parameter: str, word: str, there: dict[str, Any]
) -> Callable[..., Any]:
    own = _without(inspect.signature(function), parameter)

    def call(*args: Any, **named: Any) -> Any:
        return function(**own.bind(*args, **named).arguments, **{parameter: word})

    found = FunctionType(call.__code__, there, getattr(function, "__name__", "call"), None, call.__closure__)
    found.__module__ = getattr(function, "__module__", found.__module__)
    vars(found)["__signature__"] = own
    return found


def _beside(function: Any, parameter: str, word: str) -> dict[str, Any]:
    """What its module and its class hold, with the word for each function that asks for the parameter.

    Those that do not have that word among theirs are left out.
    """
    inner = getattr(function, "__func__", function)
    there = {**getattr(inner, "__globals__", {}), **siblings(function)}
    for name, held in list(there.items()):
        written = (inspect.isfunction(held) or inspect.ismethod(held)) and held is not function
        if written and parameter in inspect.signature(held).parameters:
            if _mentions(function, word) and not _mentions(held, word):
                del there[name]
            else:
                there[name] = _function(held, parameter, word, there)
    return there


def _mentions(function: Any, word: str) -> bool:
    """Whether the word stands in its own code."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and word in list(constants_in([code]))


def _without(own: inspect.Signature, parameter: str) -> inspect.Signature:
    return own.replace(parameters=[p for name, p in own.parameters.items() if name != parameter])
