"""Engines without a backward, as their source shows them. Needs nothing but Python."""

from __future__ import annotations

import ast
import re
from typing import Any

from parity.adapters.arguments import plain

BACKWARD = re.compile("back|grad")
SIGNS = ("__add__", "__mul__")
TANGENTS = {  # the derivative beside a value, in lower case and without underscores
    *("dual", "derivative", "deriv", "der", "derivatives", "grad", "gradient", "tangent", "eps", "epsilon"),
    *("dot", "infinitesimal", "d", "dx", "dval", "dvalue", "prime", "partial", "du", "diff", "adot", "slope"),
}
GRADIENTS = {  # functions that give the gradients of a node
    *("getgradients", "gradients", "grad", "getgrad", "getgrads", "grads", "gradient", "computegradients"),
    *("computegrads", "backward", "backprop", "backpropagate", "calculategradients", "getgradient"),
}


def is_dual(node: ast.ClassDef) -> bool:
    """Whether it is a dual number: built of a value and a derivative, which its operators make at once."""
    methods = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    if not {*SIGNS} & methods.keys() or any(BACKWARD.search(name.lower()) for name in methods):
        return False
    fields = _fields(node, methods.get("__init__"))
    named = "dual" in node.name.lower()
    if len(fields) < 2 or not (named or plain(fields[1]) in TANGENTS):
        return False
    own = [methods[name] for name in SIGNS if name in methods]
    later = any(isinstance(p, (ast.FunctionDef, ast.Lambda)) for m in own for p in ast.walk(m) if p is not m)
    return not later and all(_reads(method, fields[1]) for method in own)


def _fields(node: ast.ClassDef, constructor: ast.FunctionDef | None) -> list[str]:
    """What it is built of: the parameters of its constructor, or the fields of a dataclass."""
    if constructor is not None:
        args = constructor.args.args[1:]
        required = len(args) - len(constructor.args.defaults)
        return [arg.arg for arg in args] if required <= 2 else []
    if not any("dataclass" in ast.unparse(one) for one in node.decorator_list):
        return []
    return [
        part.target.id
        for part in node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    ]


def _reads(method: ast.FunctionDef, name: str) -> bool:
    """Whether it reads that attribute, under its name with or without underscores."""
    read = {plain(part.attr) for part in ast.walk(method) if isinstance(part, ast.Attribute)}
    return plain(name) in read


def goes_back_through(name: str, node: Any) -> bool:
    """Whether a function gives a node's gradients in a dict that it makes as it goes through the nodes."""
    if plain(name) not in GRADIENTS or not isinstance(node, ast.FunctionDef):
        return False
    if len(node.args.args) - len(node.args.defaults) != 1:
        return False
    loops = (part.iter for part in ast.walk(node) if isinstance(part, ast.For))
    if not any(isinstance(part, ast.Attribute) for one in loops for part in ast.walk(one)):
        return False  # it goes through no node
    made = set()
    for part in ast.walk(node):
        match part:
            case (
                ast.Assign(targets=[ast.Name(id=held)], value=value)
                | ast.AnnAssign(target=ast.Name(id=held), value=value)
            ):
                of = ast.unparse(value.func).rpartition(".")[2] if isinstance(value, ast.Call) else ""
                if isinstance(value, ast.Dict) or of in ("dict", "defaultdict"):
                    made.add(held)
    given = (part.value for part in ast.walk(node) if isinstance(part, ast.Return))
    return any(isinstance(one, ast.Name) and one.id in made for one in given)
