"""Calling a class or function by a convention that was found for it. Needs NumPy alone.

`Live` is one object of it, or the pair of functions, with what the last calls gave; `Called` is the adapter.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain, count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters import columns
from parity.adapters.arguments import call, plain, room, signature
from parity.adapters.book import Adapter
from parity.adapters.built_with import first_inputs
from parity.adapters.constants import STEP
from parity.adapters.convention import EPS, FLUSH, PLACES, Convention, Place
from parity.adapters.engine import Engine, flags_of
from parity.adapters.engine_methods import EXPRESSIONS, OUT_TWICE
from parity.adapters.fed import THEN, fed
from parity.adapters.flat_order import PYTORCH, in_order
from parity.adapters.former_arrays import former, todays
from parity.adapters.jacobian import times_jacobian
from parity.adapters.layer_steps import RATE
from parity.adapters.layouts import (
    PER_PIXEL,
    WEIGHTS,
    joined,
    labels_of,
    laid_out,
    one_at_a_time,
    pieces,
    restored,
)
from parity.adapters.masks import as_if_drawn
from parity.adapters.meanings import PADS, of_option, value
from parity.adapters.members import is_bare, siblings
from parity.adapters.optimizer_names import decay_of
from parity.adapters.options import ANY, Options, all_read
from parity.adapters.own_weights import change, overwrite, shown
from parity.adapters.reach import got, numbers, put
from parity.adapters.recipe import Recipe, is_reduced, recipe
from parity.adapters.rule import Rule
from parity.adapters.rule_constants import taken_under
from parity.adapters.rule_table import asks_for
from parity.adapters.training_flag import SWITCHING, by_attribute
from parity.adapters.unpacked import as_taken_apart
from parity.kinds.probe import Probe
from parity.kinds.same_padding import SAME

PROBABILITIES = ("output", "probs", "probabilities", "softmax_output", "y", "y_hat", "out", "p")


class Context:
    """What a framework hands to forward and backward, to keep arrays in."""

    def __init__(self) -> None:
        self.saved_tensors: tuple[Any, ...] = ()

    def save_for_backward(self, *arrays: Any) -> None:
        self.saved_tensors = arrays

    save = save_for_backward

    @property
    def saved(self) -> tuple[Any, ...]:
        return self.saved_tensors


class Live:
    """One object under a convention.

    object   what was built; for functions nothing
    out      what the last forward returned; back what the last backward did
    x        what forward was handed, where it is wrapped in the tensor of an engine
    options  dicts of options, which a function may write into
    passed   weights that are handed to each call
    masks    what a dropout has drawn, call by call of the last forward
    trains   whether what backward makes of the weights stays
    built_on  x and labels as they are handed to a constructor that takes them
    """

    def __init__(self, convention: Convention, factory: Any, probe: Probe, copy: bool = True):
        self.convention, self.factory, self.probe, self.copy = convention, factory, probe, copy
        self.object: Any = None
        self.out: Any = None
        self.back: Any = None
        self.x: Any = None
        self.passed: dict[str, Any] = {}
        self.options: dict[str, Any] = {}
        self.gradients: dict[str, Any] = {}
        self.batch: tuple[Any, ...] = ()
        self.given: Any = None  # x as the checker has it
        self.seen: list[Any] = []  # what the calls of forward were handed
        self.fresh = False  # whether forward was called since the last backward
        self.training = True
        self.masks: list[Any] = []
        self.trains = False
        self.sums: dict[str, Any] = {}
        self.context = Context()
        self.built_on = first_inputs(convention, probe)

    # -- building -----------------------------------------------------------------------------------
    def make(self) -> None:
        """The object and its weights."""
        c = self.convention
        for name, layout in c.passed.items():
            self.passed[name] = self._wrapped(self._weight(name, layout), c.parameter or c.tensor)
        if c.constructor is not None:
            self._make_object()
        if not c.lazy:
            self.set_weights()

    def _make_object(self) -> None:
        c = self.convention
        self.object = self._build()
        if c.kind in SWITCHING and (flag := by_attribute(self.object)):
            setattr(self.object, flag[1], flag[2])  # it trains until it is switched
        for method, args in c.setup:
            self._call(getattr(self.object, method), args)
        if c.eps:
            setattr(self.object, c.eps[0], self.probe.args.get("eps", EPS))
        for meaning, attribute in c.kept.items():
            setattr(self.object, attribute, self._value(meaning))

    def _make_anew(self, **inputs: Any) -> None:
        """Another object, on that x and those labels, with what this one holds and is switched to."""
        places = [*self.convention.stored.values(), *self.convention.buffers.values()]
        held = [(place.path, got(self, place.path)) for here in places for place in here]
        self.built_on = inputs
        self._make_object()
        for path, array in held:
            put(self, path, array)
        if not self.training:
            self.switch_to(False)

    def switch_to(self, training: bool) -> None:
        """Training or inference. Raises NotImplementedError where nothing switches it."""
        how, *names = self.convention.switch or ("",)
        self.training = training
        if how == "method":
            getattr(self.object, names[training])()
        elif how == "setter":
            getattr(self.object, names[0])(names[1 if training else 2])
        elif how == "attribute":
            setattr(self.object, names[0], names[1 if training else 2])
        elif how != "argument" and not self.convention.limits.get("training"):
            raise NotImplementedError("no way to infer")

    def _build(self) -> Any:
        c = self.convention
        if c.as_in_the_book:
            left_out = ["training", *(["reduction", "factor"] if c.reduction else [])]
            left_out += ["pad"] if c.padding in ("fixed", SAME) else []
            given = {k: self.passed.get(k, v) for k, v in self.probe.args.items() if k not in left_out}
            return call(self.factory, given, recipe(self.probe.kind))
        args, named = self._arguments(c.constructor or ())
        return self.factory(*args, **named)

    def _weight(self, name: str, layout: str) -> Any:
        array = self.probe.args.get(name)
        if not isinstance(array, np.ndarray):
            return array
        if layout.endswith("+b") or layout.startswith("b+"):
            bias = self.probe.args.get("b")
            if bias is None:
                raise NotImplementedError("always with b")
            rows = [array, bias[None, :]] if layout.endswith("+b") else [bias[None, :], array]
            return laid_out(np.concatenate(rows), "IO", layout.strip("+b"))
        laid = laid_out(array, WEIGHTS.get(array.ndim, ""), layout)
        return self._as_taken(np.array(laid, order="C") if self.copy or self.convention.updates else laid)

    def _as_taken(self, array: Any) -> Any:
        """An array that may stand for a number, where it takes one for that."""
        return former(array) if self.convention.limits.get("former") else array

    def set_weights(self) -> None:
        """The probe's weights into the places where the object keeps its own."""
        for places in (self.convention.stored, self.convention.buffers):
            for name, here in places.items():
                if name not in self.probe.args or not here:
                    continue
                array = self._weight(name, here[0].layout)
                if array is None and "bias" in {meaning for _, meaning in self.convention.constructor or ()}:
                    continue
                if array is None:
                    raise NotImplementedError(f"always with {name}")
                for place in here:
                    if list(place.path[0]) != [".", "options"]:  # those are made of the probe's own
                        put(self, place.path, self._per_pixel(array, place) if name == "b" else array)

    def change_weights(self, new: Mapping[str, Any]) -> list[str]:
        """Write other weights over those that it holds and that it is handed; the names of those found."""
        c = self.convention
        handed = {name: np.array(self._weight(name, c.passed[name])) for name in c.passed if name in new}
        found = set()
        if c.as_in_the_book:
            own = {name: array for name, array in new.items() if name not in handed}
            found = {n for n, array in own.items() if change(self.object, n, self.probe.args[n], array)}
        self.probe = replace(self.probe, args={**self.probe.args, **new})
        found |= {name for name, old in handed.items() if self._change_handed(name, old)}
        for name, here in c.stored.items():
            if here and self.probe.args.get(name) is not None:
                array = self._weight(name, here[0].layout)
                for place in here:
                    overwrite(self, place.path, self._per_pixel(array, place) if name == "b" else array)
                found.add(name)
        with_bias = ["+" in (here[0].layout if here else "") for here in c.stored.values()]
        with_bias += ["+" in c.passed[name] for name in found if name in c.passed]
        return [name for name in new if name in found or (name == "b" and any(with_bias))]

    def _change_handed(self, name: str, old: Any) -> bool:
        """Of a weight that is handed over, which was `old` as it lies there."""
        given, array = self.passed[name], self._weight(name, self.convention.passed[name])
        pairs = (
            *(self.convention.constructor or ()),
            *(p for _, args in self.convention.setup for p in args),
        )
        built_with = re.findall(r"\w+", " ".join(meaning for _, meaning in pairs))
        if isinstance(given, np.ndarray) and (self.convention.as_in_the_book or name in built_with):
            return change(self.object, name, given, array)
        if isinstance(given, np.ndarray):
            given[...] = array
            return True
        paths = shown(given, name, old)  # in the tensor of an engine
        for path in paths:
            overwrite(given, path, array)
        return bool(paths)

    def _per_pixel(self, array: Any, place: Place) -> Any:
        """A bias for each pixel, all of a channel alike; any other as it is."""
        if place.layout not in PER_PIXEL:
            return array
        return np.array(np.broadcast_to(array, np.shape(got(self, place.path))))

    def _wrapped(self, array: Any, tensor: str) -> Any:
        if not tensor or not isinstance(array, np.ndarray):
            return array
        cls = named(self.factory, tensor)
        return cls(array, **flags_of(cls))

    def _value(self, meaning: str, **own: Any) -> Any:
        if meaning in own:
            return own[meaning]
        if meaning in self.passed:
            return self.passed[meaning]
        if meaning in self.built_on:  # of a constructor
            return self.built_on[meaning]
        if meaning == "training":
            return self.training
        if meaning == "inference":
            return not self.training
        if meaning.startswith("mode:"):
            return meaning.removeprefix("mode:").split(";")[not self.training]
        if meaning == "context":
            return self.context
        if meaning == "probabilities":
            return self._probabilities()
        if meaning.startswith("["):  # weights together: [W;b] as a tuple, [w:W;b:b] as a dict
            items = [item.split(":") for item in meaning[1:-1].split(";")]
            together = {item[0]: self.passed[item[-1]] for item in items}
            return together if ":" in meaning else tuple(together.values())
        if meaning.startswith("{") and meaning != ANY:
            made = Options(value(meaning, self.probe), lambda key: of_option(key, self.probe))
            kept = self.options.setdefault(meaning, made)
            if "mode" in made:
                kept["mode"] = "train" if self.training else "test"
            return kept
        return value(meaning, self.probe)

    def _probabilities(self) -> Any:
        """What a loss kept of its softmax, which its backward asks for again."""
        found = (getattr(self.object, name, None) for name in PROBABILITIES)
        shape = self.probe.inputs["x"].shape
        kept = next((a for a in found if isinstance(a, np.ndarray) and a.shape == shape), None)
        if kept is None:
            raise AttributeError(f"expected the probabilities in one of .{', .'.join(PROBABILITIES)}")
        return kept

    # -- calling ------------------------------------------------------------------------------------
    def _method(self, name: str) -> Any:
        if self.object is None or name.startswith("function "):
            return named(self.factory, name.removeprefix("function "))
        if name == "__call__":
            return self.object
        if THEN in name:
            return fed(self._method, name)
        return getattr(type(self.object) if is_bare(type(self.object)) else self.object, name)

    def forward_once(self, x: Any, t: Any = None) -> Any:
        """One call of forward; its result."""
        c = self.convention
        if not c.forward:  # a gradient alone
            return None
        self.x = self._wrapped(self._as_taken(x), c.tensor)
        t = self._labels(t)
        own = {"x": self.x, "t": self._wrapped(t, c.tensor) if is_reduced(c.kind) else t}
        if c.lazy and not getattr(self, "_warm", False):
            self._call(self._method(c.forward), c.forward_args, **own)
            self._warm = True
            self.set_weights()
        if c.zero and plain(c.zero) in FLUSH:  # with the gradients go the inputs that are kept for them
            getattr(self.object, c.zero)()
        self.context = Context()
        if not c.built_with <= {meaning for _, meaning in c.forward_args}:
            self._make_anew(**own)
        self.out = self._number(self._call(self._method(c.forward), c.forward_args, **own))
        if c.kind == STEP and isinstance(self.out, np.ndarray) and self.out.dtype.kind in "iub":
            self.out = self.out.astype(x.dtype)  # 0 and 1 are what they are in any dtype
        self.fresh = True
        return numbers(todays(got(self, c.out.path)), getattr(x, "dtype", None))

    def backward_once(self, dout: Any, x: Any = None, t: Any = None) -> Any:
        """One call of backward; dx. The gradients of the weights are left in `gradients`."""
        c = self.convention
        if c.zero == PLACES or plain(c.zero) in FLUSH:
            self._zero()
        elif c.zero:
            getattr(self.object, c.zero)()
        held = {name: [(place, got(self, place.path)) for place in here] for name, here in c.stored.items()}
        before = {name: np.array(here[0][1]) for name, here in held.items() if here}
        if c.tensor:
            self._zero()
            self._from_tensor(dout)
        elif c.backward:  # else forward has returned its gradient
            out = got(self, c.out.path)
            dout = as_taken_apart(self._method(c.backward), c.backward_args, self._as_taken(dout))
            given = dout, self._as_taken(x)
            own = {"dout": given[0], "x": given[1], "t": self._labels(t), "out": out, "cache": self._cache()}
            self.back = self._number(self._call(self._method(c.backward), c.backward_args, **own))
            if c.update:
                self._call(self._method(c.update[0]), c.update[1])
        self.fresh = False
        self.gradients = {}
        for name, place in c.grads.items():
            if self.probe.args.get(name) is None:
                continue
            if c.change:
                after = got(self, c.stored[name][0].path)
                self.gradients[name] = (before[name] - todays(after)) / before[name].dtype.type(RATE)
            else:
                self.gradients[name] = todays(got(self, place.path))
        for name, here in c.stored.items():
            now = got(self, here[0].path) if here else None
            if isinstance(now, np.ndarray) and c.updates and name in before and not self.trains:
                for place, array in held[name]:
                    put(self, place.path, _with(array, before[name]))
        dx = None
        if c.dx is not None:
            dx = numbers(todays(got(self, c.dx.path)), getattr(dout, "dtype", None))
        if c.jacobian:
            return times_jacobian(dout, dx, c.jacobian)
        number = isinstance(dx, (np.ndarray, np.number, int, float)) and not isinstance(dx, bool)
        return dout * dx if c.derivative and not c.tensor and number else dx  # of a straight line it is 1

    def _number(self, result: Any) -> Any:
        """A whole number or a truth value as a float, where code for one number gives it; so a row of them,
        where code takes the numbers of a row one by one."""
        one_by_one = self.convention.limits.get("rows_only") and self.convention.rows == "F"
        if one_by_one and isinstance(result, np.ndarray) and result.dtype.kind in "iub":
            return result.astype(float)
        whole = isinstance(result, (bool, int, np.bool_, np.integer))
        return float(result) if whole and self.convention.by_number else result

    def _labels(self, t: Any) -> Any:
        """The target as it is; as whole numbers where it is an index; as (N,) where outputs are (N, 1), and
        the other way round; in rows where outputs are columns; as numbers of classes where a loss of outputs
        makes one-hot rows of them."""
        if self.convention.limits.get("labels") == "column" and np.ndim(t) == 1:
            return t[:, None]
        if self.convention.limits.get("rows_of_targets"):
            return t.T
        if self.convention.limits.get("class_labels"):
            return t.argmax(axis=1)
        flat = self.convention.limits.get("flat_labels") and np.size(t) == np.shape(t)[0]
        t = t.reshape(len(t)) if flat else t
        return t.astype(np.int64) if self.convention.limits.get("whole_labels") else t

    @property
    def mask(self) -> Any:
        """The mask that a dropout keeps, of what is kept; None without a place for it."""
        mask = None if self.convention.mask is None else numbers(got(self, self.convention.mask.path))
        return np.equal(mask, 0) if self.convention.drops and isinstance(mask, np.ndarray) else mask

    def put_mask(self, mask: Any) -> None:
        """Set the mask, as a list where it is one."""
        assert self.convention.mask is not None
        path = self.convention.mask.path
        held = got(self, path)
        mask = np.equal(mask, 0).astype(numbers(held).dtype) if self.convention.drops else mask
        put(self, path, mask.tolist() if isinstance(held, list) else mask)

    def _cache(self) -> Any:
        """What forward returned besides its result, for backward."""
        if not isinstance(self.out, tuple) or len(self.convention.out.path) < 2:
            return None
        at = self.convention.out.path[1][1]
        rest = [value for i, value in enumerate(self.out) if i != at]
        if [isinstance(value, (tuple, dict)) for value in rest[1:]] == [*[False] * (len(rest) - 2), True]:
            rest = rest[-1:]  # after running statistics
        return rest[0] if len(rest) == 1 else tuple(rest)

    def _arguments(self, pairs: Sequence[Sequence[str]], **own: Any) -> tuple[list[Any], dict[str, Any]]:
        """By name, except where a parameter has none or comes by its place alone (then it starts with *)."""
        placed = [self._value(meaning, **own) for name, meaning in pairs if name.startswith("*")]
        given = {name: self._value(meaning, **own) for name, meaning in pairs if not name.startswith("*")}
        return placed, given

    def _call(self, function: Any, pairs: Sequence[Sequence[str]], **own: Any) -> Any:
        args, given = self._arguments(pairs, **own)
        return function(*args, **given)

    def _zero(self) -> None:
        """Gradients of an engine add up; each backward starts anew."""
        for name, place in self.convention.grads.items():
            held = got(self, place.path)
            if isinstance(held, np.ndarray):
                put(self, place.path, np.zeros_like(held))
            elif held is not None and name:
                put(self, place.path, type(held)(0))

    def used_twice(self, x: Any, dout: Any, slope: Any) -> dict[str, Any]:
        """The gradients at x, in a tensor, of expressions in which it is used twice; see `Adapter`."""
        found: dict[str, Any] = {}
        for says, of in {**EXPRESSIONS, OUT_TWICE: self._twice}.items():
            with suppress(Exception):  # an operator that the engine has not
                self.x = self._wrapped(np.array(x), self.convention.tensor)
                self._zero()
                self._back_from(of(self.x), dout if says == OUT_TWICE else slope)
                found[says] = got(self, self.convention.dx.path if self.convention.dx else ())
        return found

    def _twice(self, x: Any) -> Any:
        c = self.convention
        one = self._inner(self._call(self._method(c.forward), c.forward_args, x=x))
        if hasattr(self.object, "backward") and not c.stored:  # it is one place of the graph, for one use
            self.object = self._build()
        return one + self._inner(self._call(self._method(c.forward), c.forward_args, x=x))

    def _inner(self, out: Any) -> Any:
        """The tensor in what forward returned."""
        for _, step in self.convention.out.path[1:-1]:
            out = out[step] if isinstance(step, int) else getattr(out, step)
        return out

    def _from_tensor(self, dout: Any) -> None:
        self.back = self._back_from(self._inner(self.out), dout)

    def _back_from(self, out: Any, dout: Any) -> Any:
        c = self.convention
        if dout is None:  # of a loss
            return Engine(named(self.factory, c.tensor)).start(out)
        if c.backward_args:
            seed = named(self.factory, c.tensor)(dout) if c.derivative else dout  # it needs no gradient
            return out.backward(seed)
        product = out * self._wrapped(dout, c.tensor)
        return (product.sum() if hasattr(product, "sum") else product).backward()


def named(factory: Any, name: str) -> Any:
    """A function or class of that name where the implementation was written."""
    if isinstance(factory, tuple):
        for one in factory:
            if getattr(one, "__name__", "") == name:
                return one
        factory = factory[0]
    if getattr(factory, "__name__", "") == name and not isinstance(factory, type):
        return factory
    names: Mapping[str, Any] = {**getattr(factory, "__globals__", {}), **siblings(factory)}
    if not names:
        names = vars(sys.modules.get(getattr(factory, "__module__", ""), sys))
    return names[name]


class Called(Adapter):
    """The adapter of a convention."""

    def __init__(self, convention: Convention):
        self.convention = convention
        gradients = {"dx", *(f"d{name}" for name in recipe(convention.kind).params)}
        self.backward_too = not gradients <= set(convention.unseen)

    def parameters(self, factory: Any) -> list[str] | None:
        c = self.convention
        if c.rule:
            decays = bool(decay_of(signature(factory) or ()))  # of a function, beside what every one takes
            how = recipe(c.kind)
            order = [name for name in how.order if name not in how.optional or asks_for(factory, name)]
            order += ["weight_decay"] * decays
            names = super().parameters(factory) if isinstance(factory, type) else order
            if names is None:
                return None
            found = [*taken_under(names, c.kind, c.rate, c.average), *c.numbers.values()]
            return [name for name in dict.fromkeys(found) if name in _arguments_of(c)]
        used = dict.fromkeys(m for _, m in [*(c.constructor or ()), *c.forward_args])
        if c.as_in_the_book:
            names = super().parameters(factory)
            return None if names is None else room(names, recipe(c.kind))
        inner = [word for m in used if m.startswith("{") for word in m[1:-1].replace(":", ";").split(";")]
        found = [*c.stored, *c.passed, *c.buffers, *used, *inner]
        found += (
            ["stride"] * ("stride_h" in used or "(SH,SW)" in used or "stride" in c.limits)
            + ["pad"] * (bool({*used} & {*PADS}) or bool(c.padding))
            + ["training"]
            + ["momentum"] * ("left" in used or bool(c.kept) or bool(c.written))
        )
        found += ["b"] * ("bias" in used or "+" in "".join(c.passed.values()))
        how = recipe(c.kind)
        return [name for name in dict.fromkeys(found) if name in how.optional or name in how.order]

    def build(self, factory: Any, probe: Probe, copy: bool = True) -> Any:
        if self.convention.rule:
            return Rule(self.convention, factory, probe)
        live = Live(self.convention, factory, probe, copy)
        if not self.convention.takes(probe):
            raise NotImplementedError("it does not take this")
        live.make()
        if probe.args.get("training") is False:
            self.infer(live)
        return live

    def change(self, layer: Any, probe: Probe, new: dict[str, Any]) -> list[str]:
        return [] if self.convention.rule else layer.change_weights(new)

    def used_twice(self, layer: Any, probe: Probe) -> dict[str, Any]:
        live, c, x = layer, self.convention, probe.inputs["x"]
        if not c.tensor:
            return super().used_twice(live.object, probe)
        layout, dout = c.x_layouts.get(x.ndim, ""), probe.inputs["dout"]
        given = [(x, layout), (dout, c.out_layouts.get(dout.ndim, "")), (probe.inputs["slope"], layout)]
        parts = [pieces(array, order) for array, order in given]
        if c.buffers or any(len(one) > 1 for one in parts):
            return {}
        found = live.used_twice(*(one[0] for one in parts))
        return {says: joined([a], layout, x.shape) if _is_plain(a) else a for says, a in found.items()}

    def backward_of(self, layer: Any, probe: Probe, dout: float) -> Any:
        live, c = layer, self.convention
        given = tuple((name, f"={dout}" if meaning == "=1" else meaning) for name, meaning in c.backward_args)
        if given == tuple(map(tuple, c.backward_args)):
            return None
        live.convention = replace(c, backward_args=given)
        try:
            return self.backward(live, probe)
        finally:
            live.convention = c

    def train(self, layer: Any, probe: Probe) -> dict[str, Any]:
        live, c = layer, self.convention
        layouts = [places[0].layout for places in c.stored.values() if places]
        if not c.updates or any("+" in layout or layout in PER_PIXEL for layout in layouts):
            return {}
        live.trains = True
        try:
            self.forward(live, probe)
            self.backward(live, probe)
        finally:
            live.trains = False
        found = {name: todays(got(live, places[0].path)) for name, places in c.stored.items() if places}
        return {
            name: _unfolded(now, live.probe.args[name], c.stored[name][0].layout, name)
            for name, now in found.items()
            if isinstance(live.probe.args.get(name), np.ndarray)
        }

    def infer(self, layer: Any) -> None:
        layer.switch_to(False)

    def learn(self, layer: Any) -> None:
        layer.switch_to(True)

    def rates(self, optimizer: Any, value: float) -> list[str]:
        return super().rates(optimizer.made, value) if isinstance(optimizer, Rule) else []

    def set_rate(self, optimizer: Any, old: float, new: float, at: str = "") -> bool:
        if not isinstance(optimizer, Rule):
            return False
        handed = not at and optimizer.hand_another_rate(new)
        return super().set_rate(optimizer.made, old, new, at) or handed

    def forward(self, layer: Any, probe: Probe) -> Any:
        if self.convention.columns:
            return self._columns(layer, probe)
        live, c, x = layer, self.convention, probe.inputs["x"]
        live.probe = Probe(probe.kind, probe.id, live.probe.args, probe.inputs)
        if probe.kind == "dropout":
            if "mask" not in probe.inputs:
                self.infer(live)
            elif c.mask is not None:
                return self._drop(live, x, probe.inputs["mask"])
        return self._forward(live, x, probe.inputs.get("t"))

    def _forward(self, live: Live, x: Any, t: Any) -> Any:
        c, how = self.convention, recipe(self.convention.kind)
        given = x
        if c.probabilities == "logits":
            x = np.log(x) - np.log1p(-x)
        elif c.probabilities and not is_reduced(c.kind):
            x = log_softmax(x) if c.probabilities == "logs" else softmax(x)
        parts = pieces(x, c.x_layouts.get(x.ndim, ""))
        again = len(parts) > 1 and not c.by_number  # forward is called again
        kept = [np.array(part) for part in parts] if again else parts
        small = x.dtype.type(c.inside_log)
        labels = labels_of(t, len(parts), c.x_layouts.get(x.ndim, ""))
        shifted = [part - small if small else part for part in parts]
        outs, live.masks = [], []
        for part, label in zip(shifted, labels, strict=True):
            out = live.forward_once(part, label)
            outs.append(_apart(out) if again else out)
            live.masks.append(None if live.mask is None else np.array(live.mask))
        outs = [as_number(out, x.dtype) for out in outs] if c.by_number else outs
        shifts = c.probabilities == "own" and not c.log_alone
        live.seen = [np.array(part) for part in shifted] if shifts else kept
        all_read(live.options.values(), live.probe.args)
        live.batch, live.given = (kept, x.shape, labels), np.array(given)
        if how.role == "loss" and "loss" in c.unseen:
            return None
        if how.role == "loss":
            if c.reduction == "none" and all(isinstance(out, np.ndarray) for out in outs):
                return joined(outs, c.x_layouts.get(x.ndim, ""), x.shape)
            losses = [out.mean() if c.mean and isinstance(out, np.ndarray) else out for out in outs]
            losses = [np.asarray(out, dtype=x.dtype) if type(out) is float else out for out in losses]
            if c.total or c.per_class:
                return losses[0] * x.dtype.type(x.shape[1] if c.per_class else 1 / len(x))
            return losses[0] if len(losses) == 1 else np.mean(losses, dtype=np.result_type(*losses))
        expected = expected_shape(c.kind, live.probe)
        if odd := [out for out in outs if not _is_plain(out)]:
            return odd[0]
        out = joined(outs, c.out_layouts.get(len(expected), ""), expected)
        return in_order(out, x.shape, c.flat, PYTORCH) if c.flat and _is_flat(out, x.shape) else out

    def _columns(self, live: Live, probe: Probe) -> Any:
        """im2col or col2im."""
        c = self.convention
        live.probe = probe
        if probe.kind == "im2col":
            images = probe.inputs["input_data"]
            width = images.shape[1] * probe.args["filter_h"] * probe.args["filter_w"]
            outs = [live.forward_once(part) for part in pieces(images, c.images)]
            return columns.taken(outs, len(images), width, c.columns, images.shape[1])
        shape = probe.args["input_shape"]
        parts = columns.given(probe.inputs["col"], shape[0], c.columns, shape[1])
        outs = [live.forward_once(part) for part in parts]
        if odd := [out for out in outs if not _is_plain(out)]:
            return odd[0]
        return joined(outs, c.images, shape)

    def _drop(self, live: Live, x: Any, wanted: Any) -> Any:
        kept = x.copy()
        inputs = chain([x], (kept.copy() for _ in count()))  # what it writes into x has to be seen

        def again() -> tuple[Any, Any]:
            out = self._forward(live, next(inputs), None)
            there = all(isinstance(mask, np.ndarray) for mask in live.masks)
            if not there or sum(mask.size for mask in live.masks) != x.size:
                raise AttributeError(f"expected the mask, of x's shape, in {self.convention.mask}")
            return out, np.stack(live.masks).reshape(x.shape)

        found, scale = as_if_drawn(*again(), wanted, again)
        masks = np.where(wanted, scale, 0).reshape(len(live.masks), -1)
        pairs = zip(masks, live.masks, strict=True)
        live.masks = [new.astype(old.dtype).reshape(old.shape) for new, old in pairs]
        live.put_mask(live.masks[-1])
        return found

    def draw(self, layer: Any, x: NDArray[Any]) -> Any:
        return self._forward(layer, x, None)

    def backward(self, layer: Any, probe: Probe) -> Any:
        live, c = layer, self.convention
        if c.dx is None and not c.grads:
            return None
        kept, shape, labels = live.batch
        dout = probe.inputs.get("dout")
        if c.flat and dout is not None and _is_flat(dout, shape):
            dout = in_order(dout, shape, PYTORCH, c.flat)
        douts = pieces(dout, c.out_layouts.get(dout.ndim, "")) if dout is not None else [None] * len(kept)
        found: list[Any] = []
        sums: dict[str, Any] = {}
        for part, d, t, mask in zip(live.seen, douts, labels, live.masks, strict=True):
            if len(kept) > 1 or c.log_alone or (c.tensor and not live.fresh):
                live.forward_once(part, t)
            if len(kept) > 1 and mask is not None:
                live.put_mask(mask)
            gradient = live.backward_once(d, part, t)
            gradient = _apart(gradient) if len(kept) > 1 else gradient
            found.append(as_number(gradient, live.given.dtype) if c.by_number else gradient)
            for name, gradient in live.gradients.items():
                gradient = _apart(gradient) if len(kept) > 1 else gradient
                seen = isinstance(gradient, np.ndarray) and isinstance(sums.get(name), np.ndarray)
                sums[name] = sums[name] + gradient if seen else gradient
        live.sums = sums
        if odd := [dx for dx in found if not _is_plain(dx)]:
            return odd[0]
        layout = c.x_layouts.get(len(shape), "")
        dx: Any = joined(found, layout, shape)
        if c.per_row or c.total or (dout is None and one_at_a_time(layout)):
            dx = dx / dx.dtype.type(len(kept) if c.by_number else shape[0])
        if c.per_class and np.shape(dx) == shape:
            dx = dx * dx.dtype.type(shape[1])
        if (
            c.probabilities and is_reduced(c.kind) and np.shape(dx) == shape
        ):  # the chain rule through a sigmoid
            return dx / (live.given * (1 - live.given))
        if c.probabilities == "logs" and np.shape(dx) == shape:  # the chain rule through log-softmax
            logs: Any = joined(kept, layout, shape)
            return dx - np.exp(logs) * dx.sum(axis=1, keepdims=True)
        if c.probabilities == "own" and np.shape(dx) == shape:  # the chain rule through softmax
            y: Any = joined(kept, layout, shape)
            return y * (dx - (dx * y).sum(axis=1, keepdims=True))
        return dx

    def state(self, layer: Any, probe: Probe) -> dict[str, Any]:
        live, c = layer, self.convention
        found: dict[str, Any] = {}
        for name in recipe(c.kind).params:
            weight, place = live.probe.args.get(name), c.grads.get(name)
            gradient = live.sums.get(name)
            if place is not None and weight is not None:
                gradient = _of_one_axis(gradient, weight) if c.change else gradient
                found[f"d{name}"] = _unfolded(gradient, weight, place.layout, name)
            elif weight is not None and "W" in c.grads and "+" in c.grads["W"].layout:
                found["db"] = _bias_of(live.sums.get("W"), c.grads["W"].layout)
        for name, places in c.buffers.items():
            here = todays(got(live, places[0].path)) if places else None
            original = live.probe.args[name]
            here = _unfolded(here, original, places[0].layout, name) if places else None
            found[name] = _of_one_axis(here, original)
        return found


def _with(array: Any, numbers: Any) -> Any:
    """The array with these numbers, which other parts of the object may be views of; else the numbers."""
    if not isinstance(array, np.ndarray) or not array.flags.writeable:
        return numbers
    array[...] = numbers
    return array


def _apart(value: Any) -> Any:
    """A copy of what the next image's call may write into; anything but an array as it is."""
    return np.array(value) if type(value) is np.ndarray else value


def as_number(value: Any, dtype: Any) -> Any:
    """A number in that dtype: Python knows one alone, whatever the array has; anything else as it is."""
    number = isinstance(value, (bool, int, float, np.generic)) or type(value) is np.ndarray
    return dtype.type(value) if number and np.ndim(value) == 0 else value


def _is_plain(value: Any) -> bool:
    """Whether it is an array of NumPy's own type: one of another type, as a matrix, computes otherwise."""
    return type(value) is np.ndarray or isinstance(value, np.generic)


def _is_flat(rows: Any, shape: Sequence[int]) -> bool:
    """Whether they are rows of images of that shape."""
    return len(shape) == 4 and np.shape(rows) == (shape[0], math.prod(shape[1:]))


def _arguments_of(c: Convention) -> set[str]:
    return {*recipe(c.kind).order, *recipe(c.kind).optional}


def _unfolded(array: Any, weight: Any, layout: str, name: str) -> Any:
    """A gradient in the layout of the book."""
    if not isinstance(array, np.ndarray):
        return array
    if "+" in layout:
        rows = layout.strip("+b")
        whole = array if rows == "IO" else array.T
        return whole[:-1] if layout.endswith("+b") else whole[1:]
    if (
        layout in PER_PIXEL and weight.ndim == 1 and array.ndim == 3
    ):  # all of a channel are the one bias of the book
        return array.sum(axis=PER_PIXEL[layout])
    return restored(array, WEIGHTS.get(weight.ndim, ""), layout, weight.shape)


def _of_one_axis(array: Any, vector: Any) -> Any:
    """What is a row or a column of the vector's numbers by now, as a vector; anything else as it is.

    A running mean becomes one by `keepdims`, and broadcasting does not mind.
    """
    long = isinstance(array, np.ndarray) and tuple(n for n in array.shape if n > 1)
    one = np.ndim(vector) == 1 and long == vector.shape and long != ()
    return array.reshape(vector.shape) if one else array


def _bias_of(array: Any, layout: str) -> Any:
    if not isinstance(array, np.ndarray):
        return array
    whole = array if layout.strip("+b") == "IO" else array.T
    return whole[-1] if layout.endswith("+b") else whole[0]


def softmax(x: Any) -> Any:
    """Of each row, or of one."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(x: Any) -> Any:
    """Of each row, or of one."""
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def expected_shape(kind: str, probe: Probe) -> tuple[int, ...]:
    """The shape of the result: that of the cotangent, which every layer's probe has."""
    dout = probe.inputs.get("dout")
    return tuple(dout.shape) if isinstance(dout, np.ndarray) else ()


__all__ = ["Called", "Live", "Place", "Recipe", "expected_shape"]
