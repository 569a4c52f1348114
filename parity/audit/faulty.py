"""A known bug put into somebody's class, in the convention in which that class is called.

The class does its own work; where the bug gives another result than the right layer, in forward, dx or a
gradient, that result takes the place of the class's own, in its own layout. So a test that looks at an
attribute of its own finds it, and a test that cannot see the bug passes.
"""

from __future__ import annotations

import functools
import inspect
from types import ModuleType
from typing import Any

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.layouts import WEIGHTS, laid_out
from parity.adapters.reach import got, put
from parity.adapters.recipe import Recipe, recipe
from parity.audit.alike import NotApplied, alike, book_name, copies, pair, same, to_book, typed
from parity.audit.batches import IN, OUT, as_called, in_book
from parity.audit.faulty_engine import Engine
from parity.audit.faulty_functions import faulty_functions, replaced
from parity.audit.faulty_optimizer import faulty_optimizer
from parity.faults.fault import Fault
from parity.kinds import kind_of
from parity.kinds.kind import without_defaults

ROWS = ("affine", "softmax", "softmax_with_loss")  # kinds that people hand one row without its axis
WINDOW = ("pool_h", "pool_w")
UNCHANGED = "it changes no number of this network, forward or backward, in what the tests run"


def reason_not(fault: Fault, convention: Convention | None) -> str:
    """Why the bug cannot be put into code that is called so; "" where it can."""
    how, c = recipe(fault.kind), convention
    if fault.shows == "contract":
        return "it shows in no number of a single call"
    if how.buffers or fault.kind == "dropout":
        return "the layer keeps a state"
    if c is None or how.role in ("optimizer", "function"):
        return ""
    if c.lazy or c.parameter:
        return "the layer makes its weights at its first call"
    if c.per_row or (c.change and c.constructor is None):
        return "this way of calling is not undone"
    if c.constructor is None or c.tensor or _in_the_book(c, how):
        return ""
    if how.role == "loss" or c.passed or c.derivative:
        return "this way of calling is not undone"
    return ""


def _in_the_book(c: Convention, how: Recipe) -> bool:
    """Whether it is called as the book's layer of that kind is, which has no weights."""
    return c.as_in_the_book and not how.params and not (c.probabilities or c.per_row or c.mean)


def put_in(
    module: ModuleType,
    name: str,
    fault: Fault,
    convention: Convention | None,
    problems: list[str],
    watched: bool = False,
) -> None:
    """Put the bug into the class or the functions of that name, in the module.

    What cannot be done while the tests run goes to `problems`; so does UNCHANGED where a layer is watched and
    the bug changed none of its numbers.
    """
    names, role = [part.strip() for part in name.split(",")], recipe(fault.kind).role
    own = {part: got(module, [(".", step) for step in part.split(".")]) for part in names}
    first = own[names[0]]
    made: dict[str, Any]
    if role == "optimizer":
        made = {names[0]: faulty_optimizer(first, fault, convention, problems)}
    elif convention is not None and convention.tensor:
        engine = Engine(fault, convention, problems)
        made = {names[0]: engine.layer(first) if isinstance(first, type) else engine.function(first)}
    elif not isinstance(first, type):
        made = faulty_functions(own, fault, convention, problems)
    else:
        made = {names[0]: faulty(first, fault, convention, problems, watched)}
    for part, thing in made.items():
        put(module, [(".", step) for step in part.split(".")], thing)


def faulty(
    person: type,
    fault: Fault,
    convention: Convention | None,
    problems: list[str],
    watched: bool = False,
) -> type:
    """A subclass of the person's class with the bug; what cannot be done while it runs goes to `problems`."""
    dress = _Dress(fault, convention)
    dress.watched = problems if watched else None
    forward = convention.forward if convention else "forward" if hasattr(person, "forward") else "__call__"
    backward = convention.backward if convention else "backward"
    own_init, own_forward = person.__init__, getattr(person, forward)  # type: ignore[misc]
    own_backward = getattr(person, backward, None) if backward else None

    @functools.wraps(own_init)
    def __init__(self: Any, *args: Any, **given: Any) -> None:
        own_init(self, *args, **given)
        self.__dict__["_given"] = (args, given)

    @functools.wraps(own_forward)
    def call_forward(self: Any, *args: Any, **given: Any) -> Any:
        before = [np.array(a) if isinstance(a, np.ndarray) else a for a in (*args, *given.values())]
        out = own_forward(self, *args, **given)
        try:
            return dress.noted("forward", out, dress.forward(self, person, before, out))
        except NotApplied as why:
            problems.append(str(why))
            return out

    @functools.wraps(own_backward or own_forward)
    def call_backward(self: Any, *args: Any, **given: Any) -> Any:
        assert own_backward is not None
        held = [np.array(a) if isinstance(a, np.ndarray) else a for a in (*args, *given.values())]
        weights = dress.weights(self)
        back = own_backward(self, *args, **given)
        try:
            return dress.noted("backward", back, dress.backward(self, held, weights, back))
        except NotApplied as why:
            problems.append(str(why))
            return back

    space: dict[str, Any] = {"__init__": __init__, forward: call_forward, "__module__": person.__module__}
    if own_backward is not None:
        space[backward] = call_backward
    return type(person.__name__, (person,), space)


class _Dress:
    """The bug and the right layer beside it, called as the person's class is."""

    def __init__(self, fault: Fault, convention: Convention | None):
        self.fault, self.how = fault, recipe(fault.kind)
        self.c = None if convention is not None and _in_the_book(convention, self.how) else convention
        self.ran, self.changed = set[str](), False
        self.watched: list[str] | None = None

    def noted(self, way: str, own: Any, result: Any) -> Any:
        """The result; a layer that is watched notes whether the bug has changed any number so far."""
        self.ran.add(way)
        self.changed = self.changed or result is not own
        if self.watched is not None:
            if self.changed and UNCHANGED in self.watched:
                self.watched.remove(UNCHANGED)
            elif not self.changed and len(self.ran) == 2 and UNCHANGED not in self.watched:
                self.watched.append(UNCHANGED)
        return result

    # -- what the object was made with ------------------------------------------------------------------
    def weights(self, thing: Any) -> dict[str, Any]:
        """The weights as the class has them."""
        found = {}
        for name in self.how.params:
            if self.c is None:
                array = getattr(thing, name, None)
            else:
                places = self.c.stored.get(name) or ()
                array = got(thing, places[0].path[1:]) if places else None
            found[name] = np.array(array) if isinstance(array, np.ndarray) else array
        return found

    def in_book(self, weights: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for name, array in weights.items():
            if array is None:
                continue
            letters = WEIGHTS.get({"W": 4 if self.fault.kind == "convolution" else 2}.get(name, 1), "")
            places = self.c.stored.get(name) or () if self.c else ()
            found[name] = to_book(array, letters, places[0].layout if places else letters)
        return found

    def options(self, thing: Any, person: type) -> dict[str, Any]:
        """Stride, padding, windows, as the constructor was given them."""
        args, given = thing._given
        try:
            bound = inspect.signature(person).bind(*args, **given)
        except (TypeError, ValueError):
            raise NotApplied("its constructor has no signature") from None
        bound.apply_defaults()
        known = {*self.how.order, *self.how.optional} - {*self.how.params}
        if self.c is None or self.c.as_in_the_book:
            meant = {book_name(name, known): value for name, value in bound.arguments.items()}
        else:
            by_name = {name: meaning for name, meaning in self.c.constructor or ()}
            meant = {by_name.get(name, ""): value for name, value in bound.arguments.items()}
        found = {name: value for name, value in meant.items() if name in known and value is not None}
        for meaning in ("kernel", "(FH,FW)", "kernel|(FH,FW)"):
            if meaning in meant and WINDOW[0] in known:
                found |= dict(zip(WINDOW, pair(meant[meaning]), strict=True))
        if "FH" in meant and "FW" in meant and WINDOW[0] in known:
            found |= {"pool_h": meant["FH"], "pool_w": meant["FW"]}
        if "stride_h" in meant:
            found["stride"] = (meant["stride_h"], meant["stride_w"])
        fixed = self.c.limits.get("stride") if self.c else None
        if WINDOW[0] in found and "stride" not in found and (self.c is not None or "stride" in meant):
            found["stride"] = (found["pool_h"], found["pool_w"]) if fixed in (None, "window") else fixed
        return without_defaults(found, self.how.optional)

    # -- calls --------------------------------------------------------------------------------------------
    def forward(self, thing: Any, person: type, args: list[Any], out: Any) -> Any:
        given = self.in_book(self.weights(thing)) | self.options(thing, person)
        x, *more = args[: self.how_many]
        x, single = in_book(x, self.c, IN), self.c is None and self.fault.kind in ROWS and np.ndim(x) == 1
        if single:  # one row, without an axis for it
            x, more = x[None], [np.asarray(t)[None] for t in more]
        try:
            right = kind_of(self.fault.kind).ours(**copies(given))
            found = right.forward(x.copy(), *more)
        except Exception as error:
            raise NotApplied(
                f"the right layer raised {type(error).__name__} on what the tests call"
            ) from None
        returned = out if self.c is None else got({"out": out}, [("[]", "out"), *self.c.out.path[1:]])
        if not alike(self._given(found, OUT, single), returned):
            raise NotApplied("the class gives something else than the right layer on what the tests call")
        bad = self.fault.make(**copies(given))
        wrong = bad.forward(x.copy(), *more)
        thing.__dict__["_layers"] = right, bad, single
        if same(wrong, found):
            return out
        if self.c is not None and len(self.c.out.path) > 1:
            raise NotApplied("forward returns more than its result")
        return typed(self._given(wrong, OUT, single), out, found)

    def _given(self, a: Any, side: str, single: bool) -> Any:
        """A result as the class gives it."""
        return np.asarray(a)[0] if single and np.ndim(a) else as_called(a, self.c, side)

    @property
    def how_many(self) -> int:
        return 2 if self.how.role == "loss" else 1

    def backward(self, thing: Any, args: list[Any], before: dict[str, Any], back: Any) -> Any:
        if "_layers" not in thing.__dict__:
            return back
        right, bad, single = thing._layers
        douts = [in_book(args[0], self.c, OUT)] if args and isinstance(args[0], np.ndarray) else args[:1]
        douts = [d[None] if single and np.ndim(d) == 1 else d for d in douts]
        try:
            dx = right.backward(*douts)
        except Exception as error:
            raise NotApplied(f"the right layer's backward raised {type(error).__name__}") from None
        wrong = bad.backward(*[d.copy() if isinstance(d, np.ndarray) else d for d in douts])
        for name in self.how.params:
            good, other = getattr(right, f"d{name}", None), getattr(bad, f"d{name}", None)
            if good is not None and other is None and self.c is None:
                self.changed = True
                thing.__dict__.pop(f"d{name}", None)  # the bug is that it is never set
            elif other is not None and not same(good, other):
                self.changed = True
                back = self._put_gradient(thing, name, before, args, other, back)
        if same(wrong, dx):
            return back
        if self.c is None:
            return typed(self._given(wrong, IN, single), back, dx)
        if self.c.dx is None or tuple(self.c.dx.path[0]) != (".", "back"):
            raise NotApplied("backward does not return dx")
        path = self.c.dx.path[1:]
        inner = got({"back": back}, [("[]", "back"), *path])
        return replaced(back, path, typed(as_called(wrong, self.c, IN), inner, dx))

    def _put_gradient(
        self, thing: Any, name: str, before: dict[str, Any], args: list[Any], value: Any, back: Any
    ) -> Any:
        """Put it where the class has it; what backward returns, with it where it is in there."""
        if self.c is None:
            setattr(thing, f"d{name}", value)
            return back
        letters = WEIGHTS.get(value.ndim, "")
        if self.c.change:
            at = [meaning for _, meaning in self.c.backward_args].index("rate")
            place = self.c.stored[name][0]
            step = args[at] * laid_out(value, letters, place.layout)
            put(thing, place.path[1:], before[name] - step)
        elif name in self.c.grads and self.c.grads[name].path[0] == (".", "object"):
            place = self.c.grads[name]
            put(thing, place.path[1:], np.array(laid_out(value, letters, place.layout)))
        elif name in self.c.grads and tuple(self.c.grads[name].path[0]) == (".", "back"):
            place = self.c.grads[name]
            return replaced(back, place.path[1:], np.array(laid_out(value, letters, place.layout)))
        else:
            raise NotApplied(f"d{name} is neither kept nor returned")
        return back
