"""Exceptions that no caller can be to blame for, as their source shows: a name that nothing defines, a method
that the class does not have, `np.max(0, x)`, an attribute misspelt by a letter.

Whatever an implementation is given, a line with such a mistake raises. Anything else may come of the way in
which it was called, and says nothing. Needs NumPy alone.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.former_names import OF_NUMPY, OF_PYTHON
from parity.adapters.logarithms import definition_of
from parity.adapters.signatures import BACKWARD, FORWARD

LARGEST_OF = ("max", "min", "amax", "amin")  # of one array: the second argument is an axis
LOADERS = ("__getattr__", "__getattribute__", "setattr", "exec", "globals", "__dict__")
ABSTRACT = re.compile("(base|abstract)|(base|abstract|mixin)$", re.IGNORECASE)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
MARKED = re.compile(r", line \d+: bug\)")  # such an exception, in the words of `bench`
LEAST = 4  # letters of a name that can be misspelt by one


def can_only_raise(error: BaseException, file: str, line: int, directly: bool = True) -> bool:
    """Whether that line of that file raises whatever the code is called with; `directly`, not in a callee."""
    tree = _tree(file)
    if tree is None:
        return False
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        return error.obj is np and not _is_former(str(error.name))
    if not directly:
        of_axis = isinstance(error, (TypeError, IndexError))
        return of_axis and any(map(_takes_an_axis_first, _calls(tree, line)))
    if type(error) is NameError:
        return _is_undefined(str(error.name or ""), tree)
    if isinstance(error, AttributeError) and error.obj is not None:
        return _is_lacking(error.obj, str(error.name), tree, line)
    return False


def gives_nothing(method: Any) -> bool:
    """Whether a method computes something, but neither returns nor keeps it, nor writes it into anything."""
    node = definition_of(method)
    nodes = [*ast.walk(node)] if node is not None else []
    returned = (n for n in nodes if isinstance(n, (ast.Return, ast.Yield, ast.YieldFrom)))
    kept = (
        n for n in nodes if isinstance(n, (ast.Attribute, ast.Subscript)) and isinstance(n.ctx, ast.Store)
    )
    called = (n for n in nodes if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call))
    nonlocal_ = (n for n in nodes if isinstance(n, (ast.Global, ast.Nonlocal, ast.Raise)))
    computed = (n for n in nodes if isinstance(n, (ast.Assign, ast.AugAssign)) and _computes(n.value))
    outside = any(getattr(n, "value", None) is not None for n in returned) or any(kept) or any(nonlocal_)
    return not outside and not any(called) and any(computed)


def _computes(value: ast.expr) -> bool:
    return any(isinstance(n, (ast.BinOp, ast.Call, ast.Compare)) for n in ast.walk(value))


@lru_cache(maxsize=64)
def _tree(file: str) -> ast.Module | None:
    try:
        return ast.parse("".join(linecache.getlines(file)) or "!")
    except (SyntaxError, ValueError, RecursionError):
        return None


def _is_undefined(name: str, tree: ast.Module) -> bool:
    """Whether nothing in the file gives the name a meaning outside of functions, nor may have done so."""
    nodes = [*ast.walk(tree)]
    if any(alias.name == "*" for n in nodes if isinstance(n, ast.ImportFrom) for alias in n.names):
        return False
    if _loads(nodes) or hasattr(builtins, name) or name in OF_PYTHON:
        return False
    declared = {one for n in nodes if isinstance(n, ast.Global) for one in n.names}
    return name not in declared | {*_of_module(tree)}


def _loads(nodes: Iterable[ast.AST]) -> bool:
    """Whether it may define names in a way that its statements do not show."""
    return any(getattr(n, "id", getattr(n, "attr", "")) in LOADERS for n in nodes)


def _of_module(node: ast.AST) -> Iterator[str]:
    """The names that the module's own statements bind, those of classes' bodies among them."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield child.name
        elif isinstance(child, ast.Name) and not isinstance(child.ctx, ast.Load):
            yield child.id
        elif isinstance(child, ast.alias):
            yield (child.asname or child.name).partition(".")[0]
        elif isinstance(child, ast.ExceptHandler) and child.name:
            yield child.name
        if not isinstance(child, FUNCTIONS):
            yield from _of_module(child)


def _is_former(name: str) -> bool:
    """Whether NumPy once had it."""
    former = getattr(np, "__former_attrs__", None), getattr(np, "__expired_attributes__", None)
    return None in former or any(name in one for one in former if one is not None) or name in REMOVED


REMOVED = {  # without a note in NumPy
    *OF_NUMPY,
    *("bool", "long", "unicode", "trapz", "row_stack", "typeDict", "loads", "rank", "oldnumeric", "numarray"),
    *("random_integers", "msort"),
}


def _is_lacking(owner: Any, name: str, tree: ast.Module, line: int) -> bool:
    """Whether a class of the file calls a method that it does not have, or misspells an attribute."""
    kind = type(owner)
    classes = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    own = classes.get(kind.__name__)
    nodes = [*ast.walk(tree)]
    if own is None or _loads(nodes) or any(c.__module__ == "builtins" for c in kind.__mro__[:-1]):
        return False
    stored = {n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    defined = {n.name for n in nodes if isinstance(n, FUNCTIONS[:2])}
    if name in stored | defined | {*_of_module(tree)}:
        return False
    if any(isinstance(call.func, ast.Attribute) and call.func.attr == name for call in _calls(tree, line)):
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


def _calls(tree: ast.Module, line: int) -> list[ast.Call]:
    """The calls on that line."""
    return [
        n for n in ast.walk(tree) if isinstance(n, ast.Call) and n.lineno <= line <= (n.end_lineno or line)
    ]


def _takes_an_axis_first(call: ast.Call) -> bool:
    """Whether it is `np.max(0, x)`, where the larger of two is meant, `np.maximum(0, x)`."""
    of = call.func
    if not isinstance(of, ast.Attribute) or of.attr not in LARGEST_OF or not isinstance(of.value, ast.Name):
        return False
    return of.value.id in ("np", "numpy") and len(call.args) > 1 and isinstance(call.args[0], ast.Constant)
