"""Exceptions that no caller can be to blame for, as their source shows: a name that nothing defines, a method
that the class does not have, `np.max(0, x)`, an attribute misspelt by a letter, a local name that holds
nothing yet (`lost_names`), a method that is not called (`sure_calls`).

Whatever an implementation is given, a line with such a mistake raises. Anything else may come of the way in
which it was called, and says nothing. Needs NumPy alone.
"""

from __future__ import annotations

import ast
import builtins
import re
from types import ModuleType
from typing import Any

import numpy as np

from parity.adapters.file_trees import bound_by_module, calls_at, loads, tree_of
from parity.adapters.former_names import OF_NUMPY, OF_PYTHON
from parity.adapters.lacking_attributes import is_lacking
from parity.adapters.logarithms import definition_of
from parity.adapters.lost_names import is_a_number_there, is_read_too_early
from parity.adapters.sure_calls import is_of_a_class, is_of_a_dict, is_uncalled
from parity.adapters.sure_indices import is_a_size_for_a_dtype, is_by_weights, is_past_the_end

LARGEST_OF = ("max", "min", "amax", "amin")  # of one array: the second argument is an axis
MARKED = re.compile(r", line \d+: bug\)")  # such an exception, in the words of `bench`
ON_THE_LEFT = "as with every number on the left"
INDEXED = "'int' object is not subscriptable"


class Sure(Exception):
    """An exception that comes whatever the code is given; its text is what `bench` prints of it."""


def can_only_raise(error: BaseException, file: str, line: int, directly: bool = True) -> bool:
    """Whether that line of that file raises whatever the code is called with; `directly`, not in a callee."""
    tree = tree_of(file)
    if tree is None:
        return False
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        return error.obj is np and not _is_former(str(error.name))
    if not directly:
        of_axis = isinstance(error, (TypeError, IndexError))
        return of_axis and any(map(_takes_an_axis_first, calls_at(tree, line)))
    if isinstance(error, UnboundLocalError):
        return is_read_too_early(str(error.name or _quoted(error)), tree, line)
    of_number = isinstance(error, AttributeError) and type(error.obj) is int
    if of_number or (isinstance(error, TypeError) and INDEXED in str(error)):
        return is_a_number_there(tree, line)
    if type(error) is NameError:
        return _is_undefined(str(error.name or ""), tree)
    if type(error) is IndexError:
        return is_past_the_end(str(error), tree, line) or is_by_weights(str(error), tree, line)
    if type(error) is TypeError:
        sure = (is_a_size_for_a_dtype, is_uncalled, is_of_a_class)
        return any(one(str(error), tree, line) for one in sure)
    if isinstance(error, AttributeError) and error.obj is not None:
        about = (error.obj, str(error.name), tree, line)
        return is_lacking(*about) or is_of_a_dict(*about)
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


def says_none(method: Any) -> bool:
    """Whether `return None` is written out wherever it returns, as by the first layer of a network."""
    node = definition_of(method)
    returned = [n.value for n in ast.walk(node) if isinstance(n, ast.Return)] if node is not None else []
    return bool(returned) and all(isinstance(v, ast.Constant) and v.value is None for v in returned)


def _computes(value: ast.expr) -> bool:
    return any(isinstance(n, (ast.BinOp, ast.Call, ast.Compare)) for n in ast.walk(value))


def _is_undefined(name: str, tree: ast.Module) -> bool:
    """Whether nothing in the file gives the name a meaning outside of functions, nor may have done so."""
    nodes = [*ast.walk(tree)]
    if any(alias.name == "*" for n in nodes if isinstance(n, ast.ImportFrom) for alias in n.names):
        return False
    if loads(nodes) or hasattr(builtins, name) or name in OF_PYTHON:
        return False
    declared = {one for n in nodes if isinstance(n, ast.Global) for one in n.names}
    return name not in declared | {*bound_by_module(tree)}


def _is_former(name: str) -> bool:
    """Whether NumPy once had it."""
    former = getattr(np, "__former_attrs__", None), getattr(np, "__expired_attributes__", None)
    return None in former or any(name in one for one in former if one is not None) or name in REMOVED


REMOVED = {  # without a note in NumPy
    *OF_NUMPY,
    *("bool", "long", "unicode", "trapz", "row_stack", "typeDict", "loads", "rank", "oldnumeric", "numarray"),
    *("random_integers", "msort"),
}


def _takes_an_axis_first(call: ast.Call) -> bool:
    """Whether it is `np.max(0, x)`, where the larger of two is meant, `np.maximum(0, x)`."""
    of = call.func
    if not isinstance(of, ast.Attribute) or of.attr not in LARGEST_OF or not isinstance(of.value, ast.Name):
        return False
    return of.value.id in ("np", "numpy") and len(call.args) > 1 and isinstance(call.args[0], ast.Constant)
