"""A known bug put into a layer of an autograd engine: tensors in, tensors out, gradients at the tensors.

After the layer's own call its output holds what the bug gives. After the engine's `backward` the gradients of
the layer's input and weights are moved by what the bug changes in them, for the gradient that the output then
has. What the engine has handed on to the layers before it by then is not: each layer's tests look at its own.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.layouts import WEIGHTS, laid_out
from parity.adapters.reach import got, put
from parity.adapters.recipe import recipe
from parity.audit.alike import NotApplied, alike, copies, same, to_book, typed
from parity.audit.batches import IN, OUT, as_called, in_book
from parity.audit.faulty_functions import meant, options
from parity.faults.fault import Fault
from parity.kinds import kind_of


@dataclass
class _Call:
    """One call of the layer: what it was handed and gave, and both layers after their forward."""

    root: Any  # object, x, out, passed: what the places of the convention start from
    out: Any  # the tensor
    right: Any
    bad: Any


class Engine:
    """The bug, for one class or function of the person's."""

    def __init__(self, fault: Fault, convention: Convention, problems: list[str]):
        self.fault, self.c, self.problems = fault, convention, problems
        self.calls: list[_Call] = []
        self.patched: set[type] = set()

    def layer(self, person: type) -> type:
        """A subclass of the layer."""
        own_init, own = person.__init__, getattr(person, self.c.forward)  # type: ignore[misc]

        @functools.wraps(own_init)
        def __init__(thing: Any, *args: Any, **given: Any) -> None:
            own_init(thing, *args, **given)
            thing.__dict__["_made"] = meant(person, self.c.constructor or (), args, given)

        @functools.wraps(own)
        def forward(thing: Any, *args: Any, **given: Any) -> Any:
            bound = functools.partial(own, thing)
            return self._called(bound, thing, args, given)

        space = {"__init__": __init__, self.c.forward: forward, "__module__": person.__module__}
        return type(person.__name__, (person,), space)

    def function(self, own: Any) -> Any:
        """The function with the bug."""

        @functools.wraps(own)
        def forward(*args: Any, **given: Any) -> Any:
            return self._called(own, None, args, given)

        return forward

    def _called(self, own: Any, thing: Any, args: Any, given: Any) -> Any:
        out = own(*args, **given)
        try:
            self._beside(meant(own, self.c.forward_args, args, given), thing, out)
        except NotApplied as why:
            self.problems.append(str(why))
        except (KeyError, AttributeError, NotImplementedError, TypeError) as error:
            self.problems.append(f"its arguments are not undone ({type(error).__name__})")
        return out

    def _beside(self, values: dict[str, Any], thing: Any, out: Any) -> None:
        c, kind = self.c, self.fault.kind
        passed = {name: values.get(name) for name in c.passed}
        root = SimpleNamespace(object=thing, x=values["x"], out=out, passed=passed)
        given = options({**getattr(thing, "_made", {}), **values}, kind)
        for name in recipe(kind).params:
            array, layout = passed.get(name), c.passed.get(name, "")
            if name in c.stored:
                place = c.stored[name][0]
                array, layout = got(root, place.path), place.layout
            if array is not None:
                letters = WEIGHTS.get({"W": 4 if kind == "convolution" else 2}.get(name, 1), "")
                given[name] = to_book(array_of(array), letters, layout)
        more = [array_of(values["t"])] if recipe(kind).role == "loss" else []
        x = in_book(array_of(values["x"]), c, IN)
        try:
            right = kind_of(kind).ours(**copies(given))
            found = right.forward(x.copy(), *more)
        except Exception as error:
            raise NotApplied(
                f"the right layer raised {type(error).__name__} on what the tests call"
            ) from None
        result = got(root, c.out.path)
        if not alike(as_called(found, c, OUT), result):
            raise NotApplied("it gives something else than the right layer on what the tests call")
        bad = self.fault.make(**copies(given))
        wrong = bad.forward(x.copy(), *more)
        if not same(found, wrong):
            put(root, c.out.path, typed(as_called(wrong, c, OUT), result, found))
        if c.backward:
            tensor = got(root, c.out.path[:-1])
            self.calls.append(_Call(root, tensor, right, bad))
            self._watch(type(tensor))

    # -- the engine's backward ---------------------------------------------------------------------------
    def _watch(self, cls: type) -> None:
        """From now on the gradients are moved after each backward of the engine."""
        if cls in self.patched:
            return
        self.patched.add(cls)
        own = getattr(cls, self.c.backward)

        @functools.wraps(own)
        def backward(tensor: Any, *args: Any, **given: Any) -> Any:
            back = own(tensor, *args, **given)
            calls, self.calls = self.calls, []
            douts = [self._cotangent(call, tensor, [*args, *given.values()]) for call in calls]
            if calls and all(dout is None for dout in douts):
                self.problems.append("the engine keeps no gradient of the layer's output")
            for call, dout in zip(calls, douts, strict=True):
                try:
                    if dout is not None:
                        self._moved(call, dout)
                except NotApplied as why:
                    self.problems.append(str(why))
            return back

        setattr(cls, self.c.backward, backward)

    def _cotangent(self, call: _Call, start: Any, args: list[Any]) -> Any:
        """The gradient of the layer's output after the engine's backward; None where there is none."""
        if start is not call.out:
            slope = getattr(call.out, "grad", None)
            return None if slope is None else array_of(slope)
        if args and args[0] is not None and not isinstance(args[0], bool):
            return array_of(args[0])
        return np.ones_like(array_of(call.out))

    def _moved(self, call: _Call, dout: Any) -> None:
        c = self.c
        given = [] if recipe(self.fault.kind).role == "loss" else [in_book(dout, c, OUT)]
        try:
            dx = call.right.backward(*given)
        except Exception as error:
            raise NotApplied(f"the right layer's backward raised {type(error).__name__}") from None
        wrong = call.bad.backward(*[d.copy() for d in given])
        if c.dx is not None:
            self._move(call.root, c.dx.path, as_called(dx, c, IN), as_called(wrong, c, IN))
        for name, place in c.grads.items():
            good, bad = (getattr(layer, f"d{name}", None) for layer in (call.right, call.bad))
            if good is None:
                continue
            if bad is None:  # the bug is that it is never computed
                put(call.root, place.path, None)
                continue
            letters = WEIGHTS.get(good.ndim, "")
            laid = [laid_out(a, letters, place.layout) if a.ndim == good.ndim else a for a in (good, bad)]
            self._move(call.root, place.path, *laid)

    def _move(self, root: Any, path: Any, good: Any, bad: Any) -> None:
        now = got(root, path)
        if same(good, bad) or not isinstance(now, np.ndarray):
            return
        put(root, path, now + (bad - good).astype(now.dtype) if bad.shape == good.shape else np.array(bad))


def array_of(tensor: Any) -> Any:
    """The array in a tensor, or the array itself."""
    while not isinstance(tensor, (np.ndarray, np.generic, float, int)) and hasattr(tensor, "data"):
        tensor = tensor.data
    return np.asarray(tensor)
