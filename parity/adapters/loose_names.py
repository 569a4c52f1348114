"""Which names a constructor reads of its `**kwargs`, as its source shows. Needs nothing but Python.

Keys that are written out are such names, and so are the parameters of a base's constructor to which they are
all handed on. Where they are used in any other way, any name may go.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any

from parity.adapters.sources import tree_of_source

READS = ("get", "pop", "setdefault")


def names_read(cls: type) -> dict[str, inspect.Parameter] | None:
    """The parameters that may be given beside those that its constructor lists; None where any may."""
    owner = next((c for c in cls.__mro__ if "__init__" in vars(c)), object)
    return _of(cls, owner)


def _of(cls: type, owner: type) -> dict[str, inspect.Parameter] | None:
    """Those that the constructor of that class, one of its bases, reads of what it does not list."""
    if owner is object:
        return {}
    tree = tree_of_source(vars(owner)["__init__"])
    if tree is None:
        return None
    node = tree.body[0]
    if not isinstance(node, ast.FunctionDef) or node.args.kwarg is None:
        return {}
    loose, found = node.args.kwarg.arg, {}
    known: set[ast.AST] = set()
    for part in ast.walk(node):
        match part:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name) as held, attr=attr),
                args=[ast.Constant(value=str(key)), *_],
            ) if name == loose and attr in READS:
                found[key] = _parameter(key)
                known.add(held)
            case ast.Subscript(value=ast.Name(id=name) as held, slice=ast.Constant(value=str(key))) if (
                name == loose
            ):
                found[key] = _parameter(key)
                known.add(held)
            case ast.Compare(left=ast.Constant(value=str(key)), comparators=[ast.Name(id=name) as held]) if (
                name == loose
            ):
                found[key] = _parameter(key)
                known.add(held)
            case ast.Call(
                func=ast.Attribute(attr="__init__", value=ast.Call(func=ast.Name(id="super"))), keywords=given
            ):
                for one in given:
                    if one.arg is None and isinstance(one.value, ast.Name) and one.value.id == loose:
                        inner = _of_base(cls, owner)
                        if inner is None:
                            return None
                        found |= inner
                        known.add(one.value)
    others = [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == loose and n not in known]
    return None if others else found


def _of_base(cls: type, owner: type) -> dict[str, inspect.Parameter] | None:
    """What the next constructor takes."""
    later = cls.__mro__[cls.__mro__.index(owner) + 1 :]
    base = next((c for c in later if "__init__" in vars(c)), object)
    if base is object:
        return {}
    try:
        listed = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
    except (TypeError, ValueError):
        return None
    read = _of(cls, base)
    loose = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    own = {p.name: _parameter(p.name) for p in listed if p.kind not in loose}
    return None if read is None else own | read


def _parameter(name: str) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)


def kwargs_read(function: Callable[..., Any]) -> list[str]:
    """The keys, written out, that a function reads of its `**kwargs`: `kwargs.get("gamma", 0.9)`."""
    code = getattr(function, "__code__", None)
    if code is None or not code.co_flags & inspect.CO_VARKEYWORDS:
        return []
    tree = tree_of_source(function)
    if tree is None or not tree.body:
        return []
    node = tree.body[0]
    loose = node.args.kwarg.arg if isinstance(node, ast.FunctionDef) and node.args.kwarg is not None else ""
    found = []
    for part in ast.walk(node):
        match part:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr=attr),
                args=[ast.Constant(value=str(key)), *_],
            ) if name == loose and attr in READS:
                found.append(key)
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))) if name == loose:
                found.append(key)
    return list(dict.fromkeys(found))
