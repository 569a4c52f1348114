"""Of which arguments a source compares the number of axes with a number, and of which it takes the argmax.

A loss may ask so for its labels, which are numbers of classes or one-hot rows, and for its output, which may
be one row by itself. It is read, not tried. Needs Python alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from parity.adapters.logarithms import Names, definitions, follow, parameters_in, required_of


def asked_for_axes(functions: Mapping[str, Any]) -> list[str]:
    """The parameters of these functions or methods whose axes are counted and compared with no other's."""
    found: set[str] = set()
    for part, names in _parts(functions):
        if isinstance(part, (ast.Compare, ast.Match)):
            asked = set().union(*_counted(part, names))
            found |= asked if len(asked) == 1 else set()
    return sorted(found)


def taken_for_one_hot(functions: Mapping[str, Any]) -> list[str]:
    """The parameters of which some of these take the argmax, as of one-hot rows: `np.argmax(t, axis=1)`."""
    found: set[str] = set()
    for part, names in _parts(functions):
        match part:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="argmax"), args=[a, *_]):
                found |= parameters_in(a, names)
            case ast.Call(func=ast.Attribute(value=a, attr="argmax")):
                found |= parameters_in(a, names)
    return sorted(found)


def _parts(functions: Mapping[str, Any]) -> Iterator[tuple[ast.AST, Names]]:
    """Every part of their source, with what its names are made of."""
    nodes, kept = definitions(functions)
    for node in nodes.values():
        names = {**kept, **required_of(node)}
        follow(node, names)
        for part in ast.walk(node):
            yield part, names


def _counted(part: ast.Compare | ast.Match, names: Names) -> Iterator[set[str]]:
    """The parameters behind each `y.ndim`, `np.ndim(y)` or `len(y.shape)` in a comparison."""
    for one in ast.walk(part if isinstance(part, ast.Compare) else part.subject):
        match one:
            case ast.Attribute(value=array, attr="ndim"):
                yield parameters_in(array, names)
            case ast.Call(func=ast.Attribute(attr="ndim"), args=[array]):
                yield parameters_in(array, names)
            case ast.Call(func=ast.Name(id="len"), args=[ast.Attribute(value=array, attr="shape")]):
                yield parameters_in(array, names)
