"""Optimizers that are made by a function: `adam(lr)` returns the function that is its step, and keeps its
constants and its state. Such a function is made a class, whose constructor it is. Needs Python alone.
"""

from __future__ import annotations

import ast
import inspect
from functools import wraps
from types import CellType, CodeType, FunctionType
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.logarithms import definition_of
from parity.adapters.rule_names import is_slope

STEP = "step"  # the method


def made_step(node: ast.AST | None) -> ast.FunctionDef | None:
    """The function inside that it returns, and that is handed a gradient; None for another function."""
    if not isinstance(node, ast.FunctionDef) or _takes_a_gradient(node):
        return None
    inner = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    returned = [part.value for part in node.body if isinstance(part, ast.Return)]
    names = [value.id for value in returned if isinstance(value, ast.Name)]
    found = inner.get(names[0]) if len(returned) == len(names) == 1 else None
    return found if found is not None and _takes_a_gradient(found) else None


def _takes_a_gradient(node: ast.FunctionDef) -> bool:
    return any(is_slope(plain(arg.arg)) for arg in node.args.args)


def as_class(factory: Any) -> Any:
    """The class of the optimizers that the function makes; itself where it makes none."""
    inner = made_step(definition_of(factory)) if inspect.isfunction(factory) else None
    found = None if inner is None else _like(factory, inner)
    return factory if found is None else _class_like(factory, found)


def _class_like(factory: FunctionType, like: FunctionType) -> type:
    """A class that is built as the function is called, and whose step has those parameters."""

    class Made:
        def __init__(self, *args: Any, **named: Any):
            self.made = factory(*args, **named)

        @wraps(like)
        def step(self, *args: Any, **named: Any) -> Any:
            return self.made(*args, **named)

    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    Made.step.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [own, *inspect.signature(like).parameters.values()]
    )
    Made.__signature__ = inspect.signature(factory)  # type: ignore[attr-defined]
    Made.__name__ = Made.__qualname__ = factory.__name__
    Made.__module__ = factory.__module__
    return Made


def _like(factory: FunctionType, inner: ast.FunctionDef) -> FunctionType | None:
    """A function with the source and the parameters of the one inside; None where they cannot be had."""
    codes = [c for c in factory.__code__.co_consts if isinstance(c, CodeType) and c.co_name == inner.name]
    try:
        usual = tuple(ast.literal_eval(value) for value in inner.args.defaults)
    except ValueError:
        return None
    if len(codes) != 1 or inner.args.kwonlyargs or inner.args.posonlyargs:
        return None
    cells = tuple(CellType() for _ in codes[0].co_freevars)
    return FunctionType(codes[0], factory.__globals__, inner.name, usual, cells)
