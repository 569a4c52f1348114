"""Where in its source a network computes a gradient, and which functions beside it its methods use.

Needs nothing but Python.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

from parity.adapters.network_words import base_of, is_gradient
from parity.adapters.sources import tree_of_source

SMALL = 1e-4


def used_in(cls: type) -> set[str]:
    """The names that the source of the class uses."""
    tree = tree_of_source(cls)
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} if tree is not None else set()


def small_constants(cls: type) -> list[float]:
    """The small numbers that stand in the file of the class, as 1e-7 in `log(y + 1e-7)`."""
    tree = tree_of_source(inspect.getmodule(cls) or cls)
    if tree is None:
        return []
    numbers = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return sorted({one for one in numbers if isinstance(one, float) and 0 < min(one, abs(one - 1)) <= SMALL})


def line_of(function: Any, name: str) -> str:
    """`net.py, line 31`: where a gradient of that name is assigned in it; "" where that is nowhere."""
    function = inspect.unwrap(getattr(function, "__func__", function))
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
        file = inspect.getsourcefile(function) or ""
    except (OSError, TypeError, SyntaxError, ValueError):
        return ""
    found = [
        node.lineno
        for node, target in _assigned(tree)
        if is_gradient(target) and base_of(target) == base_of(name)
    ]
    return f"{file.rpartition('/')[2]}, line {first + found[-1] - 1}" if found else ""


def _assigned(tree: ast.AST) -> Iterator[tuple[ast.Assign | ast.AugAssign, str]]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                    if name := _name(one):
                        yield node, name


def _name(target: ast.expr) -> str:
    """`dW1` of dW1, self.dW1 and grads["W1"]."""
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=holder, slice=ast.Constant(value=str(key))):
            return f"d{key}" if is_gradient(_name(holder)) else key
        case ast.Subscript(value=holder):
            return _name(holder)
    return ""
