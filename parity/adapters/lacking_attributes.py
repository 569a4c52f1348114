"""Attributes that an object cannot have, as its file shows: a method of no class, a misspelt name, a stride
that nothing sets, a state that begins from itself. Needs NumPy alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import partial
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.file_trees import FUNCTIONS, bound_by_module, calls_at, loads
from parity.adapters.signatures import BACKWARD, FORWARD
from parity.adapters.updates import UPDATE

ABSTRACT = re.compile("(base|abstract)|(base|abstract|mixin)$", re.IGNORECASE)
LEAST = 4  # letters of a name that can be misspelt by one
GEOMETRY = {  # attributes that nobody sets from outside
    *("stride", "strides", "padding", "kernelsize", "poolsize", "filtersize", "numfilters", "inputshape"),
    *("inchannels", "outchannels"),
}


def is_lacking(owner: Any, name: str, tree: ast.Module, line: int) -> bool:
    """Whether a class of the file calls a method that it does not have, or misspells an attribute."""
    kind = type(owner)
    classes = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    own = classes.get(kind.__name__)
    nodes = [*ast.walk(tree)]
    if own is None or loads(nodes) or any(c.__module__ == "builtins" for c in kind.__mro__[:-1]):
        return False
    if plain(name) in GEOMETRY and _is_set_nowhere(name, own, classes):
        return True
    if _begins_from_itself(own, name, nodes):
        return True
    stored = {n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    defined = {n.name for n in nodes if isinstance(n, FUNCTIONS[:2])}
    if name in stored | defined | {*bound_by_module(tree)}:
        return False
    if any(isinstance(call.func, ast.Attribute) and call.func.attr == name for call in calls_at(tree, line)):
        inherited = any(
            isinstance(base, ast.Name) and base.id == kind.__name__
            for c in classes.values()
            for base in c.bases
        )
        interface = plain(name) in (*FORWARD, *BACKWARD)
        return not (inherited or interface or ABSTRACT.search(kind.__name__))
    if _assigns_nothing(name, tree, line):
        return True
    return len(name) >= LEAST and any(_off_by_one(name, other) for other in vars(owner))


def _is_set_nowhere(name: str, own: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    """Whether neither the class nor one that it inherits from, all of which are in the file, has anything of
    that name."""
    left, family = [own], [own]
    while left:
        for base in left.pop().bases:
            if not isinstance(base, ast.Name) or base.id not in (*classes, "object", "ABC"):
                return False
            if base.id in classes and classes[base.id] not in family:
                family.append(classes[base.id])
                left.append(classes[base.id])
    nodes = [n for c in family for n in ast.walk(c)]
    stored = {n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    stored |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return name not in stored | {n.name for n in nodes if isinstance(n, FUNCTIONS[:2])}


def _begins_from_itself(own: ast.ClassDef, name: str, nodes: Iterable[ast.AST]) -> bool:
    """Whether an optimizer sets an attribute from its own old value alone, `self.m = beta * self.m + ...`.

    Where it has a base, or something else in the file sets that attribute of an object, that may come first.
    """
    methods = [n for n in own.body if isinstance(n, ast.FunctionDef)]
    if own.bases or not any(plain(n.name) in UPDATE for n in methods):
        return False
    inside = {id(n) for n in ast.walk(own)}
    outside = (n for n in nodes if isinstance(n, ast.Attribute) and n.attr == name and id(n) not in inside)
    if any(isinstance(n.ctx, ast.Store) and getattr(n.value, "id", "") != "self" for n in outside):
        return False
    values = [n.value for n in ast.walk(own) if isinstance(n, ast.Assign) and _sets(n, name)]
    stores = [n for n in ast.walk(own) if _is_own(n, name, ast.Store)]
    return bool(values) and len(values) == len(stores) and all(map(partial(_reads, name), values))


def _sets(node: ast.Assign, name: str) -> bool:
    return any(_is_own(target, name, ast.Store) for target in node.targets)


def _reads(name: str, value: ast.expr) -> bool:
    return any(_is_own(n, name, ast.Load) for n in ast.walk(value))


def _is_own(node: ast.AST, name: str, how: type[ast.expr_context]) -> bool:
    """Whether it is `self.name`, read or set."""
    owner = getattr(node, "value", None)
    named = isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, how)
    return named and isinstance(owner, ast.Name) and owner.id == "self"


def _assigns_nothing(name: str, tree: ast.Module, line: int) -> bool:
    """Whether that line of a constructor is `self.name` alone, where it takes a parameter of that name."""
    built = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
    asking = [n for n in built if name in {arg.arg for arg in (*n.args.args, *n.args.kwonlyargs)}]
    alone = [one for n in asking for one in n.body if isinstance(one, ast.Expr) and one.lineno == line]
    return any(isinstance(one.value, ast.Attribute) and one.value.attr == name for one in alone)


def _off_by_one(name: str, other: str) -> bool:
    """Whether one letter is exchanged, left out or added, or two neighbours have changed places."""
    short, long = sorted((name, other), key=len)
    if len(short) == len(long):
        at = [i for i, (a, b) in enumerate(zip(name, other, strict=True)) if a != b]
        turned = (
            len(at) == 2
            and at[1] == at[0] + 1
            and name[at[0]] == other[at[1]]
            and name[at[1]] == other[at[0]]
        )
        return (len(at) == 1 and not name[at[0]].isdigit()) or turned
    return len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
