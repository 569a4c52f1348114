"""How a method of a network is called: its parameters by what their names mean. Needs NumPy alone."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.logarithms import definition_of
from parity.adapters.network_words import FORWARDS, gives_gradients, is_loss, meanings_of_call

BOTH = 2  # arguments: inputs and labels


@dataclass(frozen=True)
class Call:
    """A method (or a function beside the class), and the meaning of each parameter that it is given."""

    name: str
    given: tuple[tuple[str, str], ...]  # (parameter, meaning)
    function: Callable[..., Any] | None = None

    @property
    def meanings(self) -> list[str]:
        return [meaning for _, meaning in self.given]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(name for name, _ in self.given)})"

    def of(self, network: Any) -> Any:
        return self.function if self.function is not None else getattr(network, self.name)

    def __call__(self, network: Any, values: Mapping[str, Any]) -> Any:
        """Its result. Raises KeyError where a value is lacking."""
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        parameters = inspect.signature(self.of(network)).parameters
        for name, meaning in self.given:
            only = parameters[name].kind is inspect.Parameter.POSITIONAL_ONLY
            value = values[meaning]
            if only:
                args.append(value)
            else:
                kwargs[name] = value
        return self.of(network)(*args, **kwargs)


def call_of(
    name: str, function: Any, known: Mapping[str, Any], own: bool = True, sole: str = ""
) -> Call | None:
    """The call of a bound method or function; None where it asks for what is not known.

    `known` are the meanings there are, and what a forward returned under the names that it has there, as
    `kept:a1`. A parameter with a default is given where it means something. `sole` is the meaning of the only
    one that it asks for.
    """
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL and not p.name.startswith("arg") for p in parameters):
        return None
    plainly = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    meanings = meanings_of_call([p.name for p in plainly])
    asked = [i for i, p in enumerate(plainly) if p.default is p.empty]
    if len(asked) == BOTH:
        meanings = _by_use(function, name, [p.name for p in plainly], meanings)
    if sole and len(asked) == 1:
        meanings[asked[0]] = sole
    given: list[tuple[str, str]] = []
    for p, meaning in zip(plainly, meanings, strict=True):
        kept = f"kept:{plain(p.name)}"
        if kept in known and meaning not in ("x", "t", "lr"):
            given.append((p.name, kept))
        elif meaning in known:
            given.append((p.name, meaning))
        elif p.default is p.empty:
            return None
    return Call(name, tuple(given), None if own else function)


def _by_use(function: Any, name: str, names: Sequence[str], meanings: list[str]) -> list[str]:
    """The same where a loss or its gradient hands one of two to its own forward: the other is the labels."""
    if {"x", "t"} & {*meanings} or not (is_loss(name) or gives_gradients(name)):
        return meanings
    handed = {
        part.args[0].id
        for part in ast.walk(definition_of(function) or ast.Module([], []))
        if isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and plain(part.func.attr) in FORWARDS
        and len(part.args) == 1
        and isinstance(part.args[0], ast.Name)
    }
    at = [i for i, one in enumerate(names) if one in handed and not meanings[i]]
    rest = [i for i, meaning in enumerate(meanings) if not meaning and i not in at]
    if len(at) != 1 or len(rest) != 1:
        return meanings
    return ["x" if i in at else "t" if i in rest else meaning for i, meaning in enumerate(meanings)]


def names_returned(function: Any) -> list[str]:
    """The names in `return a2, cache` (of attributes their own, of a dict "{}"); [] where they differ."""
    node = definition_of(function)
    return [] if node is None else returned_by(node)


def returned_by(node: ast.AST) -> list[str]:
    """Those names in the definition of a function."""
    found: list[list[str]] = []
    for part in ast.walk(node):
        if isinstance(part, ast.Return) and part.value is not None:
            elements = part.value.elts if isinstance(part.value, ast.Tuple) else [part.value]
            found.append([_name(one) for one in elements])
    longest = max(map(len, found), default=0)
    last = [names for names in found if len(names) == longest]
    return last[-1] if last else []


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return _name(node.value) if not isinstance(node.slice, ast.Constant) else str(node.slice.value)
    return ""
