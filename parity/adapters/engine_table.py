"""The operators and methods of an autograd engine that are checked, each as what.

Each is one layer of a kind, of which it computes one step; see `engine_operators`, `engine_functions` and
`engine_moves`. Needs NumPy alone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import suppress
from inspect import Parameter, signature
from typing import Any

import numpy as np

from parity.adapters.engine import Engine, NoGradient, of_one_number
from parity.adapters.engine_expressions import AXES, axis_asked_for
from parity.adapters.engine_functions import Absolute, Exponential, Logarithm, PowerOf2, Root
from parity.adapters.engine_kinds import engine_of
from parity.adapters.engine_methods import OfEngine, asked, goes_back
from parity.adapters.engine_moves import Flat, Largest, Rows, Smallest, Transposed
from parity.adapters.engine_operators import (
    Addition,
    Affine,
    Division,
    Matrix,
    Mean,
    Negation,
    Product,
    ReversedDifference,
    ReversedMatrix,
    ReversedProduct,
    ReversedQuotient,
    ReversedSum,
    Square,
    Subtraction,
    Total,
)
from parity.adapters.left_operands import unless_never

ARRAYS = {  # made for arrays alone
    *("__matmul__", "__rmatmul__", "matmul", "dot", "mm", "sum", "mean", "max", "min"),
    *("T", "transpose", "reshape", "view", "__getitem__"),
}
# Of each operator or method: the kind that it is checked as, the layer, and what that computes.
OPERATORS: dict[str, tuple[str, type[OfEngine], str]] = {
    "__add__": ("affine", Addition, "A + B, with A = x @ W and B = b by NumPy"),
    "__sub__": ("affine", Subtraction, "A - B, with A = x @ W and B = -b by NumPy"),
    "__neg__": ("affine", Negation, "-A, with A = -(x @ W + b) by NumPy"),
    "__mul__": ("affine", Product, "A * B, with A of x and B of W; their sums and b by NumPy"),
    "__truediv__": ("affine", Division, "A / B, with A of x and B of 1 / W; their sums and b by NumPy"),
    "__matmul__": ("affine", Matrix, "A @ B, with A = x and B = W; + b by NumPy"),
    "matmul": ("affine", Matrix, "A.matmul(B), with A = x and B = W; + b by NumPy"),
    "dot": ("affine", Matrix, "A.dot(B), with A = x and B = W; + b by NumPy"),
    "mm": ("affine", Matrix, "A.mm(B), with A = x and B = W; + b by NumPy"),
    "sum": ("affine", Total, "A.sum(), with A = a row of x times a column of W; + b by NumPy"),
    "mean": ("affine", Mean, "A.mean(), with A = a row of x times a column of W; times I, + b by NumPy"),
    "__pow__": ("mean_squared_error", Square, "A ** 2, with A = x - t; the mean by NumPy"),
    "__radd__": ("affine", ReversedSum, "c + A, with a plain number c of b and A = x @ W by NumPy"),
    "__rsub__": ("affine", ReversedDifference, "c - A, with a plain number c of b and A = -x @ W by NumPy"),
    "__rmul__": ("affine", ReversedProduct, "c * A, with a plain number c and A = (x @ W + b) / c by NumPy"),
    "__rtruediv__": (
        "affine",
        ReversedQuotient,
        "c / A, with a plain number c and A = c / (x @ W + b) by NumPy",
    ),
    "__rmatmul__": (
        "affine",
        ReversedMatrix,
        "A.__rmatmul__(B), with A = W and an array B = x; + b by NumPy",
    ),
    "__rpow__": ("elu", PowerOf2, "2 ** A, with A = x / ln 2 where x is not above 0; - 1 by NumPy"),
    "__iadd__": ("affine", Addition, "A += B, with A = x @ W and B = b by NumPy"),
    "__isub__": ("affine", Subtraction, "A -= B, with A = x @ W and B = -b by NumPy"),
    "__imul__": ("affine", Product, "A *= B, with A of x and B of W; their sums and b by NumPy"),
    "__itruediv__": ("affine", Division, "A /= B, with A of x and B of 1 / W; their sums and b by NumPy"),
    "exp": ("elu", Exponential, "A.exp(), with A = x where x is not above 0; - 1 by NumPy"),
    "log": ("softplus", Logarithm, "A.log(), with A = 1 + exp(x) by NumPy where x is between -1 and 10"),
    "sqrt": ("softplus", Root, "A.sqrt(), with A = log(1 + exp(x)) ** 2 by NumPy"),
    "abs": ("relu", Absolute, "A.abs(), with A = x; the half of its sum with x by NumPy"),
    "__abs__": ("relu", Absolute, "abs(A), with A = x; the half of its sum with x by NumPy"),
    "max": ("affine", Largest, "A.max(), with A = x @ W + b beside a smaller number by NumPy"),
    "min": ("affine", Smallest, "A.min(), with A = x @ W + b beside a larger number by NumPy"),
    "T": ("affine", Transposed, "A.T, with A the transpose of x @ W + b by NumPy"),
    "transpose": ("affine", Transposed, "A.transpose(), with A the transpose of x @ W + b by NumPy"),
    "__getitem__": ("affine", Rows, "A[N:2 * N], with A = x @ W + b among other rows by NumPy"),
    "reshape": ("flatten", Flat, "A.reshape(N, D), with A = x"),
    "view": ("flatten", Flat, "A.view(N, D), with A = x"),
}
WRITTEN: dict[str, Callable[..., Any]] = {
    "__add__": operator.add,
    "__sub__": operator.sub,
    "__neg__": operator.neg,
    "__mul__": operator.mul,
    "__truediv__": operator.truediv,
    "__matmul__": operator.matmul,
    "__pow__": lambda a: a**2,
    "__radd__": operator.add,
    "__rsub__": operator.sub,
    "__rmul__": operator.mul,
    "__rtruediv__": operator.truediv,
    "__rmatmul__": lambda array, a: type(a).__rmatmul__(a, array),
    "__rpow__": lambda a: 2.0**a,
    "__iadd__": operator.iadd,
    "__isub__": operator.isub,
    "__imul__": operator.imul,
    "__itruediv__": operator.itruediv,
    "__abs__": operator.abs,
    "T": lambda a: a.T,
}
ASK_NOTHING = ("exp", "log", "sqrt", "abs")  # methods that are an operator where they do
ALONG = ("sum", "mean", "max", "min")  # or ask for an axis at most
SHAPED = ("reshape", "view")  # or for a shape
MATRICES = ("__matmul__", "matmul", "dot", "mm")
FUNCTIONS = {  # of nodes, and the operator that each is
    **{name: name for name in ("exp", "log", "sqrt", "abs", "sum", "mean", "max", "min")},
    **{name: name for name in ("transpose", "reshape")},
    "add": "__add__",
    "sub": "__sub__",
    "subtract": "__sub__",
    "mul": "__mul__",
    "multiply": "__mul__",
    "div": "__truediv__",
    "divide": "__truediv__",
    "neg": "__neg__",
    "negate": "__neg__",
    **{name: "__matmul__" for name in ("matmul", "mm", "dot")},
}
IN_PLACE = ("__iadd__", "__isub__", "__imul__", "__itruediv__")


def as_operator_layer(cls: type, name: str) -> type:
    """The layer for an operator, or a method that is one, of an engine's class.

    Of one that takes no arrays, though a node could hold them, it is asked for one number after another.
    """
    return _of_arrays_or_numbers(cls, lambda engine: _layer_of(engine, name, *_called(engine, name)))


def as_function_layer(cls: type, function: Callable[..., Any]) -> type:
    """The layer for a function of the nodes of an engine's class that is an operator by its name."""
    name, says = function.__name__, f"by {function.__name__}() of {cls.__name__}"
    own = FUNCTIONS[name]
    of, space = _given(own, function, function) if own not in WRITTEN else (function, {})
    return _of_arrays_or_numbers(cls, lambda engine: _layer_of(engine, own, of, space, f"{name}()", says))


def _of_arrays_or_numbers(cls: type, made: Callable[[Engine], type[OfEngine]]) -> type:
    layer = made(engine_of(cls) or Engine(cls))
    if layer.engine.of_arrays and of_one_number(cls) and not _runs(layer):
        apart = made(engine_of(cls, of_arrays=False) or Engine(cls, of_arrays=False))
        return apart if _runs(apart) else layer
    return layer


def _layer_of(
    engine: Engine, name: str, of: Callable[..., Any], space: dict[str, Any], own: str = "", by: str = ""
) -> type[OfEngine]:
    """`own` is what its class is called, `by` whose the operator is."""
    _, base, says = OPERATORS[name]

    def refuse(*_: Any) -> Any:
        raise NoGradient(f"its nodes hold single numbers, of which there is no {name}")

    known = space | {"engine": engine, "__module__": __name__, "__doc__": base.__doc__}
    refused = name in ARRAYS and not engine.of_arrays
    known["of"] = staticmethod(refuse if refused else unless_never(engine, name, of))
    by = by or f"{engine.cls.__name__}'s operator"
    known["says"] = f"{says} ({by}{asked(engine)})"
    return type(own or name, (base,), known)


def _runs(layer: type[OfEngine]) -> bool:
    """Whether it goes forward and back on arrays."""
    if issubclass(layer, Square):
        with suppress(Exception):
            square = layer()
            return square.forward(np.ones((2, 2)), np.eye(2)) is not None and square.backward() is not None
        return False
    weights = [np.array([[2.0, -1.0], [0.5, 4.0]]), np.array([1.0, 2.0])]
    return goes_back(layer, *weights) if issubclass(layer, Affine) else goes_back(layer)


def _called(engine: Engine, name: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """How it is called, and what its layer is to know of that."""
    if name in WRITTEN:
        return WRITTEN[name], {}
    if name == "__getitem__":
        return lambda node: node[slice(*_middle(engine.value(node)))], {}
    call = lambda node, *others, **given: getattr(node, name)(*others, **given)  # noqa: E731
    return _given(name, getattr(engine.cls, name), call)


def _given(
    name: str, method: Callable[..., Any], call: Callable[..., Any]
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """What a method, or a function of a node, is given besides, as its signature says."""
    if name in SHAPED and len(_asked(method)) == 1:
        return lambda node, shape: call(node, shape), {}
    if name in SHAPED:
        return lambda node, shape: call(node, *shape), {}
    if name == "transpose":
        axes = ([], [(1, 0)], [0, 1])[min(len(_asked(method)), 2)]
        return lambda node: call(node, *axes), {}
    asks = _axis_of(method) if name in ("max", "min") else axis_asked_for(method) if name in ALONG else ""
    given = {asks: 1} if asks else {}
    known = {"along": bool(asks)} if name in ("max", "min") else {}
    return lambda node, *others: call(node, *others, **given), known


def _middle(array: Any) -> tuple[int, int]:
    """The third in the middle of its rows."""
    return len(array) // 3, 2 * (len(array) // 3)


def _asked(method: Any) -> list[str]:
    """The parameters that it cannot do without, but for self."""
    try:
        _, *own = signature(method).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in own if p.default is p.empty and p.kind is Parameter.POSITIONAL_OR_KEYWORD]


def _axis_of(method: Any) -> str:
    """The name under which it takes an axis; "" where it takes none."""
    try:
        names = [*signature(method).parameters]
    except (TypeError, ValueError):
        return ""
    return next((name for name in AXES if name in names), "")
