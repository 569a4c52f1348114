"""Calls that are missing or that no class takes, as a file's lines show: `out = x.copy` whose items are set
on the next line, `sigmoid(z)` where `sigmoid` is a class of the file that takes nothing, `params.key()`.
Needs NumPy alone.
"""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np

from parity.adapters.file_trees import calls_at, function_at

OF_METHOD = re.compile(
    r"'(?:builtin_function_or_method|method)' object (?:does not support item|is not subscr)"
)
TOO_MANY = re.compile(r"(\w+)\.__init__\(\) takes (?P<most>\d+) positional arguments? but \d+ were given$")
NONE_AT_ALL = re.compile(r"(\w+)\(\) takes no arguments$")


def is_uncalled(said: str, tree: ast.Module, line: int) -> bool:
    """Whether the line goes into a name that its function sets to an array's method without a call."""
    function = function_at(tree, line)
    if not OF_METHOD.match(said) or function is None:
        return False
    inside = [*ast.walk(function)]
    stored = [n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    methods = {
        target.id
        for n in inside
        if isinstance(n, ast.Assign)
        and isinstance(n.value, ast.Attribute)
        and hasattr(np.ndarray, n.value.attr)
        for target in n.targets
        if isinstance(target, ast.Name) and callable(getattr(np.ndarray, n.value.attr))
    }
    there = [n.value for n in inside if isinstance(n, ast.Subscript) and n.lineno == line]
    named = [n.id for n in there if isinstance(n, ast.Name)]
    return any(name in methods and stored.count(name) == 1 for name in named)


def is_of_a_class(said: str, tree: ast.Module, line: int) -> bool:
    """Whether the line calls a class of the file by its name with more than its constructor takes."""
    if (found := TOO_MANY.match(said) or NONE_AT_ALL.match(said)) is None:
        return False
    name, most = found[1], int(found.groupdict().get("most", 1))  # with self
    classes = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name]
    stored = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    functions = [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    if len(classes) != 1 or name in (*stored, *functions):
        return False
    calls = [c for c in calls_at(tree, line) if isinstance(c.func, ast.Name) and c.func.id == name]
    return any(
        len(call.args) >= most and not any(isinstance(one, ast.Starred) for one in call.args)
        for call in calls
    )


def is_of_a_dict(owner: Any, name: str, tree: ast.Module, line: int) -> bool:
    """Whether the line calls `params.key()` for `params.keys()`, of what its function takes items out of."""
    function = function_at(tree, line)
    if not isinstance(owner, dict) or name not in ("key", "item", "value") or function is None:
        return False
    named = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    items = {ast.unparse(n.value) for n in ast.walk(function) if isinstance(n, ast.Subscript)}
    called = [c.func.value for c in calls_at(tree, line) if isinstance(c.func, ast.Attribute)]
    return name not in named and any(ast.unparse(one) in items for one in called)
