"""Local names that hold nothing yet, or a number where an array was, as a function's own lines show.

`for w in range(out_w): ... w[:, :, c]` puts a whole number under the name of the weights, and
`(f, f, C, FN) = w.shape` before any `w = ...` reads what is not there. Whatever such a function is given,
these lines raise. Needs nothing but Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from parity.adapters.file_trees import Function, function_at, spans

LOOPS = (ast.For, ast.AsyncFor, ast.While)
WHOLE = ("int", "len", "round")  # what they give is a number


def is_read_too_early(name: str, tree: ast.Module, line: int) -> bool:
    """Whether the function reads the local name on that line before any line of it that could assign it."""
    function = function_at(tree, line)
    if function is None:
        return False
    stores = [getattr(n, "lineno", line) for n in ast.walk(function) if name in _bound(n)]
    again = any(spans(loop, line) and any(spans(loop, at) for at in stores) for loop in _loops(function))
    return bool(stores) and min(stores) >= line and not (again and _under_a_condition(function, line))


def is_a_number_there(tree: ast.Module, line: int) -> bool:
    """Whether a name on that line, indexed or with an attribute, holds a number that its function put in."""
    function = function_at(tree, line)
    if function is None:
        return False
    there = (
        n for n in ast.walk(function) if isinstance(n, (ast.Subscript, ast.Attribute)) and spans(n, line)
    )
    names = {n.value.id for n in there if isinstance(n.value, ast.Name)}
    return any(_is_whole(function, name, line) for name in names)


def _is_whole(function: Function, name: str, line: int) -> bool:
    """Whether the last assignment before that line gives the name a number, whichever way leads there."""
    before = [store for store in _stores(function, name) if store.lineno < line]
    if not before:
        return False
    last = max(before, key=lambda store: (store.lineno, store.col_offset))
    for loop in _loops(function):
        if isinstance(loop, ast.For) and last is loop.target:
            return spans(loop, line) and _is_range(loop.iter)
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and node.targets == [last]:
            number = _is_number(node.value) or _is_size(node.value, name, function)
            return number and not _conditions(function, last.lineno, line)
    return False


def _is_range(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "range"


def _is_number(value: ast.expr) -> bool:
    """Whether it is `int(...)`, `len(...)`, or a sum or product of such."""
    if isinstance(value, ast.BinOp):
        return _is_number(value.left) and _is_number(value.right)
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in WHOLE
    return isinstance(value, ast.Constant) and isinstance(value.value, (int, float))


def _is_size(value: ast.expr, name: str, function: Function) -> bool:
    """Whether it is a size made of others, one of a shape: `(W_in + 2 * pad - k) // stride + 1`."""
    parts = [*ast.walk(value)]
    plain = all(
        isinstance(n, (ast.BinOp, ast.operator, ast.Name, ast.Attribute, ast.Constant, ast.Load))
        for n in parts
    )
    names = {n.id for n in parts if isinstance(n, ast.Name)}
    divides = any(isinstance(n, ast.FloorDiv) for n in parts)
    return plain and divides and name not in names and bool(names & {*_of_shapes(function)})


def _of_shapes(function: Function) -> Iterator[str]:
    """The names to which `N, C, H, W = x.shape` and its like give a size."""
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "shape"
        ):
            for target in node.targets:
                yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))


def _stores(function: Function, name: str) -> list[ast.Name]:
    """Where the function binds the name. A store in a nested function counts too: it may be `nonlocal`."""
    nodes = (n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name)
    return [n for n in nodes if not isinstance(n.ctx, ast.Load)]


def _bound(node: ast.AST) -> tuple[str | None, ...]:
    """The names that this node itself binds."""
    if isinstance(node, ast.Name):
        return () if isinstance(node.ctx, ast.Load) else (node.id,)
    if isinstance(node, ast.alias):
        return (node.asname or node.name.partition(".")[0],)
    return (node.name,) if isinstance(node, (Function, ast.ClassDef, ast.ExceptHandler)) else ()


def _loops(function: Function) -> Iterator[ast.For | ast.AsyncFor | ast.While]:
    return (n for n in ast.walk(function) if isinstance(n, LOOPS))


def _under_a_condition(function: Function, line: int) -> bool:
    return any(isinstance(n, (ast.If, ast.Try)) and spans(n, line) for n in ast.walk(function))


def _conditions(function: Function, store: int, line: int) -> bool:
    """Whether the assignment is under a condition, or in a loop, that the line is not under."""
    around = (n for n in ast.walk(function) if isinstance(n, (ast.If, ast.Try, ast.With, *LOOPS)))
    return any(spans(n, store) and not spans(n, line) for n in around)
