"""Exceptions that no caller can be to blame for, as their source shows: a name that nothing defines, a method
that the class does not have, `np.max(0, x)`, an attribute misspelt by a letter, a local name that holds
nothing yet (`lost_names`).

Whatever an implementation is given, a line with such a mistake raises. Anything else may come of the way in
which it was called, and says nothing. Needs NumPy alone.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from types import ModuleType
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.former_names import OF_NUMPY, OF_PYTHON
from parity.adapters.logarithms import definition_of
from parity.adapters.lost_names import is_a_number_there, is_read_too_early
from parity.adapters.signatures import BACKWARD, FORWARD
from parity.adapters.updates import UPDATE

LARGEST_OF = ("max", "min", "amax", "amin")  # of one array: the second argument is an axis
LOADERS = ("__getattr__", "__getattribute__", "setattr", "exec", "globals", "__dict__")
ABSTRACT = re.compile("(base|abstract)|(base|abstract|mixin)$", re.IGNORECASE)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
MARKED = re.compile(r", line \d+: bug\)")  # such an exception, in the words of `bench`
INDEXED = "'int' object is not subscriptable"
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
    if isinstance(error, UnboundLocalError):
        return is_read_too_early(str(error.name or _quoted(error)), tree, line)
    of_number = isinstance(error, AttributeError) and type(error.obj) is int
    if of_number or (isinstance(error, TypeError) and INDEXED in str(error)):
        return is_a_number_there(tree, line)
    if type(error) is NameError:
        return _is_undefined(str(error.name or ""), tree)
    if type(error) is IndexError:
        return _is_past_the_end(str(error), tree, line) or _is_by_weights(str(error), tree, line)
    if type(error) is TypeError:
        return _is_a_size_for_a_dtype(str(error), tree, line)
    if isinstance(error, AttributeError) and error.obj is not None:
        return _is_lacking(error.obj, str(error.name), tree, line)
    return False


def _quoted(error: BaseException) -> str:
    """The name in its message, where Python does not say it apart."""
    found = re.search(r"'(\w+)'", str(error))
    return found[1] if found else ""


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
    if plain(name) in GEOMETRY and _is_set_nowhere(name, own, classes):
        return True
    if _begins_from_itself(own, name, nodes):
        return True
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


GEOMETRY = {  # attributes that nobody sets from outside
    *("stride", "strides", "padding", "kernelsize", "poolsize", "filtersize", "numfilters", "inputshape"),
    *("inchannels", "outchannels"),
}
PAST = re.compile(r"index (\d+) is out of bounds for axis (\d+) with size \1$")
FILLED = ("zeros", "ones", "empty")  # of a shape; what comes next is a dtype
NO_DTYPE = re.compile(r"Cannot interpret '\d+' as a data type$")
OF_WEIGHTS = ("w", "weight", "weights", "kernel", "kernels", "filters")
NOT_WHOLE = "arrays used as indices must be of integer"


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


def _functions_at(tree: ast.Module, line: int) -> list[ast.FunctionDef]:
    """The functions in which that line stands, the innermost last."""
    found = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    return sorted((f for f in found if f.lineno <= line <= (f.end_lineno or line)), key=lambda f: f.lineno)


def _subscripts(tree: ast.AST, line: int) -> list[ast.Subscript]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.Subscript) and n.lineno == line]


def _indices(node: ast.Subscript) -> list[ast.expr]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def _is_past_the_end(said: str, tree: ast.Module, line: int) -> bool:
    """Whether `A[i, n_H]` goes by the very name that `A = np.zeros((m, n_H))` has for the size of that axis,
    and which nothing else is set to in its function."""
    found, at = PAST.match(said), _functions_at(tree, line)
    if found is None or not at:
        return False
    axis, inside = int(found[2]), [*ast.walk(at[-1])]
    stored = [n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    for node in _subscripts(at[-1], line):
        index = _indices(node)[axis : axis + 1]
        if not isinstance(node.value, ast.Name) or not index or not isinstance(index[0], ast.Name):
            continue
        made = [
            n.value
            for n in inside
            if isinstance(n, ast.Assign) and [ast.unparse(target) for target in n.targets] == [node.value.id]
        ]
        shapes = [_shape_of(value) for value in made]
        sized = [ast.unparse(shape[axis]) for shape in shapes if len(shape) > axis]
        alone = stored.count(index[0].id) <= 1 and stored.count(node.value.id) == 1
        if alone and sized == [index[0].id]:
            return True
    return False


def _shape_of(value: ast.expr) -> list[ast.expr]:
    """The sizes in `np.zeros((m, n_H))`; none in anything else."""
    made = isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] in FILLED
    first = value.args[0] if made and isinstance(value, ast.Call) and value.args else None
    return list(first.elts) if isinstance(first, (ast.Tuple, ast.List)) else []


def _is_by_weights(said: str, tree: ast.Module, line: int) -> bool:
    """Whether the index is a parameter that is named for weights, and is an array of axes elsewhere."""
    at = _functions_at(tree, line)
    if not said.startswith(NOT_WHOLE) or not at:
        return False
    taken = {arg.arg for arg in at[-1].args.args if plain(arg.arg) in OF_WEIGHTS}
    others = [n for n in ast.walk(at[-1]) if isinstance(n, ast.Subscript) and len(_indices(n)) > 1]
    arrays = {n.value.id for n in others if isinstance(n.value, ast.Name)} & taken
    used = {i.id for n in _subscripts(at[-1], line) for i in _indices(n) if isinstance(i, ast.Name)}
    return bool(arrays & used)


def _is_a_size_for_a_dtype(said: str, tree: ast.Module, line: int) -> bool:
    """Whether it is `np.zeros(rows, columns)`, whose second argument is a dtype and was a number."""
    if not NO_DTYPE.match(said):
        return False
    calls = [c for c in _calls(tree, line) if ast.unparse(c.func).rpartition(".")[2] in FILLED]
    return any(len(c.args) > 1 and "type" not in ast.unparse(c.args[1]).lower() for c in calls)


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
