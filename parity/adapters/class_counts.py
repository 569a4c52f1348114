"""Numbers of classes that stand in a source: `np.eye(10)[y]`, `np.zeros((n, NUM_CLASSES))`, `range(3)`.

Such code takes rows of so many numbers and no others. Here are all that may be one; which of them is a number
of classes a trial shows. It is read, not tried. Needs Python alone.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from parity.adapters.logarithms import definition_of

SHAPES = {"zeros", "ones", "empty", "full", "eye", "identity", "range", "arange", "xrange"}
CODES = ("onehot", "onehotencode", "onehotencoding", "tocategorical", "tile", "reshape")
KEYWORDS = {"shape", "N", "M", "minlength", "depth", "num_classes", "n_classes", "numclasses", "nclasses"}
LEAST, MOST = 2, 1000
Values = Mapping[str, Any]  # what a name, or `self.name`, stands for


def counts_in(factory: Any, functions: Mapping[str, Any]) -> list[int]:
    """The whole numbers that these functions of a class or file, and those that they call, give as a size."""
    own = dict(functions)
    for function in functions.values():
        own |= _called(function)
    found: dict[int, None] = {}
    for function in own.values():
        node = definition_of(function)
        if node is not None:
            found |= dict.fromkeys(_sizes(node, _values(factory, function, node)))
    return [*found]


def _called(function: Any) -> dict[str, Any]:
    """The functions of its file that it names."""
    function = getattr(function, "__func__", function)
    beside = getattr(function, "__globals__", {})
    named = {name: beside.get(name) for name in getattr(getattr(function, "__code__", None), "co_names", ())}
    return {name: one for name, one in named.items() if inspect.isfunction(one) and one.__globals__ is beside}


def _values(factory: Any, function: Any, node: ast.AST) -> Values:
    """The whole numbers of its file, of its class, of its constructor and of its own defaults."""
    function = getattr(function, "__func__", function)
    found: dict[str, Any] = dict(getattr(function, "__globals__", {}))
    for name, parameter in inspect.signature(function).parameters.items():
        found[name] = parameter.default
    classes = factory.__mro__[:-1] if isinstance(factory, type) else ()
    for cls in reversed(classes):
        for name, value in vars(cls).items():
            found |= {f"self.{name}": value, f"cls.{name}": value, f"{cls.__name__}.{name}": value}
        constructor = vars(cls).get("__init__")
        built = definition_of(constructor) if inspect.isfunction(constructor) else None
        if inspect.isfunction(constructor) and built is not None:
            given = {n: p.default for n, p in inspect.signature(constructor).parameters.items()}
            known = {**constructor.__globals__, **given}
            for part in ast.walk(built):
                if isinstance(part, ast.Assign) and len(part.targets) == 1:
                    found[ast.unparse(part.targets[0])] = _number(part.value, known)
    return found


def _sizes(node: ast.AST, values: Values) -> Iterator[int]:
    """The sizes in its calls of NumPy's constructors, of `range` and of a one-hot code."""
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func).rpartition(".")[2]
        word = name.replace("_", "").lower()
        sizes = _last(call.args, word) if name in SHAPES or word in CODES else ()
        keywords = (one.value for one in call.keywords if one.arg in KEYWORDS)
        for part in (*sizes, *(last for one in keywords for last in _last([one], "zeros"))):
            number = _number(part, values)
            if type(number) is int and LEAST <= number <= MOST:
                yield number


def _last(args: Iterable[ast.expr], word: str) -> list[ast.expr]:
    """The argument that may be a number of classes: the last size of a shape, the last argument of a code."""
    given = [*args]
    if not given or (word in CODES and len(given) < 2):
        return []
    one = given[-1] if word in (*CODES, "range", "arange") else given[0]
    return [*one.elts[-1:]] if isinstance(one, (ast.Tuple, ast.List)) else [one]


def _number(part: ast.expr, values: Values) -> Any:
    """The number that an expression is; None where it is none."""
    if isinstance(part, ast.Constant):
        return part.value
    if isinstance(part, (ast.Name, ast.Attribute)):
        found = values.get(ast.unparse(part))
        return found if type(found) is int else None
    return None
