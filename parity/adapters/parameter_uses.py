"""What a function does with each of its parameters, as its source shows: it is the key of a state, a dict
that keeps one, a function that is called, or nothing at all. Needs nothing but Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from parity.adapters.logarithms import definition_of

KEY, TABLE, CALLED, DIVISOR, UNUSED = "key", "dict", "called", "divisor", "unused"
OF_DICTS = ("get", "setdefault", "pop", "update", "items", "keys", "values")
NAMING = ("id", "str", "hash", "repr", "getattr", "hasattr", "print")  # what a key may be handed to


def uses_of(function: Any) -> dict[str, str]:
    """Parameter -> KEY, TABLE, CALLED, DIVISOR or UNUSED; one that is used in another way is left out.

    key     it only names a state: `self.m[layer]`, `if name not in self.m`
    dict    it only keeps numbers and arrays by name: `config["v"]`, `config.get("rho", 0.9)`
    called  it is only called
    divisor  it is only divided by
    """
    node = definition_of(function)
    if node is None:
        return {}
    parents = {child: part for part in ast.walk(node) for child in ast.iter_child_nodes(part)}
    loads: dict[str, list[str]] = {
        arg.arg: [] for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    }
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in loads:
            loads[part.id] += _use(part, parents)
    found = {name: {*uses} for name, uses in loads.items()}
    return {
        name: next(iter(uses), UNUSED) for name, uses in found.items() if len(uses) < 2 and "" not in uses
    }


def is_key(function: Any, parameter: str) -> bool:
    """Whether a parameter names a state somewhere, whatever else it is used for: `self.m[id(layer)]`."""
    node = definition_of(function)
    if node is None:
        return False
    parents = {child: part for part in ast.walk(node) for child in ast.iter_child_nodes(part)}
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name) and part.id == parameter)
    return any(_is_key(name, parents) or _is_named(name, parents) for name in names)


def _is_named(name: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether its number or text is put into a name: `key = id(layer)`."""
    call = parents.get(name)
    named = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in NAMING[:4]
    return named and isinstance(parents.get(call), ast.Assign)  # type: ignore[arg-type]


def _use(name: ast.Name, parents: dict[ast.AST, ast.AST]) -> Iterator[str]:
    """How it is used in one place; nothing for a place that says nothing, "" for one of another use."""
    above = parents.get(name)
    if isinstance(name.ctx, ast.Store):
        yield ""
    elif isinstance(above, ast.Call) and above.func is name:
        yield CALLED
    elif isinstance(above, ast.BinOp) and isinstance(above.op, ast.Div) and above.right is name:
        yield DIVISOR
    elif isinstance(above, ast.Attribute):
        yield TABLE if above.attr in OF_DICTS else ""
    elif isinstance(above, ast.Subscript) and above.value is name:
        yield TABLE if _is_text(above.slice) else ""
    elif isinstance(above, ast.Compare) and name in above.comparators:
        of_items = len(above.ops) == 1 and isinstance(above.ops[0], (ast.In, ast.NotIn))
        yield from () if _is_none(above) else [TABLE if of_items else ""]
    elif isinstance(above, (ast.Return, ast.Tuple)) and _is_returned(name, parents):
        return
    elif _is_key(name, parents):
        yield KEY
    else:
        yield from () if isinstance(above, ast.Compare) and _is_none(above) else [""]


def _is_none(test: ast.Compare) -> bool:
    return any(isinstance(one, ast.Constant) and one.value is None for one in test.comparators)


def _is_text(node: ast.AST) -> bool:
    """Whether it is a text, or made of one: `"v"`, `name + "v"`, `f"v_{name}"`."""
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_returned(name: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    above = parents.get(name)
    while isinstance(above, ast.Tuple):
        above = parents.get(above)
    return isinstance(above, ast.Return)


def _is_key(name: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether it is, or is a part of, what stands in the brackets of something, or before `in`."""
    inner, above = name, parents.get(name)
    while above is not None:
        match above:
            case ast.Subscript(slice=part) if part is inner:
                return True
            case ast.Compare(left=part, ops=[ast.In() | ast.NotIn()]) if part is inner:
                return True
            case ast.Call(func=ast.Attribute(attr=attr)) if attr in OF_DICTS[:3] and above.func is not inner:
                return above.args[:1] == [inner]
            case ast.Call(func=ast.Name(id=called)) if called in NAMING:
                pass
            case ast.Tuple() | ast.JoinedStr() | ast.FormattedValue():
                pass
            case ast.BinOp(op=ast.Add() | ast.Mod()) if _is_text(above):
                pass
            case _:
                return False
        inner, above = above, parents.get(above)
    return False
