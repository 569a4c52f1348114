"""A network that is written without NumPy: its weights are lists of plain numbers, or numbers alone.

It takes a row at a time, as a list. Its step may be two methods, one that keeps the errors and one that
changes the weights by them; one that goes through rows is given a single one. Needs nothing but Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.network_arrays import CODE, Place, parts_of
from parity.adapters.network_calls import Call
from parity.adapters.network_words import may_be_trained
from parity.adapters.sources import tree_of_source

WEIGHT = re.compile("(w|b|weight|bias)s?[0-9]*")  # plain numbers of these names
MOST = 4000
DEEPEST = 6


def is_numbers(value: Any) -> bool:
    """Whether it is a list of floating-point numbers, or of rows of them that are equally long."""
    if not isinstance(value, list) or not value:
        return False
    if all(isinstance(one, float) for one in value):
        return True
    rows = all(isinstance(one, list) and one and all(isinstance(n, float) for n in one) for one in value)
    return rows and len({len(one) for one in value}) == 1


def numbers_in(held: Any) -> dict[Place, Any]:
    """The lists of numbers in it that may be weights, and the numbers that are called so, by their places."""
    found: dict[Place, Any] = {}
    level: list[tuple[Place, Any]] = [((), held)]
    seen = {id(held)}
    for _ in range(DEEPEST):
        below = []
        for place, value in level:
            for step, part in parts_of(value):
                own = next((s for s in reversed((*place, step)) if isinstance(s, str)), "")
                if _is_weight(step, part) or (is_numbers(part) and may_be_trained(own)):
                    found[(*place, step)] = part
                elif id(part) not in seen and _is_holder(part):
                    below.append(((*place, step), part))
                    seen.add(id(part))
        level = below if len(found) < MOST else []
    return found


def _is_holder(part: Any) -> bool:
    """Whether weights may lie in it: a list, a dict, or an object that is no code."""
    return isinstance(part, (list, Mapping)) or (hasattr(part, "__dict__") and not isinstance(part, CODE))


def _is_weight(step: str | int, number: Any) -> bool:
    """Whether a number alone is one by its name; a whole one is a bias at most, that begins from 0."""
    word = plain(step) if isinstance(step, str) else ""
    plainly = isinstance(number, float) or (type(number) is int and word[:1] == "b")
    return bool(WEIGHT.fullmatch(word)) and plainly


@dataclass(frozen=True)
class OneRow(Call):
    """A call that goes through rows: it is given a list with the one row, and one with its label."""

    def __call__(self, network: Any, values: Mapping[str, Any]) -> Any:
        return super().__call__(network, {**values, "x": [values["x"]], "t": [values["t"]]})


@dataclass(frozen=True)
class Calls(Call):
    """Calls that are made one after another."""

    parts: Sequence[Call] = ()

    @property
    def meanings(self) -> list[str]:
        return [meaning for part in self.parts for meaning in part.meanings]

    def __str__(self) -> str:
        return ", ".join(map(str, self.parts))

    def of(self, network: Any) -> Any:
        return self.parts[-1].of(network)

    def __call__(self, network: Any, values: Mapping[str, Any]) -> Any:
        return [part(network, values) for part in self.parts][-1]


def in_turn(parts: Sequence[Call]) -> Calls:
    return Calls(parts[-1].name, (), None, parts)


def takes_label_last(cls: type) -> bool:
    """Whether a method of it takes rows whose last number is the label: `row[:-1]` is all that goes in."""
    tree = tree_of_source(cls)
    if tree is None:
        return False
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        taken = {arg.arg for arg in function.args.args}
        for part in ast.walk(function):
            match part:
                case ast.Subscript(
                    value=ast.Name(id=name),
                    slice=ast.Slice(
                        lower=None, upper=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)), step=None
                    ),
                ) if name in taken:
                    return True
    return False
