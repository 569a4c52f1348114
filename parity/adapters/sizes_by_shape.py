"""What the sizes are that a constructor asks for under names that say nothing: by the arrays that it makes.

`self.W = np.random.randn(a, k, k, c)` beside `self.b = np.zeros(a)` has a filters of c channels, k wide and
high; `randn(p, q)` beside `zeros((p, 1))` gives p numbers for q. It is read, not tried. Needs Python alone.
"""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from parity.adapters.logarithms import definition_of

MAKERS = {
    *("randn", "rand", "zeros", "ones", "empty", "full", "normal", "uniform", "random", "standard_normal"),
    *("random_sample", "ranf", "sample", "truncated_normal"),
}
BY_NUMBER = {"randn", "rand"}  # which take each size as an argument
SHAPES = ("size", "shape")  # keywords
ONE, OTHER = "1", ""
Known = Mapping[str, Collection[str]]  # the meanings of parameters by their names
Shape = tuple[str, ...]  # a parameter, ONE or OTHER for each axis


def shapes_in(cls: type) -> list[Shape]:
    """The shapes of the arrays that the methods of a class make of its constructor's parameters."""
    own = {name: definition_of(f) for name, f in vars(cls).items() if inspect.isfunction(f)}
    built, methods = own.get("__init__"), [node for node in own.values() if node is not None]
    if built is None:
        return []
    names = {arg.arg: arg.arg for arg in built.args.args[1:]}
    for part in ast.walk(built):
        match part:
            case ast.Assign(targets=[ast.Attribute() as kept], value=ast.Name(id=given)) if given in names:
                names.setdefault(ast.unparse(kept), given)
    found = [shape for node in methods for shape in _made_in(node, names)]
    return list(dict.fromkeys(shape for shape in found if set(shape) - {ONE, OTHER}))


def _made_in(node: ast.AST, names: dict[str, str]) -> Iterator[Shape]:
    for part in ast.walk(node):
        if not isinstance(part, ast.Call) or _last(part.func) not in MAKERS:
            continue
        given = [keyword.value for keyword in part.keywords if keyword.arg in SHAPES] or part.args
        tuples = [one for one in given if isinstance(one, (ast.Tuple, ast.List))]
        if _last(part.func) in BY_NUMBER:
            yield tuple(_size(one, names) for one in part.args)
        elif tuples:
            yield tuple(_size(one, names) for one in tuples[-1].elts)
        elif given and _last(part.func) in ("zeros", "ones", "empty", "full"):
            yield (_size(given[0], names),)


def _last(function: ast.expr) -> str:
    return ast.unparse(function).rpartition(".")[2]


def _size(one: ast.expr, names: dict[str, str]) -> str:
    if isinstance(one, ast.Constant) and one.value == 1:
        return ONE
    return names.get(ast.unparse(one), OTHER)


def sizes_by_shape(shapes: Sequence[Shape], kind: str) -> dict[str, str]:
    """Parameter -> what it is the size of, as far as the shapes leave one reading."""
    alone = {shape: [name for name in shape if name != ONE] for shape in map(tuple, shapes)}
    rows = {names[0] for names in alone.values() if len(names) == 1 and names[0] != OTHER}
    if kind == "affine":
        return _by_two({shape for shape in alone if len(shape) == 2 and not {ONE, OTHER} & {*shape}}, rows)
    if kind == "convolution":
        return _by_four([shape for shape in alone if len(shape) == 4], rows)
    if kind in ("batch_norm", "layer_norm"):
        flat = all(len(names) == 1 for names in alone.values())
        return dict.fromkeys(rows, "C") if len(rows) == 1 and flat else {}
    return {}


def _by_two(pairs: Collection[Shape], rows: set[str]) -> dict[str, str]:
    """Of a dense layer: its bias has as many numbers as come out."""
    names = {name for pair in pairs for name in pair}
    out = names & rows
    if len(names) != 2 or len(out) != 1:
        return {}
    return dict.fromkeys(names, "I") | dict.fromkeys(out, "O")


def _by_four(shapes: Sequence[Shape], rows: set[str]) -> dict[str, str]:
    """Of a convolution: a name that stands twice is a side of the window, that of the bias the filters."""
    if len(shapes) != 1:
        return {}
    count = Counter(name for name in shapes[0] if name not in (ONE, OTHER))
    sides = [name for name, often in count.items() if often == 2]
    rest = [name for name, often in count.items() if often == 1]
    filters = [name for name in rest if name in rows]
    found = dict.fromkeys(sides, "kernel") if len(sides) == 1 and len(rest) <= 2 else {}
    if found and len(filters) == 1:
        found |= dict.fromkeys(filters, "FN") | {name: "C" for name in rest if name not in filters}
    return found


def unknown_sizes(shapes: Sequence[Shape], kind: str, known: Known) -> dict[str, str]:
    """Those among the parameters whose names say nothing, where no name of another says the same.

    `known` are the meanings of each required parameter by its name.
    """
    taken = {meaning for meanings in known.values() for meaning in meanings}
    return {
        name: meaning
        for name, meaning in sizes_by_shape(shapes, kind).items()
        if name in known and not known[name] and meaning not in taken
    }
