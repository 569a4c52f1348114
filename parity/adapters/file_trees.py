"""The source of a file as a tree, and what its lines hold. Needs nothing but Python."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable, Iterator

from parity.adapters.sources import tree_of_text

LOADERS = ("__getattr__", "__getattribute__", "setattr", "exec", "globals", "__dict__")
Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def tree_of(file: str) -> ast.Module | None:
    """The file as it is now, or None where its text cannot be read or parsed."""
    linecache.checkcache(file)
    try:
        return tree_of_text("".join(linecache.getlines(file)) or "!")
    except (SyntaxError, ValueError, RecursionError):
        return None


def loads(nodes: Iterable[ast.AST]) -> bool:
    """Whether it may define names in a way that its statements do not show."""
    return any(getattr(n, "id", getattr(n, "attr", "")) in LOADERS for n in nodes)


def bound_by_module(node: ast.AST) -> Iterator[str]:
    """The names that the module's own statements bind, those of classes' bodies among them."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield child.name
        elif isinstance(child, ast.Name) and not isinstance(child.ctx, ast.Load):
            yield child.id
        elif isinstance(child, ast.alias):
            yield (child.asname or child.name).partition(".")[0]
        elif isinstance(child, ast.ExceptHandler) and child.name:
            yield child.name
        if not isinstance(child, FUNCTIONS):
            yield from bound_by_module(child)


def calls_at(tree: ast.Module, line: int) -> list[ast.Call]:
    """The calls on that line."""
    return [n for n in ast.walk(tree) if isinstance(n, ast.Call) and spans(n, line)]


def function_at(tree: ast.Module, line: int) -> Function | None:
    """The innermost function that the line is of."""
    there = [n for n in ast.walk(tree) if isinstance(n, Function) and spans(n, line)]
    return max(there, key=lambda n: n.lineno, default=None)


def spans(node: ast.AST, line: int) -> bool:
    return getattr(node, "lineno", 0) <= line <= (getattr(node, "end_lineno", 0) or 0)
