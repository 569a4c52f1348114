"""What an optimizer's step is meant to return, as its source says it: the new array, or a step that is to be
added to the array or taken off it.

Its own words come first, then the calls of its file: `w += opt.update(w, dw)`, `w = opt.update(w, dw)`. It
is read, not tried. Needs nothing but Python.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.file_trees import tree_of
from parity.adapters.logarithms import Function, definition_of
from parity.adapters.optimizer_names import MOMENTS
from parity.adapters.rule_names import is_slope

ARRAY, ADDED, TAKEN_OFF = "array", "added", "taken off"
PASSIVE = "(?:to be|is|are|be|gets?|get)"
WORDS = {
    ADDED: rf"{PASSIVE} added (?:on)?to\b|\bto add to\b|\badd (?:it|this|them) (?:on)?to\b",
    TAKEN_OFF: rf"{PASSIVE} (?:subtracted|deducted) from\b|{PASSIVE} taken off\b|\bto subtract from\b"
    r"|\bsubtract (?:it|this|them) from\b",
    ARRAY: r"\breturns?:?\W+(?:\w+\W+){0,4}?(?:new|updated)[\W_]+"
    r"(?!step|update|gradient|velocit|moment)\w+",
}
NEW = re.compile("(new|updated|next).*|.*(new|updated|next)")  # plain names of arrays after the step
OF_STEPS = re.compile(".*(step|update|delta|change|diff|grad|vel|mom).*")  # and of what is none
Meant = tuple[str, str]  # what, and what says it
WORDS_SAY, CALLS_SAY = "its own words", "its file"


def meant_by(functions: Mapping[str, Any]) -> dict[str, Meant]:
    """Function or method -> what it is meant to return, and what says so; without those that nothing says."""
    found = {name: _meant(name, function) for name, function in functions.items()}
    return {name: said for name, said in found.items() if said[0]}


def _meant(name: str, function: Any) -> Meant:
    node = definition_of(function)
    if not isinstance(node, ast.FunctionDef):
        return "", ""
    if (returned := _returned(node)) or (returned := _said(inspect.getdoc(function) or "")):
        return returned, WORDS_SAY
    code = getattr(inspect.unwrap(function), "__code__", None)
    tree = tree_of(code.co_filename) if code is not None else None
    uses = {use for use in _uses_of(name, tree) if use} if tree is not None else set()
    return (uses.pop(), CALLS_SAY) if len(uses) == 1 else ("", "")


def _said(text: str) -> str:
    """What a docstring says; "" where it says nothing, or two things."""
    text = " ".join(text.lower().split())
    found = [what for what, words in WORDS.items() if re.search(words, text)]
    return found[0] if len(found) == 1 else ""


def _returned(node: ast.FunctionDef) -> str:
    """ARRAY where what it returns is called as a new array is, or as the array that it was given."""
    given = [arg.arg for arg in node.args.args if arg.arg not in ("self", "cls")]
    arrays = [name for name in given if not is_slope(plain(name)) and plain(name) not in MOMENTS]
    first = [_first(part.value) for part in ast.walk(node) if isinstance(part, ast.Return)]
    names = [one.id for one in first if isinstance(one, ast.Name)]
    new = [name for name in names if NEW.fullmatch(plain(name)) and not OF_STEPS.fullmatch(plain(name))]
    return ARRAY if names and len(names) == len(first) and {*names} <= {*new, *arrays} else ""


def _first(value: ast.expr | None) -> ast.expr | None:
    return value.elts[0] if isinstance(value, ast.Tuple) and value.elts else value


def _uses_of(name: str, tree: ast.Module) -> Iterator[str]:
    """What each call of that function or method in the file does with what it gets."""
    parents = {child: part for part in ast.walk(tree) for child in ast.iter_child_nodes(part)}
    for call in [part for part in ast.walk(tree) if isinstance(part, ast.Call) and part.args]:
        named = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if named != name:
            continue
        use, target = _use(call, parents)
        if target and {ast.unparse(arg) for arg in call.args} & {target}:
            yield ARRAY
        elif target:
            yield from _uses_of_name(target, call, parents)
        else:
            yield use


def _use(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> tuple[str, str]:
    """Whether what stands there is added or taken off, or else the name that it gets."""
    sign = 1
    while (above := parents.get(node)) is not None:
        match above:
            case ast.UnaryOp(op=ast.USub()):
                sign = -sign
            case ast.BinOp(op=ast.Mult()) if (other := _factor(above, node)) is not None:
                sign *= other
            case ast.BinOp(op=ast.Add()):
                return (ADDED if sign > 0 else TAKEN_OFF), ""
            case ast.BinOp(op=ast.Sub(), right=right) if right is node:
                return (TAKEN_OFF if sign > 0 else ADDED), ""
            case ast.AugAssign(op=ast.Add() | ast.Sub() as op):
                return (ADDED if (sign > 0) == isinstance(op, ast.Add) else TAKEN_OFF), ""
            case ast.Assign(targets=[target]) if sign > 0:
                first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
                return "", ast.unparse(first)
            case _:
                return "", ""
        node = above
    return "", ""


def _factor(product: ast.BinOp, node: ast.AST) -> int | None:
    """The sign of what it is multiplied by, where that is a name or a number; else None."""
    other = product.right if product.left is node else product.left
    negative = isinstance(other, ast.UnaryOp) and isinstance(other.op, ast.USub)
    plain_one = other.operand if negative and isinstance(other, ast.UnaryOp) else other
    simple = isinstance(plain_one, (ast.Name, ast.Attribute, ast.Constant))
    return (-1 if negative else 1) if simple else None


def _uses_of_name(name: str, call: ast.Call, parents: Mapping[ast.AST, ast.AST]) -> Iterator[str]:
    """What the function around the call does with the name that its result gets."""
    around: ast.AST = call
    while not isinstance(around, Function | ast.Module) and around in parents:
        around = parents[around]
    for part in ast.walk(around):
        if not isinstance(part, (ast.Name, ast.Attribute)) or not isinstance(part.ctx, ast.Load):
            continue
        if ast.unparse(part) == name and part.lineno >= call.lineno:
            yield _use(part, parents)[0]


def given_gradients(functions: Mapping[str, Any]) -> dict[str, Any]:
    """Those that a gradient is handed to."""
    codes = {name: getattr(inspect.unwrap(f), "__code__", None) for name, f in functions.items()}
    return {
        name: functions[name]
        for name, code in codes.items()
        if code is not None and any(is_slope(plain(arg)) for arg in code.co_varnames[: code.co_argcount])
    }
