"""The attributes that a method takes a step of descent on, as its source shows: `self.W -= 0.01 * dW`.

A layer whose backward does so by a rate of its own changes its weights on purpose. Needs nothing but Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from parity.adapters.logarithms import definition_of


def stepped(methods: Mapping[str, Any]) -> dict[str, list[str]]:
    """For each method what it, or one that it calls, takes something off: `W`, `params` of `params["W"]`."""
    trees: dict[str, list[ast.AST]] = {}
    for name, method in methods.items():
        if (node := definition_of(method)) is not None:
            trees[name] = list(ast.walk(node))
    own = {name: {a for node in nodes for a in _taken_from(node)} for name, nodes in trees.items()}
    named = {name: {n.attr for n in nodes if isinstance(n, ast.Attribute)} for name, nodes in trees.items()}
    found: dict[str, list[str]] = {}
    for name in trees if any(own.values()) else ():
        reached, left = set(), [name]
        while left:
            reached.add(now := left.pop())
            left += [other for other in named[now] & trees.keys() if other not in reached]
        if taken := set().union(*(own[one] for one in reached)):
            found[name] = sorted(taken)
    return found


def _taken_from(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.AugAssign(target=target, op=ast.Sub()):
            yield from _attributes(target)
        case ast.AugAssign(target=target, op=ast.Add(), value=value) if _is_negative(value):
            yield from _attributes(target)
        case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=ast.Sub())):
            if ast.unparse(left) == ast.unparse(target):
                yield from _attributes(target)


def _is_negative(value: ast.expr) -> bool:
    while isinstance(value, ast.BinOp):
        value = value.left
    return isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub)


def _attributes(target: ast.expr) -> Iterator[str]:
    while isinstance(target, ast.Subscript):
        target = target.value
    if isinstance(target, ast.Attribute):
        yield target.attr
