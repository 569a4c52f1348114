"""Losses of one output per row, whose source goes from row to row and takes the first number: `t[0] - p[0]`.

It makes a number of each row and is meant for rows of one. A column of an array, `y[:, 0]`, is none of that:
whoever writes it has several. It is read, not tried. Needs Python alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from parity.adapters.logarithms import definition_of


def takes_first_numbers(functions: Mapping[str, Any]) -> bool:
    """Whether one of them takes the first number of a row of something that it was given."""
    nodes = (definition_of(function) for function in functions.values())
    return any(_takes_first(node) for node in nodes if node is not None)


def _takes_first(node: ast.AST) -> bool:
    rows = {*_rows(node)}
    return any(isinstance(part, ast.Subscript) and _is_first(part, rows) for part in ast.walk(node))


def _rows(node: ast.AST) -> Iterator[str]:
    """The names that a loop gives to one row after another."""
    for part in ast.walk(node):
        if isinstance(part, (ast.For, ast.comprehension)):
            yield from (name.id for name in ast.walk(part.target) if isinstance(name, ast.Name))


def _is_first(part: ast.Subscript, rows: set[str]) -> bool:
    """`row[0]` of a row, `y[i][0]` and `y[i, 0]`."""
    match part:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=0)):
            return name in rows
        case (
            ast.Subscript(value=ast.Subscript(slice=ast.Name(id=name)), slice=ast.Constant(value=0))
            | ast.Subscript(slice=ast.Tuple(elts=[ast.Name(id=name), ast.Constant(value=0)]))
        ):
            return name in rows
    return False
