"""Indices and shapes that no array takes, as a function's lines show: `A[m]` of `A = np.zeros(m)`, weights
for an index, `np.zeros(rows, columns)`. Needs NumPy alone.
"""

from __future__ import annotations

import ast
import re

from parity.adapters.arguments import plain
from parity.adapters.file_trees import calls_at, function_at

PAST = re.compile(r"index (\d+) is out of bounds for axis (\d+) with size \1$")
FILLED = ("zeros", "ones", "empty")  # of a shape; what comes next is a dtype
NO_DTYPE = re.compile(r"Cannot interpret '\d+' as a data type$")
OF_WEIGHTS = ("w", "weight", "weights", "kernel", "kernels", "filters")
NOT_WHOLE = "arrays used as indices must be of integer"


def _subscripts(tree: ast.AST, line: int) -> list[ast.Subscript]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.Subscript) and n.lineno == line]


def _indices(node: ast.Subscript) -> list[ast.expr]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def is_past_the_end(said: str, tree: ast.Module, line: int) -> bool:
    """Whether `A[i, n_H]` goes by the very name that `A = np.zeros((m, n_H))` has for the size of that axis,
    and which nothing else is set to in its function."""
    found, function = PAST.match(said), function_at(tree, line)
    if found is None or function is None:
        return False
    axis, inside = int(found[2]), [*ast.walk(function)]
    stored = [n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    for node in _subscripts(function, line):
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


def is_by_weights(said: str, tree: ast.Module, line: int) -> bool:
    """Whether the index is a parameter that is named for weights, and is an array of axes elsewhere."""
    function = function_at(tree, line)
    if not said.startswith(NOT_WHOLE) or function is None:
        return False
    taken = {arg.arg for arg in function.args.args if plain(arg.arg) in OF_WEIGHTS}
    others = [n for n in ast.walk(function) if isinstance(n, ast.Subscript) and len(_indices(n)) > 1]
    arrays = {n.value.id for n in others if isinstance(n.value, ast.Name)} & taken
    used = {i.id for n in _subscripts(function, line) for i in _indices(n) if isinstance(i, ast.Name)}
    return bool(arrays & used)


def is_a_size_for_a_dtype(said: str, tree: ast.Module, line: int) -> bool:
    """Whether it is `np.zeros(rows, columns)`, whose second argument is a dtype and was a number."""
    if not NO_DTYPE.match(said):
        return False
    calls = [c for c in calls_at(tree, line) if ast.unparse(c.func).rpartition(".")[2] in FILLED]
    return any(len(c.args) > 1 and "type" not in ast.unparse(c.args[1]).lower() for c in calls)
