"""Which argument of a loss its source takes the logarithm of, and which one it divides by.

A cross entropy takes the logarithm of the output, and its derivative divides by it: where the names of two
arguments do not tell them apart, or say the contrary, that does. It is read, not tried. Needs Python alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from parity.adapters.sources import tree_of_source

LOGARITHMS = ("log", "log1p", "log2", "log10")
DIVISIONS = ("divide", "true_divide")
SIZES = ("shape", "size", "ndim", "dtype", "len", "zeros_like", "ones_like", "arange", "range")
CONDITIONS = ("where", "select")  # what they choose by comes first
Names = Mapping[str, set[str]]  # a name -> the parameters that its numbers come from
Function = ast.FunctionDef | ast.Lambda


def taken_of(functions: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Of each function or method its one parameter in logarithms, and the one in divisors; none where it is
    not one. A method may find in an attribute what another was given."""
    nodes, kept = definitions(functions)
    logs: dict[str, str] = {}
    divisors: dict[str, str] = {}
    for name, node in nodes.items():
        names = {**kept, **required_of(node)}
        follow(node, names)
        for found, parts in ((logs, _in_logarithms(node)), (divisors, _in_divisors(node))):
            taken = set().union(*(parameters_in(part, names) for part in parts))
            if len(taken) == 1:
                found[name] = taken.pop()
    return logs, divisors


def definitions(functions: Mapping[str, Any]) -> tuple[dict[str, Function], dict[str, set[str]]]:
    """The definition of each whose source can be had, and of which parameters their attributes are made."""
    nodes = {
        name: node for name, function in functions.items() if (node := definition_of(function)) is not None
    }
    kept: dict[str, set[str]] = {}
    for name, node in nodes.items():
        if name != "__init__":
            follow(node, names := {**required_of(node)})
            for attribute, parameters in names.items():
                if "." in attribute:
                    kept.setdefault(attribute, set()).update(parameters)
    return nodes, kept


def definition_of(function: Any) -> Function | None:
    """The definition of a function; None where its source cannot be had, or holds several lambdas."""
    function = getattr(function, "__func__", function)
    tree = tree_of_source(function)
    if tree is None:
        return None
    whole = [part for part in tree.body if isinstance(part, ast.FunctionDef)]
    lambdas = [part for part in ast.walk(tree) if isinstance(part, ast.Lambda)]
    return whole[0] if whole else lambdas[0] if len(lambdas) == 1 else None


def required_of(node: Function) -> dict[str, set[str]]:
    """Those that have to be given, without self."""
    every = [*node.args.posonlyargs, *node.args.args]
    required = every[: len(every) - len(node.args.defaults)]
    return {p.arg: {p.arg} for p in required if p.arg not in ("self", "cls")}


def follow(node: Function, names: dict[str, set[str]]) -> None:
    """Add what its assignments make of the parameters, in the order of the text."""
    made = [part for part in ast.walk(node) if isinstance(part, (ast.Assign, ast.AnnAssign, ast.AugAssign))]
    for part in sorted(made, key=lambda part: part.lineno):
        targets = part.targets if isinstance(part, ast.Assign) else [part.target]
        for place, value in (pair for target in targets for pair in _pairs(target, part.value)):
            if (name := _name(place)) and value is not None:
                names[name] = names.get(name, set()) | parameters_in(value, names)


def _pairs(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """`a, b = x, y` as two assignments."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value


def _name(target: ast.expr) -> str:
    """`y` and `self.y` as text; nothing for another place."""
    simple = isinstance(target, ast.Name) or (
        isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)
    )
    return ast.unparse(target) if simple else ""


def _in_logarithms(node: Function) -> Iterator[ast.expr]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and _last(call.func) in LOGARITHMS:
            yield from call.args[:1]


def _in_divisors(node: Function) -> Iterator[ast.expr]:
    for part in ast.walk(node):
        match part:
            case ast.BinOp(op=ast.Div(), right=divisor) | ast.AugAssign(op=ast.Div(), value=divisor):
                yield divisor
            case ast.Call(func=function, args=[_, divisor, *_]) if _last(function) in DIVISIONS:
                yield divisor


def _last(function: ast.expr) -> str:
    return ast.unparse(function).rpartition(".")[2]


def parameters_in(node: ast.AST, names: Names) -> set[str]:
    """The parameters that the numbers of an expression come from; indices, conditions, sizes are none."""
    parts: Iterable[ast.AST]
    match node:
        case ast.Name(id=name):
            return set(names.get(name, ()))
        case ast.Attribute(value=ast.Name()) if ast.unparse(node) in names:
            return set(names[ast.unparse(node)])
        case ast.Attribute(attr=attribute) if attribute in SIZES:
            return set()
        case ast.Subscript(value=value):
            parts = [value]
        case ast.Compare():
            return set()
        case ast.IfExp(body=body, orelse=other):
            parts = [body, other]
        case ast.Call(func=function, args=args) if _last(function) in SIZES:
            return set()
        case ast.Call(func=function, args=args) if _last(function) in CONDITIONS:
            parts = args[1:]
        case _:
            parts = ast.iter_child_nodes(node)
    return set().union(*(parameters_in(part, names) for part in parts))
