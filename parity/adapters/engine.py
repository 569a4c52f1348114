"""An autograd engine from outside: numbers in a node, what a node holds, and the gradient that it is left.

How a gradient other than 1 is handed to its backward is tried on the engine itself: as an argument, or by a
product with known numbers. A way counts where a leaf gets exactly what was handed over, so that what is wrong
in another operator is not held against the one that is looked at. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property, reduce
from inspect import Parameter, isfunction, signature
from itertools import product
from operator import add, mul, neg
from typing import Any

import numpy as np

from parity.adapters.code_objects import attributes_written, with_inner
from parity.adapters.engine_backward import backward_of

ARITHMETIC = ("__mul__", "__add__", "__matmul__")
DATA = ("data", "value", "val", "array", "arr", "_data", "_value", "cached_data", "numpy", "item")
GRADIENT = ("grad", "gradient", "g", "grads", "_grad", "adjoint")
FLAGS = ("requiresgrad", "requiregrad", "requiresgradient", "needsgrad", "autograd")  # as plain names
HANDED = ("dout", "dy", "gy", "g", "dl", "dz", "d", "delta", "seed", "upstream", "adjoint", "error")
OF_ARRAYS = {  # with one of these names in its code it is made for arrays
    *("shape", "ndim", "dot", "matmul", "transpose", "T", "reshape", "ones_like", "zeros_like", "full_like"),
    *("array", "asarray", "ndarray", "ones", "zeros", "broadcast_to", "expand_dims", "swapaxes"),
}
PRODUCTS = ("__matmul__", "matmul", "dot", "mm")  # of matrices
BROADCASTS = ("expand", "broadcast_to", "broadcast", "expand_as", "broadcastto")
TWO = 2.0  # the gradient that is handed to single numbers: dividing by it rounds nothing
Of = Callable[..., Any]  # nodes -> node


class NoGradient(RuntimeError):
    """Backward left no gradient, or there is no way to hand it one."""


def is_engine(cls: type) -> bool:
    """Whether it has a backward and arithmetic of its own."""
    return bool(backward_of(cls)) and any(hasattr(cls, name) for name in ARITHMETIC)


def takes_gradient(cls: type) -> bool:
    """Whether its backward may take the gradient of its result: not where all that it takes are flags."""
    return any(type(p.default) is not bool and not _is_flag(p.name) for p in _of_backward(cls))


def _of_backward(cls: type) -> list[Parameter]:
    """What its backward takes besides self."""
    try:
        return list(signature(getattr(cls, backward_of(cls))).parameters.values())[1:]
    except (AttributeError, TypeError, ValueError):
        return []


def flags_of(cls: type) -> dict[str, bool]:
    """What its constructor is given so that a node keeps its gradient."""
    try:
        names = list(signature(cls).parameters)
    except (TypeError, ValueError):
        return {}
    return {name: True for name in names if name.replace("_", "").lower() in FLAGS}


class Engine:
    """The class of an engine's nodes, and how it is asked.

    of_arrays  whether a node holds an array; else each number has a node of its own
    """

    def __init__(self, cls: type, of_arrays: bool = True):
        self.cls, self.flags, self.backward = cls, flags_of(cls), backward_of(cls)
        self.of_arrays = of_arrays and self._holds_arrays()

    # -- nodes --------------------------------------------------------------------------------------
    def node(self, data: Any) -> Any:
        """A leaf that holds it and keeps its gradient."""
        if self.of_arrays:
            return self.cls(np.array(data), **self.flags)
        try:
            return self.cls(float(data), **self.flags)
        except (TypeError, AttributeError):  # it takes arrays alone
            return self.cls(np.array(float(data)), **self.flags)

    def value(self, node: Any) -> Any:
        """What it holds, as an array."""
        found = _held(node, (*DATA, *self.own_data))
        if node is None:
            raise NoGradient("it returned None")
        if found is None:
            raise NoGradient(f"{type(node).__name__} holds no numbers in .{', .'.join(DATA[:3])}")
        return np.asarray(found)

    def write(self, node: Any, value: Any) -> None:
        """Let a node hold another number, or array, under the name that it has for what it holds."""
        names, held = (*DATA, *self.own_data), getattr(node, "__dict__", {})
        name = next((n for n in names if n in held), "") or next(n for n in names if hasattr(node, n))
        setattr(node, name, np.array(value) if self.of_arrays else float(value))

    def gradient(self, node: Any) -> Any:
        """What backward left at it, as an array; None where it left nothing."""
        own = () if any(hasattr(node, name) for name in GRADIENT) else self.own_gradient
        found = _held(node, (*GRADIENT, *own))
        return None if found is None else np.asarray(found)

    @cached_property
    def own_data(self) -> tuple[str, ...]:
        """Under which other name a node holds what it is built of; none where it has a usual name."""
        for given in (np.array([[1.25, -2.5]]), 1.25):
            with suppress(Exception):
                node = self.cls(given, **self.flags)
                if any(hasattr(node, name) for name in DATA):
                    return ()
                if found := [name for name, held in _attributes(node).items() if _is(held, given)]:
                    return tuple(found[:1])
        return ()

    @cached_property
    def own_gradient(self) -> tuple[str, ...]:
        """Under which other name backward leaves a gradient: the one attribute of a leaf that it changes."""
        with suppress(Exception):
            leaf = self.node(np.array([[1.25, -2.5]]) if self.of_arrays else 1.25)
            before = {name: np.array(held) for name, held in _attributes(leaf).items() if not callable(held)}
            self.start(leaf + leaf if hasattr(self.cls, "__add__") else leaf * leaf)
            shape = np.shape(self.value(leaf))
            changed = [
                name
                for name, held in _attributes(leaf).items()
                if np.shape(held) == shape and np.asarray(held).dtype.kind == "f"
                if name in before and not np.array_equal(before[name], held)
            ]
            return tuple(changed) if len(changed) == 1 else ()
        return ()

    # -- asking it ------------------------------------------------------------------------------------
    def values(self, of: Of, arrays: Sequence[Any]) -> Any:
        """What `of` gives for these operands; of an engine of numbers for one after another of each."""
        if self.of_arrays:
            return self.value(of(*map(self.node, arrays)))
        return self._each(lambda *nodes: [self.value(of(*nodes))], arrays, 1)[0]

    def gradients(self, of: Of, arrays: Sequence[Any], seed: Any, elementwise: bool = True) -> list[Any]:
        """The gradients at the operands where that of the result is `seed`.

        Raises NoGradient where backward leaves none at all, or cannot be handed the seed.
        """
        if self.of_arrays:
            return self._back(of, arrays, seed, elementwise)
        found = self._each(lambda *nodes: self._slopes(of, nodes), arrays, len(arrays))
        return [np.asarray(seed * slope) for slope in found]

    def _back(self, of: Of, arrays: Sequence[Any], seed: Any, elementwise: bool) -> list[Any]:
        way, _ = self.way, self.adds_up  # found before there is a graph: a tape may be one for all
        nodes = [self.node(array) for array in arrays]
        out = of(*nodes)
        if way is not None:
            way(out, np.array(np.broadcast_to(seed, self.value(out).shape)))
            return self._left(nodes, arrays)
        if not elementwise and self.adds_up and np.ndim(seed) == 2 and (name := self._product):
            self.start(self._weighted(out, seed, name))
            return self._left(nodes, arrays)
        if not elementwise:
            raise NoGradient("no way was found to hand its backward a gradient other than 1")
        return [np.asarray(seed * slope) for slope in self._unseeded(out, nodes, arrays)]

    def _slopes(self, of: Of, nodes: Sequence[Any]) -> list[Any]:
        """Of single numbers, for a gradient of 1."""
        way, _ = self.way, self.adds_up
        out = of(*nodes)
        if way is None:
            return self._unseeded(out, nodes, nodes)
        way(out, TWO)
        return [found / TWO for found in self._left(nodes, nodes)]

    def _unseeded(self, out: Any, nodes: Sequence[Any], like: Sequence[Any]) -> list[Any]:
        """For a gradient of 1 where no other can be handed over; it is twice 1 where a sum makes it so."""
        if self.adds_up:
            self.start(out + out)
            return [found / TWO for found in self._left(nodes, like)]
        self.start(out)
        return self._left(nodes, like)

    def _left(self, nodes: Sequence[Any], like: Sequence[Any]) -> list[Any]:
        """The gradients at the nodes; where some have one, that of the others is 0."""
        found = [self.gradient(node) for node in nodes]
        if all(one is None for one in found):
            raise NoGradient(f"its backward left no gradient in .{', .'.join(GRADIENT[:2])}")
        zero = [np.zeros_like(a) if isinstance(a, np.ndarray) else np.zeros(()) for a in like]
        return [none if one is None else one for one, none in zip(found, zero, strict=True)]

    def _each(self, of: Callable[..., list[Any]], arrays: Sequence[Any], count: int) -> list[Any]:
        """`of` for new nodes of the numbers that lie at one place; pairs that are equal are asked once."""
        rows, where = np.unique(
            np.stack([np.ravel(a) for a in arrays], axis=1).astype(float), axis=0, return_inverse=True
        )
        found = [[float(np.asarray(a).item()) for a in of(*map(self.node, row))] for row in rows.tolist()]
        table = np.array(found, arrays[0].dtype).reshape(len(rows), count)
        shape = np.shape(arrays[0])
        return [table[:, i][np.ravel(where)].reshape(shape) for i in range(count)]

    # -- backward -----------------------------------------------------------------------------------
    def start(self, out: Any) -> None:
        """Its backward, from a gradient of 1."""
        if self._takes and self._takes.default is Parameter.empty:
            self._handed(out, np.ones_like(self.value(out)))
        elif self.by_caller:
            self._given(out, np.ones_like(self.value(out)))
        else:
            self._go_back(out)

    @cached_property
    def by_caller(self) -> str:
        """The attribute of the result into which the caller writes its gradient, as in `loss.grad = 1`: its
        backward takes none, and neither writes one nor leaves one at the result; "" for any other."""
        method = getattr(self.cls, self.backward, None)
        if self._takes or not isfunction(method):
            return ""
        written = {name for code in with_inner(method.__code__) for name in attributes_written(code)}
        if written & {*GRADIENT}:
            return ""
        with suppress(Exception):
            result = self.node(1.25) + self.node(1.25) if hasattr(self.cls, "__add__") else self.node(1.25)
            name = next(name for name in GRADIENT if name in _attributes(result))
            self._go_back(result)
            left = getattr(result, name)
            return name if left is None or not np.any(left) else ""
        return ""

    def _given(self, out: Any, seed: Any) -> None:
        setattr(out, self.by_caller, seed if self.of_arrays else float(seed))
        self._go_back(out)

    def _go_back(self, out: Any, **seed: Any) -> None:
        getattr(out, self.backward)(**seed)

    @cached_property
    def way(self) -> Callable[[Any, Any], None] | None:
        """How backward starts from a gradient other than 1; None where no way is known."""
        found = [(self._hands_over(way), way) for way in self._ways()]
        most = max((count for count, _ in found), default=0)
        return next((way for count, way in found if count == most > 0), None)

    def _ways(self) -> Iterator[Callable[[Any, Any], None]]:
        if self._takes:
            name = self._takes.name
            yield lambda out, seed: self._go_back(out, **{name: seed})
            yield lambda out, seed: self._go_back(out, **{name: self._of_its_own(seed)})
        if self.by_caller:
            yield self._given
        if hasattr(self.cls, "__mul__"):
            if self.of_arrays and hasattr(self.cls, "sum"):
                yield lambda out, seed: self.start((out * self.node(seed)).sum())
            yield lambda out, seed: self.start(out * self.node(seed))

    @property
    def _product(self) -> str:
        """The method that multiplies matrices; "" where there is none."""
        return next((name for name in PRODUCTS if hasattr(self.cls, name)), "")

    def _weighted(self, out: Any, seed: Any, product: str) -> Any:
        """The sum of its rows, each times a column of the seed, by matrix products: of a result (N, D)."""
        times = getattr(self.cls, product)
        rows = [self.node(row[None]) for row in np.eye(len(seed), dtype=seed.dtype)]
        columns = [self.node(row[:, None]) for row in seed]
        parts = (times(times(row, out), column) for row, column in zip(rows, columns, strict=True))
        return reduce(add, parts)

    def _hands_over(self, way: Callable[[Any, Any], None]) -> int:
        """Behind how many operators that change nothing a leaf is left just what was handed over."""
        seeds: list[Any] = [np.array([[2.0, -3.0, 0.5], [4.0, 1.5, -1.0]]), np.array([[0.5, -2.0, 3.0]])]
        count = 0
        nothing: tuple[Of, ...] = (
            lambda leaf: leaf + self.node(0 * self.value(leaf)),
            lambda leaf: leaf * self.node(0 * self.value(leaf) + 1),
            lambda leaf: leaf @ self.node(np.eye(3)),
            lambda leaf: neg(-leaf),
        )
        for of, seed in product(nothing, seeds if self.of_arrays else [3.0]):
            with suppress(Exception):  # an operator that it has not, or that is wrong
                leaf = self.node(0 * seed + 1.25)
                way(of(leaf), seed)
                count += bool(np.array_equal(self.gradient(leaf), seed))
        return count

    @cached_property
    def adds_up(self) -> bool:
        """Whether the sum of a leaf and itself hands it a gradient of 2."""
        twice: Any = np.full((2, 3), TWO) if self.of_arrays else TWO
        way = self.way or (lambda out, _: self.start(out))
        with suppress(Exception):
            leaf = self.node(twice)
            way(leaf + leaf, twice / TWO)
            return bool(np.array_equal(self.gradient(leaf), twice))
        return False

    @cached_property
    def by_hand(self) -> str:
        """The method by which alone it broadcasts: no operator gives a row the gradient of a row."""
        name = next((n for n in BROADCASTS if callable(getattr(self.cls, n, None))), "")
        row, table = np.array([1.0, 2.0]), np.ones((3, 2))
        for of, pair in product((add, mul), ([row, table], [table, row])) if name else ():
            with suppress(Exception):
                grads = self.gradients(of, pair, 1.0)
                if all(grad.shape == a.shape for grad, a in zip(grads, pair, strict=True)):
                    return ""
        return name

    @cached_property
    def _takes(self) -> Parameter | None:
        """The parameter of backward that is the gradient of the result."""
        named = [
            p
            for p in _of_backward(self.cls)
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY)
        ]
        required = [p for p in named if p.default is p.empty]
        return next((p for p in named if _is_handed(p.name)), required[0] if len(required) == 1 else None)

    def _handed(self, out: Any, seed: Any) -> None:
        assert self._takes is not None
        try:
            self._go_back(out, **{self._takes.name: seed if self.of_arrays else float(seed)})
        except (TypeError, AttributeError):
            self._go_back(out, **{self._takes.name: self._of_its_own(seed)})

    def _of_its_own(self, seed: Any) -> Any:
        """A gradient as a node, which keeps none itself."""
        return self.cls(np.array(seed) if self.of_arrays else float(seed))

    def _holds_arrays(self) -> bool:
        """Whether its code is made for arrays, and a node holds one."""
        own = [held for c in self.cls.__mro__[:-1] for held in vars(c).values()]
        codes = [held.__code__ for held in own if isfunction(held)]
        names = {name for code in codes for inner in with_inner(code) for name in inner.co_names}
        if not (names & OF_ARRAYS or hasattr(self.cls, "__matmul__") or hasattr(self.cls, "shape")):
            return False
        with suppress(Exception):
            return bool(self.value(self.cls(np.zeros((2, 3)), **self.flags)).shape == (2, 3))
        return False


def of_one_number(cls: type) -> bool:
    """Whether none of its methods is made for arrays alone."""
    return not any(hasattr(cls, name) for name in (*PRODUCTS, "sum", "mean", "T", "transpose", "reshape"))


def _is_flag(name: str) -> bool:
    return name.lower().startswith(("retain", "create", "keep", "zero", "clear", "require"))


def _is_handed(name: str) -> bool:
    plain = name.replace("_", "").lower()
    return not _is_flag(name) and (plain in HANDED or "grad" in plain)


def _held(node: Any, names: Sequence[str]) -> Any:
    """What it holds under the first of the names; that may be a node again. None where it holds nothing."""
    for _ in range(4):
        if node is None or isinstance(node, (np.ndarray, np.generic, float, int, list, tuple)):
            return node
        found = (_read(node, name) for name in names if hasattr(node, name))
        same = type(node) if names is DATA else ()  # `x.data` may be a node again, without its graph
        node, names = next((one for one in found if not (same and isinstance(one, same))), None), DATA
    return None


def _attributes(node: Any) -> dict[str, Any]:
    slots = [name for c in type(node).__mro__ for name in getattr(c, "__slots__", ())]
    return {
        name: getattr(node, name) for name in (*getattr(node, "__dict__", {}), *slots) if hasattr(node, name)
    }


def _is(held: Any, given: Any) -> bool:
    """Whether it is the numbers that were given."""
    number = isinstance(held, (float, np.ndarray, np.generic))
    return number and np.shape(held) == np.shape(given) and bool(np.all(held == given))


def _read(node: Any, name: str) -> Any:
    """An attribute, or what a method of that name gives."""
    held = getattr(node, name)
    return held() if callable(held) and not isinstance(held, type) else held


def as_given(array: Any, like: Any) -> Any:
    """In no finer floating-point type than the numbers that were handed over."""
    finer = array.dtype.kind == "f" and array.dtype.itemsize > like.dtype.itemsize
    return array.astype(like.dtype) if finer or array.dtype.kind in "iub" else array
