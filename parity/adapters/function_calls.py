"""How a file itself calls its functions: the names of what it hands over, and of what it makes of results.

Needs nothing but Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Made:
    """One call: in which function ("" for none), the names handed over, and those of the results."""

    caller: str
    positions: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Calls:
    """Every call of a function of the file by its name."""

    made: dict[str, list[Made]] = field(default_factory=dict)

    def callers(self, name: str) -> set[str]:
        return {one.caller for one in self.made.get(name, ())}

    def called_by(self, name: str) -> set[str]:
        """The functions of the file that this one calls."""
        return {one for one, made in self.made.items() if any(call.caller == name for call in made)}

    def given(self, name: str, parameters: Sequence[str]) -> dict[str, list[str]]:
        """Parameter -> the names of what it is given somewhere."""
        found: dict[str, list[str]] = {}
        for one in self.made.get(name, ()):
            both = [*zip(parameters, one.positions, strict=False), *one.keywords]
            for parameter, own in both:
                if own and own not in found.setdefault(parameter, []):
                    found[parameter].append(own)
        return found

    def targets(self, name: str, parts: int) -> dict[int, list[str]]:
        """Which part of the result -> the names that it is given somewhere."""
        found: dict[int, list[str]] = {}
        for one in self.made.get(name, ()):
            if len(one.targets) == parts:
                for i, own in enumerate(one.targets):
                    if own and own != "_" and own not in found.setdefault(i, []):
                        found[i].append(own)
        return found


def calls_of(body: Sequence[ast.stmt]) -> Calls:
    """The calls of its functions in a file, those in functions first."""
    found: dict[str, list[Made]] = {}
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    names = {node.name for node in functions}
    rest = [node for node in body if not isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    for caller, node in [*((node.name, node) for node in functions), *(("", node) for node in rest)]:
        for name, made in _in(node, caller):
            if name != caller and name in names:
                found.setdefault(name, []).append(made)
    return Calls(found)


def _in(node: ast.AST, caller: str) -> Iterator[tuple[str, Made]]:
    targets: dict[int, tuple[str, ...]] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call):
            targets[id(part.value)] = _names(part.targets[0])
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
                named = tuple((one.arg, name_of(one.value)) for one in keywords if one.arg)
                yield name, Made(caller, tuple(map(name_of, args)), named, targets.get(id(part), ()))


def _names(target: ast.expr) -> tuple[str, ...]:
    return tuple(map(name_of, target.elts)) if isinstance(target, ast.Tuple) else (name_of(target),)


def name_of(node: ast.AST) -> str:
    """`W1` of W1, self.W1 and parameters["W1"]; "" of anything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key
    return ""
