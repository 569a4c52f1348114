"""Counts of steps that a method reads and another one sets: `tick()` adds 1 to the `t` that `update` reads.

Needs nothing but Python.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping

from parity.adapters.arguments import plain
from parity.adapters.logarithms import Function, definition_of
from parity.adapters.optimizer_names import COUNTS
from parity.adapters.rule_names import AFTER, BEFORE

COUNTERS = (*COUNTS, "iterations", "steps", "timesteps")


def counted_elsewhere(cls: type) -> dict[str, str]:
    """Method -> the attribute with its count, which only others add 1 to, whom it does not call; no method
    that is called before or after each step is one of those."""
    own = {name: value for one in reversed(cls.__mro__[:-1]) for name, value in vars(one).items()}
    found = {name: definition_of(value) for name, value in own.items() if inspect.isfunction(value)}
    nodes = {name: node for name, node in found.items() if node is not None}
    added = {name: _added(node) for name, node in nodes.items()}
    counts = {one for names in added.values() for one in names}
    around = {
        one for name, names in added.items() if plain(name).startswith((*BEFORE, *AFTER)) for one in names
    }
    reached = {name: _reached(name, nodes) for name in nodes}
    own_counts = {name: {one for other in reached[name] for one in added[other]} for name in nodes}
    read = {name: {one for other in reached[name] for one in _read(nodes[other])} for name in nodes}
    left = {name: sorted(read[name] & (counts - around - own_counts[name])) for name in nodes}
    return {name: names[0] for name, names in left.items() if len(names) == 1 and name != "__init__"}


def _added(node: Function) -> set[str]:
    """The counters that it adds 1 to."""
    parts = (
        part for part in ast.walk(node) if isinstance(part, ast.AugAssign) and isinstance(part.op, ast.Add)
    )
    return {name for part in parts if (name := _own(part.target)) and _is_one(part.value)}


def _is_one(value: ast.AST) -> bool:
    return isinstance(value, ast.Constant) and value.value == 1


def _read(node: Function) -> set[str]:
    return {name for part in ast.walk(node) if (name := _own(part))}


def _own(node: ast.AST) -> str:
    """The name of a counter of the optimizer itself."""
    own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    return node.attr if own and plain(node.attr) in COUNTERS else ""  # type: ignore[attr-defined]


def _reached(name: str, nodes: Mapping[str, Function]) -> set[str]:
    """That method and those that it names, and so on."""
    reached: set[str] = set()
    left = [name]
    while left:
        reached.add(now := left.pop())
        named = {part.attr for part in ast.walk(nodes[now]) if isinstance(part, ast.Attribute)}
        left += [other for other in named & nodes.keys() if other not in reached]
    return reached
