"""The attributes that a method fills with zeros where they stand: `self.dW.fill(0)`, `self.dW[...] = 0`.

It is read, not tried. Needs Python alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from parity.adapters.logarithms import definition_of


def emptied_by(function: Any) -> set[str]:
    """Their names."""
    node = definition_of(function)
    return {*_emptied(node)} if node is not None else set()


def _emptied(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Attribute(value=ast.Attribute() as kept, attr="fill"), args=[zero]):
                yield from _name_if_zero(kept, zero)
            case ast.Assign(targets=[ast.Subscript(value=ast.Attribute() as kept)], value=zero):
                yield from _name_if_zero(kept, zero)
            case ast.AugAssign(target=ast.Attribute() as kept, op=ast.Mult(), value=zero):
                yield from _name_if_zero(kept, zero)


def _name_if_zero(kept: ast.Attribute, zero: ast.expr) -> Iterator[str]:
    own = isinstance(kept.value, ast.Name) and kept.value.id == "self"
    if own and isinstance(zero, ast.Constant) and zero.value == 0:
        yield kept.attr
