"""A known bug put into functions: softmax(x), im2col(...), conv_forward(x, w, b, ...) and conv_backward(...).

Each call is made as it is. Its arguments are read by the convention that was found for the function, the
right layer and the one with the bug are called with them, and where those differ, the bug's result takes the
place of the function's own, in its place in the tuple and in its layout.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.adapters import columns
from parity.adapters.convention import Convention
from parity.adapters.layouts import WEIGHTS, laid_out
from parity.adapters.reach import got
from parity.adapters.recipe import recipe
from parity.audit.alike import NotApplied, alike, book_name, copies, pair, same, to_book, typed
from parity.audit.batches import IN, OUT, as_called, in_book
from parity.faults.fault import Fault
from parity.kinds import kind_of
from parity.kinds.kind import without_defaults

KEPT = 64  # calls of forward that a backward may belong to
TINY = 1e-30
Pairs = Sequence[Sequence[str]]
WINDOWS = {"pool_h": ("pool_h", "pool_w"), "filter_h": ("filter_h", "filter_w")}


def faulty_functions(
    own: dict[str, Any], fault: Fault, convention: Convention | None, problems: list[str]
) -> dict[str, Any]:
    """The person's functions by name, with the bug."""
    calls = _Calls(own, fault, convention, problems)
    found = {calls.forward_name: calls.wrapped_forward()}
    if calls.backward_name:
        found[calls.backward_name] = calls.wrapped_backward()
    return found


def meant(own: Any, pairs: Pairs, args: Sequence[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What the arguments of a call stand for: meaning -> value; dicts and tuples of several are opened."""
    try:
        bound = inspect.signature(own).bind(*args, **given)
    except (TypeError, ValueError):
        raise NotApplied("it has no signature") from None
    bound.apply_defaults()
    by_place = list(bound.arguments.values())
    found: dict[str, Any] = {}
    for at, (name, meaning) in enumerate(pairs):
        value: Any = by_place[at] if name.startswith("*") else bound.arguments.get(name)
        if meaning[0] in "{[":
            items = [item.split(":") for item in meaning[1:-1].split(";")]
            for number, item in enumerate(items):
                inner = value[item[0]] if isinstance(value, Mapping) else value[number]
                found[item[-1]] = inner
        else:
            found[meaning] = value
    return found


def options(values: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Stride, padding and windows in the book's names, from what the arguments mean."""
    how = recipe(kind)
    known = {*how.order, *how.optional} - {*how.params}
    found = {name: value for name, value in values.items() if name in known and value is not None}
    window = next((names for first, names in WINDOWS.items() if first in known), ())
    if window:
        for meaning in ("kernel", "(FH,FW)", "kernel|(FH,FW)"):
            if meaning in values:
                found |= dict(zip(window, pair(values[meaning]), strict=True))
        for letter, name in zip(("FH", "FW"), window, strict=True):
            found |= {name: values[letter]} if letter in values else {}
    for short, name in (("stride_h", "stride"), ("pad_h", "pad")):
        if short in values:
            found[name] = (values[short], values[short.replace("_h", "_w")])
    return without_defaults(found, how.optional)


def replaced(box: Any, path: Sequence[Sequence[Any]], value: Any) -> Any:
    """The result with another value at the end of the path."""
    if not path:
        return value
    (how, name), *rest = path
    inner = replaced(got(box, [(how, name)]), rest, value)
    if how == ".":
        setattr(box, name, inner)
        return box
    if isinstance(box, tuple):
        return (*box[:name], inner, *box[name + 1 :])
    box[name] = inner
    return box


@dataclass
class _Pair:
    """The right layer and the one with the bug, after a forward of both."""

    right: Any
    bad: Any
    x: Any
    options: dict[str, Any]
    kept: tuple[Any, ...] = ()


@dataclass
class _Calls:
    own: dict[str, Any]
    fault: Fault
    c: Convention | None
    problems: list[str]
    last: list[_Pair] = field(default_factory=list)

    @property
    def forward_name(self) -> str:
        return self.c.forward.removeprefix("function ") if self.c else next(iter(self.own))

    @property
    def backward_name(self) -> str:
        return self.c.backward.removeprefix("function ") if self.c else ""

    def _wrapped(self, name: str, instead: Callable[..., Any]) -> Any:
        own = self.own[name]

        @functools.wraps(own)
        def call(*args: Any, **given: Any) -> Any:
            before = [np.array(a) if isinstance(a, np.ndarray) else a for a in args]
            names = {k: np.array(a) if isinstance(a, np.ndarray) else a for k, a in given.items()}
            back = own(*args, **given)
            try:
                return instead(own, before, names, back, args, given)
            except NotApplied as why:
                self.problems.append(str(why))
            except (KeyError, IndexError, AttributeError, NotImplementedError) as error:
                self.problems.append(f"its arguments are not undone ({type(error).__name__})")
            return back

        return call

    def wrapped_forward(self) -> Any:
        if recipe(self.fault.kind).role == "function":
            return self._wrapped(self.forward_name, self._function)
        return self._wrapped(self.forward_name, self._forward)

    def wrapped_backward(self) -> Any:
        return self._wrapped(self.backward_name, self._backward)

    # -- im2col, col2im, the numerical gradient ----------------------------------------------------------
    def _function(self, own: Any, args: Any, given: Any, back: Any, *_: Any) -> Any:
        kind, how = self.fault.kind, recipe(self.fault.kind)
        pairs = self.c.forward_args if self.c else _in_order(own, how.order, how.optional)
        values = meant(own, pairs, args, given)
        layout = self.c.columns if self.c else columns.BOOK
        if self.c and self.c.images == "NHWC":
            raise NotApplied("its images are (N, H, W, C)")
        if kind == "im2col":
            x = in_book(values.pop("x", values.get("input_data")), self.c, IN)
            handed = {"input_data": x} | options(values, kind)
        elif kind == "col2im":
            col = values.pop("x", values.get("col"))
            shape = values.get("input_shape") or (1, *values["(C,H,W)"])
            filters = options(values, kind)
            width = shape[1] * filters["filter_h"] * filters["filter_w"]
            handed = {"col": columns.taken([col], shape[0], width, layout)}
            handed |= filters | {"input_shape": tuple(shape)}
        else:
            handed = {k: v for k, v in values.items() if v is not None}
        try:
            right = kind_of(kind).ours(**copies(handed))
        except Exception as error:
            raise NotApplied(
                f"the right function raised {type(error).__name__} on what the tests call"
            ) from None
        wrong = self.fault.make(**copies(handed))

        def laid(a: Any) -> Any:
            if kind == "im2col":
                return columns.given(a, len(handed["input_data"]), layout)[0]
            return as_called(a, self.c, IN) if kind == "col2im" else a

        if not alike(laid(right), back):
            raise NotApplied("it gives something else than the right function on what the tests call")
        return back if same(right, wrong) else typed(laid(wrong), back, right)

    # -- forward and backward ----------------------------------------------------------------------------
    def _pair(self, values: Mapping[str, Any], given: dict[str, Any]) -> tuple[_Pair, Any, Any]:
        """Both layers after a forward, and their results."""
        assert self.c is not None
        x, *more = self._inputs(values)
        try:
            right = kind_of(self.fault.kind).ours(**copies(given))
            found = right.forward(x.copy(), *more)
        except Exception as error:
            raise NotApplied(
                f"the right layer raised {type(error).__name__} on what the tests call"
            ) from None
        bad = self.fault.make(**copies(given))
        return _Pair(right, bad, x, given), found, bad.forward(x.copy(), *more)

    def _inputs(self, values: Mapping[str, Any]) -> list[Any]:
        assert self.c is not None
        x = values["x"]
        if recipe(self.fault.kind).role != "loss":
            return [in_book(x, self.c, IN)]
        t = values["t"]
        if self.c.probabilities:
            x = np.log(np.asarray(x) + (self.c.inside_log or TINY))
        if x.ndim == 1:
            t = np.asarray(t)
            x, t = x[None], t[None] if t.shape == x.shape else t.reshape(1)
        return [x, t]

    def _given(self, values: Mapping[str, Any]) -> dict[str, Any]:
        assert self.c is not None
        found = options(values, self.fault.kind)
        for name, layout in self.c.passed.items():
            array = values.get(name)
            if array is not None:
                letters = WEIGHTS.get({"W": 4 if self.fault.kind == "convolution" else 2}.get(name, 1), "")
                found[name] = to_book(np.asarray(array), letters, layout)
        return found

    def _forward(self, own: Any, before: Any, names: Any, out: Any, *_: Any) -> Any:
        assert self.c is not None
        c = self.c
        values = meant(own, c.forward_args, before, names)
        pair_, found, wrong = self._pair(values, self._given(values))
        path = c.out.path[1:]
        result = got({"out": out}, [("[]", "out"), *path])
        if not alike(as_called(found, self.c, OUT), np.mean(result) if c.mean else result):
            raise NotApplied("it gives something else than the right layer on what the tests call")
        at = path[0][1] if path and path[0][0] == "[]" else None
        pair_.kept = tuple(v for i, v in enumerate(out) if i != at) if isinstance(out, tuple) else ()
        self.last = [*self.last[-KEPT:], pair_]
        new = out
        if not same(found, wrong):
            new = replaced(out, path, typed(as_called(wrong, self.c, OUT), result, found))
        if c.dx is not None and tuple(c.dx.path[0]) == (".", "out"):  # the gradient comes with the loss
            dx, bad = pair_.right.backward(), pair_.bad.backward()
            if not same(dx, bad):
                inner = got({"out": out}, [("[]", "out"), *c.dx.path[1:]])
                new = replaced(new, c.dx.path[1:], typed(as_called(bad, self.c, IN), inner, dx))
        return new

    def _backward(self, own: Any, before: Any, names: Any, back: Any, args: Any, given: Any) -> Any:
        assert self.c is not None
        c = self.c
        values = meant(own, c.backward_args, before, names)
        pair_ = self._belongs(values, meant(own, c.backward_args, args, given))
        loss = recipe(self.fault.kind).role == "loss"
        if loss and c.probabilities == "own":
            raise NotApplied("its gradient is that of the probabilities")
        if c.derivative:
            dout = [np.ones_like(pair_.right.forward(pair_.x.copy()))]
        else:
            dout = [] if loss else [in_book(values["dout"], self.c, OUT)]
        try:
            dx = pair_.right.backward(*dout)
        except Exception as error:
            raise NotApplied(f"the right layer's backward raised {type(error).__name__}") from None
        wrong = pair_.bad.backward(*[d.copy() for d in dout])
        places = {"x": c.dx, **c.grads}
        new = back
        for name, place in places.items():
            good, bad = (
                (dx, wrong)
                if name == "x"
                else tuple(getattr(o, f"d{name}", None) for o in (pair_.right, pair_.bad))
            )
            if place is None or good is None or (bad is not None and same(good, bad)):
                continue
            if tuple(place.path[0]) != (".", "back"):
                raise NotApplied(f"d{name} is not what backward returns")
            if bad is None:  # the bug is that it is never computed
                new = replaced(new, place.path[1:], None)
                continue
            inner = got({"back": back}, [("[]", "back"), *place.path[1:]])
            letters = WEIGHTS.get(np.ndim(good), "")
            if name == "x":
                laid = as_called(bad, self.c, IN)
            else:
                laid = laid_out(bad, letters, place.layout) if np.ndim(bad) == np.ndim(good) else bad
            new = replaced(new, place.path[1:], typed(laid, inner, good))
        return new

    def _belongs(self, values: Mapping[str, Any], held: Mapping[str, Any]) -> _Pair:
        """The forward that this backward is of: by what it kept, or made anew from x."""
        cache = held.get("cache")
        for one in reversed(self.last):
            kept = one.kept
            if cache is not None and any(cache is k for k in kept):
                return one
            if (
                isinstance(cache, tuple)
                and len(cache) == len(kept) > 1
                and all(a is b for a, b in zip(cache, kept, strict=True))
            ):
                return one
        if "x" in values:
            known = self.last[-1].options if self.last else {}
            return self._pair(values, known | self._given(values))[0]
        out = values.get("out")
        for one in reversed(self.last):
            if out is not None and alike(as_called(one.right.forward(one.x.copy()), self.c, OUT), out):
                return one
        raise NotApplied("no forward is known that its backward belongs to")


def _in_order(own: Any, order: Sequence[str], optional: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parameters under the book's names, by their names and else by their place."""
    names = list(inspect.signature(own).parameters)
    known = [*order, *optional]
    left = [name for name in known if name not in {book_name(n, known) for n in names} & {*known}]
    found = []
    for name in names:
        meaning = book_name(name, known)
        if meaning not in known:
            meaning = left.pop(0) if left else ""
        if meaning:
            found.append((name, meaning))
    return found
