"""The code under test, as the checks see it: something that can be built on a probe and called.

A `Subject` is one implementation, an `Instance` one object of it. Both only ask (`connection.py`); where the
code runs makes no difference to a check. What comes back is an array of plain numbers, None where there is
nothing, or an `Odd` that says what stood in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

import numpy as np

from parity.adapters.arguments import GIVEN
from parity.adapters.bench import Bench, Raised
from parity.adapters.children import copied_child, fresh_child
from parity.adapters.connection import Apart, Connection, Ended, Here
from parity.adapters.constants import is_not_pytorch_s
from parity.adapters.convention import Convention, Place, has_one_slope
from parity.adapters.conventions import ADAPTERS, adapter_of
from parity.adapters.isolate import Limits
from parity.adapters.loss_arguments import OF_LOGARITHMS, tells_by_logarithm
from parity.adapters.recipe import is_reduced, recipe
from parity.adapters.training_flag import is_told_as_in_the_book
from parity.adapters.wire import Odd, clean
from parity.kinds.probe import Probe

FRESH, COPY = "in a process of its own", "in a copy of this process, where the checker is too"
AUTO = "auto"  # the adapter that is found by trial
DENSE = "affine"
FIRST = Place("out[0]")  # of a tuple: the columns, before their sizes
Arrays = dict[str, Any]  # name -> array, None or Odd


class Subject:
    """One implementation.

    where    it runs
    target, adapter  what is still to be loaded there, None where it is there already
    names    the arguments of the kind that it has room for, None where any name goes
    defaults what it takes for stride and pad where they are not given, as Python writes it
    options  its parameters beside the kind's own that have a default, and that default
    misfit   why it cannot be called as the adapter calls, as far as its signature shows
    unasked  what the checks could not ask it for, in words
    remarks  what the checks have to say of it that is no error, in sentences
    """

    def __init__(
        self,
        connection: Connection,
        target: str | None = None,
        adapter: str | None = None,
        convention: Convention | None = None,
        by_trial: bool = False,
    ):
        self.connection, self.where = connection, connection.where
        self.target, self.adapter = target, adapter
        self.convention = convention  # how it is called, where that is no adapter's affair
        self.by_trial = by_trial
        self.names: list[str] | None = None
        self.defaults: dict[str, str] = {}
        self.options: dict[str, str] = {}
        self.misfit = ""
        self.unasked: list[str] = []
        self.remarks: list[str] = []
        self.engine, self.numbers = "", False  # of an engine's operator; see `description.about`
        self.backward_too = True
        self.step = ""  # of the trial, what is being asked
        self.probe: Probe | None = None  # the one that is being tried
        self.gone: list[int] = []
        self._count = 0

    @cached_property
    def about(self) -> dict[str, Any]:
        """What can be read off the implementation without a call (`description.about`), asked once."""
        found = self.connection.ask("about")
        return found if isinstance(found, dict) else {}

    def former_names(self) -> list[str]:
        """A sentence for each name that Python or NumPy once had and that its code used."""
        found = self.connection.ask("former_names")
        return [clean(text) for text in found] if isinstance(found, list) else []

    def leave_unasked(self, what: str) -> None:
        """Say that a check could not ask it for that; once, however often it is found."""
        if what not in self.unasked:
            self.unasked.append(what)

    def remark(self, sentence: str) -> None:
        """Say something of it that is no error; once, however often it is found."""
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def takes(self, probe: Probe) -> bool:
        """Whether the probe asks for nothing that is known to be beyond it."""
        how = self.convention
        return how is None or (
            how.takes(probe) and (not how.limits.get("first_slope") or has_one_slope(probe))
        )

    def has_argument_in(self, meaning: str, listed: str) -> bool:
        """Whether what the forward of a loss calls x or t is among the arguments that `about` lists there."""
        if self.convention is not None:
            names = [name for name, what in self.convention.forward_args if what == meaning]
        else:
            way = self.about.get("methods", {}).get("forward") or self.about.get("signature") or ()
            at = ("x", "t").index(meaning)
            names = [p["name"] for p in way if p is not None][at : at + 1]
        found = self.about.get(listed)
        return isinstance(found, list) and any(name.lstrip("*") in found for name in names)

    def open(self, kind: str) -> Subject:
        """Load it, and find out how it is called where no adapter says it.

        Raises what the connection does, and NotCallable.
        """
        self._open(kind)
        if self.by_trial:
            self.by_trial = False
            self.step = "its first call"
            self.convention = self._found(kind)
            self.step = ""
            if self.convention is not None:
                self._open(kind)
        return self

    def _found(self, kind: str) -> Convention | None:
        """How it is called; None where that is the book's way."""
        from parity.adapters.trial import (
            as_it_returns,
            find_for_its_images,
            fits_the_book,
            may_be_derivative,
            may_take_probabilities,
            one_for_both_axes,
            pads_by_word,
            takes_what_is_kept,
        )
        from parity.adapters.trial.hinge_divisors import KIND as HINGE
        from parity.kinds import kind_of
        from parity.kinds.followed import parts_of

        layer, activation = parts_of(kind)
        if activation:
            return self._found_with(kind, layer)
        if not kind_of(kind).call:  # a kind that is never asked of anyone else's code
            return None
        about = self.about | self._logarithms(kind)
        if recipe(kind).role == "optimizer":
            return as_it_returns(self, kind, self._found_rule(about, kind), self._open_as)
        if kind in ("im2col", "col2im"):
            return self._found_columns(about, kind)
        if about.get("engine"):  # an operator or method that was made a layer in the book's way
            self.engine, self.numbers = clean(about["engine"]), about.get("numbers") is True
            return None
        signature = about.get("signature") or ()
        odd = any(test(signature, kind) for test in (one_for_both_axes, pads_by_word, takes_what_is_kept))
        odd = odd or is_not_pytorch_s(signature, kind)
        odd = odd or (recipe(kind).role == "loss" and may_take_probabilities(about)) or is_reduced(kind)
        odd = (
            odd
            or kind == HINGE
            or may_be_derivative(about, kind)
            or (kind == "flatten" and about.get("turns_axes") is True)
        )
        odd = odd or tells_by_logarithm(about) or not is_told_as_in_the_book(about, kind)
        if not odd and fits_the_book(self, kind):
            return self._as_its_file(kind)
        return find_for_its_images(self._asking(kind), about, kind, not self.misfit, self._dense_in_columns)

    def _found_with(self, kind: str, layer: str) -> Convention | None:
        """How a layer with an activation built in is called: as the layer is."""
        self._open(layer)
        found = self._found(layer)
        self._open(kind)
        return None if found is None else replace(found, kind=kind)

    def _asking(self, kind: str, of: str = "") -> Callable[[Convention, Probe], dict[str, Any]]:
        """One attempt under a convention at the implementation, or at the class of that name beside it."""

        def ask(convention: Convention, probe: Probe) -> dict[str, Any]:
            self.step = f"a call of {convention.forward or 'the constructor'}"
            sent = {"convention": convention.data(), "kind": kind, "args": probe.args, "inputs": probe.inputs}
            found = self.connection.ask("attempt", **sent, of=of)
            return found if isinstance(found, dict) else {"at": "build", "error": "no answer"}

        return ask

    def _as_its_file(self, kind: str) -> Convention | None:
        """How a softmax is called that fits the book, where its samples are columns; else None."""
        from parity.adapters.trial import find

        if kind != "softmax":
            return None
        found = find(self._asking(kind), self.about, kind, True, self._dense_in_columns)
        return found if found is not None and found.rows == "FN" else None

    def _dense_in_columns(self) -> str | None:
        """The dense layers of its file, where all that can be called take samples as columns; else "".

        None where there is none that can be called.
        """
        from parity.adapters.trial import NotCallable, dense_beside, find, take_columns

        found: dict[str, Convention] = {}
        for name in dense_beside(self.about):
            about = self.connection.ask("beside", name=name, how=asdict(recipe(DENSE)))
            with suppress(NotCallable):
                if (way := find(self._asking(DENSE, name), about, DENSE, False)) is not None:
                    found[name] = way
        return take_columns(found)

    def _logarithms(self, kind: str) -> dict[str, Any]:
        """Which argument of a cross entropy stands in logarithms, and in divisors, by function."""
        found = self.connection.ask("logarithms") if kind in OF_LOGARITHMS else {}
        return found if isinstance(found, dict) else {}

    def _found_rule(self, about: dict[str, Any], kind: str) -> Convention | None:
        """How an optimizer is called: the first way in which it changes every array."""
        from parity.adapters.rule_constants import has_other_constants
        from parity.adapters.rule_names import steps_of
        from parity.adapters.rules import BY_LETTER, in_other_shapes, rules, updates_by_book
        from parity.adapters.trial import NONE_CHANGED, NOT_FINITE, PARTLY_CHANGED, NotCallable, changes_all

        errors: list[tuple[str, str]] = []
        other = has_other_constants(about, kind)
        by_book = [] if self.misfit or other or not updates_by_book(about) else [None]
        idle: list[Convention | None] = []  # ways that change nothing
        partly: list[Convention | None] = []  # and those that leave a part of an array
        tried: list[tuple[Convention, str]] = []
        not_finite: list[Convention] = []  # ways that give no numbers
        ways = [*rules(about, kind)]
        by_letter = [way for way in ways if way.rule == BY_LETTER]
        for way in (*by_letter, *by_book, *(way for way in ways if way not in by_letter)):
            self._open_as(way, kind)
            if changes_all(self, kind, errors, str(way or f"called as {about['name']}")):
                return self._one_for_each(self._that_sees_new_gradients(way, kind), about, kind)
            tried += [(way, errors[-1][1])] if way is not None else []
            not_finite += [way] if way is not None and errors[-1][1] == NOT_FINITE else []
            idle += [way] if errors[-1][1] == NONE_CHANGED else []
            partly += [way] if errors[-1][1] == PARTLY_CHANGED else []
        for way in partly[:1]:
            self._open_as(way, kind)
            return self._one_for_each(self._that_sees_new_gradients(way, kind), about, kind)
        if any(self._works_as_its_other_kind(way, about, kind) for way in idle):
            return self.convention
        for way in (*in_other_shapes(tried, about["from_second"]), *not_finite[:1]):
            self._open_as(way, kind)
            if changes_all(self, kind, errors, str(way)) or way in not_finite:
                return self._one_for_each(self._that_sees_new_gradients(way, kind), about, kind)
        self.convention = None
        stubs = steps_of(about.get("stubs", ()))
        if by_book and not stubs:
            self.adapter = "book"
            self._open(kind)
            return None
        names = ", ".join(p["name"] for p in about.get("signature") or ())
        raise NotCallable(about["name"], kind, names, errors, stubs)

    def _works_as_its_other_kind(self, way: Convention | None, about: dict[str, Any], kind: str) -> bool:
        """Whether one that so changes nothing changes every array with a momentum, or without one: then it
        is called right, and is opened that way again."""
        from parity.adapters.rules import OTHER_KIND, rules
        from parity.adapters.trial import changes_all

        other = OTHER_KIND.get(kind, "")
        if not other:
            return False
        same = [one for one in rules(about, other) if way and one.called_like(way)]
        works = False
        for one in same[:1] if way else [None]:
            self._open_as(one, other)
            works = not self.misfit and changes_all(self, other, [], "")
        self._open_as(way, kind)
        return works

    def _one_for_each(self, way: Convention | None, about: dict[str, Any], kind: str) -> Convention | None:
        """That way, or the same with an optimizer for each layer, where one for two of them takes the same
        steps with the same arrays only then."""
        from parity.adapters.rules import is_of_one_layer
        from parity.adapters.trial import changes_all, steps_alike

        if way is None or not is_of_one_layer(way, about) or steps_alike(self, kind):
            return way
        self._open_as(replace(way, each=True), kind)
        if changes_all(self, kind, [], "") and steps_alike(self, kind):
            return self.convention
        self._open_as(way, kind)
        return way

    def _that_sees_new_gradients(self, way: Convention | None, kind: str) -> Convention | None:
        """That way, or the same with arrays that stay, where the optimizer has kept those of its layers."""
        from parity.adapters.trial import changes_all, sees_new_gradients

        if way is None or not way.rule.startswith("held ") or "," not in way.rule:
            return way
        if sees_new_gradients(self, kind):
            return way
        self._open_as(replace(way, stays=True), kind)
        if changes_all(self, kind, [], "") and sees_new_gradients(self, kind):
            return self.convention
        self._open_as(way, kind)
        return way

    def _found_columns(self, about: dict[str, Any], kind: str) -> Convention | None:
        """How im2col or col2im is called and lays its columns out; None where that is the book's way."""
        from parity.adapters.columns import OF_CHANNELS, has_the_shape, probe_of, shows_the_layout, ways

        names = [p["name"] for p in about.get("signature") or ()]
        book = not self.misfit and names[: len(recipe(kind).order)] == list(recipe(kind).order)
        by_shape: Convention | None = None
        for way in ways(about, kind):
            if book and way.columns not in OF_CHANNELS:
                continue  # under the book's names it is held to the book's order
            stride = way.limits.get("stride", 2)
            probe = probe_of(kind, stride)
            if way.columns in OF_CHANNELS and not self._gives_rows_of_channels(way, kind, probe):
                continue
            for one in (way, replace(way, out=FIRST)):
                self._open_as(one, kind)
                try:
                    found = self.results(probe).get(recipe(kind).out)
                except Raised:
                    break
                if shows_the_layout(kind, found, one.images, stride, one.columns):
                    return self._as_im2col(one, about, kind)
                if by_shape is None and has_the_shape(one, kind, found):
                    by_shape = one
                if isinstance(found, np.ndarray):
                    break  # nothing was returned beside it
        if by_shape is not None:
            self._open_as(by_shape, kind)
            return by_shape
        self.convention, self.adapter = None, "book"  # the last way that was tried is not to stay
        self._open(kind)
        return None

    def _gives_rows_of_channels(self, way: Convention, kind: str, probe: Probe) -> bool:
        """Whether each of its rows is as long as the window of one channel."""
        from parity.adapters.columns import BOOK

        self._open_as(replace(way, columns=BOOK), kind)  # as it comes
        try:
            found = self.results(probe).get(recipe(kind).out)
        except Raised:
            return False
        return getattr(found, "shape", ())[1:] == (probe.args["filter_h"] * probe.args["filter_w"],)

    def _as_im2col(self, way: Convention, about: dict[str, Any], kind: str) -> Convention | None:
        """That way; a col2im is held to the order of images and positions of the im2col beside it."""
        from parity.adapters.columns import TOGETHER, layout_beside

        if kind != "col2im" or way.columns not in TOGETHER:
            return way
        beside, layout = layout_beside(self._asking(kind), about)
        if layout in TOGETHER and layout != way.columns:
            self._open_as(replace(way, columns=layout, as_of=beside), kind)
            return self.convention
        return way

    def _open_as(self, convention: Convention | None, kind: str) -> None:
        """Open it again, to be called so."""
        self.convention = convention
        self._open(kind)

    def _open(self, kind: str) -> Subject:
        convention = None if self.convention is None else self.convention.data()
        found = self.connection.ask(
            "open", target=self.target, adapter=self.adapter, how=asdict(recipe(kind)), convention=convention
        )
        self.target = self.adapter = None  # it is there now
        if not isinstance(found, dict):
            raise Ended("sent something that is not an answer")
        if self.convention is None and found.get("convention") is not None:  # of an adapter that was kept
            self.convention = _convention(found["convention"])
        names = found.get("names")
        self.names = [clean(name, 80) for name in names] if isinstance(names, (list, tuple)) else None
        defaults = found.get("defaults")
        self.defaults = {k: clean(v, 80) for k, v in defaults.items()} if isinstance(defaults, dict) else {}
        own = found.get("options")
        self.options = {clean(k, 80): clean(v, 80) for k, v in own.items()} if isinstance(own, dict) else {}
        idle = found.get("unread")
        for name in idle if isinstance(idle, list) else ():
            self.remark(f"{clean(name, 80)} has no effect: its code never reads it")
        self.misfit = clean(found.get("misfit", ""))
        self.backward_too = found.get("backward_too") is True
        return self

    def build(self, probe: Probe, copy: bool = True) -> Instance:
        """An object for the probe; without `copy` on the very arrays that `held` looks at afterwards."""
        self._count += 1
        self.probe = probe
        forget, self.gone = self.gone, []
        self.connection.ask(
            "build",
            number=self._count,
            kind=probe.kind,
            case=probe.id,
            args=self.args_of(probe),
            inputs=probe.inputs,
            copy=copy,
            forget=forget,
        )
        return Instance(self, self._count, probe)

    def results(self, probe: Probe) -> Arrays:
        """Every result of one forward and one backward of a new object. Raises Raised where forward does."""
        self.probe = probe
        args = self.args_of(probe)
        fields = {"kind": probe.kind, "case": probe.id, "args": args, "inputs": probe.inputs}
        return _arrays(self.connection.ask("whole", **fields))

    def args_of(self, probe: Probe) -> dict[str, Any]:
        """The probe's arguments, with stride and pad in any case: a class may have defaults of its own."""
        optional, names = recipe(probe.kind).optional, self.names or ()
        return {k: optional[k] for k in GIVEN if k in optional and k in names} | probe.args

    def busy(self) -> float:
        """Seconds of processor time that the code has used so far."""
        return self.connection.busy()

    def waited(self) -> float:
        """Seconds for which its answers were waited for so far, as the limit counts them."""
        return self.connection.waited

    def close(self) -> str:
        """End the process that it runs in, if it has one; what it printed."""
        return self.connection.close()


def _convention(data: Any) -> Convention:
    """Raises Ended for what is none."""
    try:
        return Convention.of(data)
    except (TypeError, KeyError, AttributeError, ValueError):
        raise Ended("sent something that is not an answer") from None


class Instance:
    """One object of the code under test; inputs are those of its probe unless others are given."""

    def __init__(self, subject: Subject, number: int, probe: Probe):
        self.subject, self.number, self.probe = subject, number, probe

    def _ask(self, what: str, **fields: Any) -> Any:
        return self.subject.connection.ask(what, number=self.number, **fields)

    def __del__(self) -> None:
        self.subject.gone.append(self.number)

    def forward(self, inputs: Mapping[str, Any] | None = None) -> Any:
        """What the call returns: out, col, img or the loss."""
        return _array(self._ask("forward", inputs=self._inputs(inputs)))

    def backward(self, inputs: Mapping[str, Any] | None = None) -> Any:
        """dx, for the cotangent in the inputs; without any, for what lies there since forward."""
        return _array(self._ask("backward", inputs=None if inputs is None else dict(inputs)))

    def state(self) -> Arrays:
        """Gradients and running statistics as they are now."""
        return _arrays(self._ask("state"))

    def results(self, inputs: Mapping[str, Any] | None = None) -> Arrays:
        """Forward, backward and state. Raises Raised where forward does."""
        return _arrays(self._ask("results", inputs=self._inputs(inputs)))

    def draw(self, x: Any) -> Any:
        """The output for a mask that the layer draws itself; None where the adapter cannot say."""
        return _array(self._ask("draw", x=x))

    def infer(self) -> None:
        """Switch to inference."""
        self._ask("infer")

    def learn(self) -> None:
        """Switch back to training."""
        self._ask("learn")

    def change(self, weights: Mapping[str, Any]) -> list[str]:
        """Write other weights over its own, as an optimizer does; the names of those that were found."""
        found = self._ask("change", args=dict(weights))
        return [name for name in weights if name in found] if isinstance(found, list) else []

    def used_twice(self, inputs: Mapping[str, Any]) -> Arrays:
        """Of an autograd engine: the gradients of expressions in which x is used twice; else nothing."""
        return _arrays(self._ask("used_twice", inputs=dict(inputs)))

    def expressions(self, x: Any, slope: Any) -> Arrays:
        """Of an operator of an engine: its expressions with plain numbers and axes; else nothing."""
        return _arrays(self._ask("expressions", x=x, slope=slope))

    def train(self) -> Arrays:
        """The weights after a forward and a backward that change them; none where backward leaves them."""
        return _arrays(self._ask("train"))

    def backward_of(self, dout: float) -> Any:
        """dx of a loss for that dout, after forward; None where its backward takes none or raises."""
        return _array(self._ask("backward_of", dout=dout))

    def rates(self, value: float) -> list[str]:
        """The names under which an optimizer shows its learning rate, which is `value`."""
        found = self._ask("rates", value=value)
        return [clean(name, 80) for name in found] if isinstance(found, list) else []

    def set_rate(self, old: float, new: float, at: str = "") -> bool:
        """Set the learning rate of an optimizer, everywhere or under one name alone; whether it shows one."""
        return self._ask("set_rate", old=old, new=new, at=at) is True

    def held(self) -> dict[str, Any]:
        """What the arrays that were handed over hold now: "args", "inputs", an optimizer's "arrays"."""
        found = self._ask("held")
        return found if isinstance(found, dict) else {}

    def returned(self, by: str, before: bool = False) -> Any:
        """What the last "forward" or "backward" returned, or the one before, as it is now."""
        return _array(self._ask("returned", by=by, before=before))

    def overwrite(self, name: str, value: float | np.ndarray[Any, Any]) -> None:
        """Fill one of the inputs of the last call, which the code may have kept, with a number or others."""
        self._ask("overwrite", name=name, value=value)

    def _inputs(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        return dict(self.probe.inputs if given is None else given)


def _array(value: Any) -> Any:
    if value is None or isinstance(value, (np.ndarray, Odd)):
        return value
    return Odd(f"expected an array, got {type(value).__name__}")


def _arrays(found: Any) -> Arrays:
    if not isinstance(found, dict):
        raise Ended("sent something that is not an answer")
    return {clean(name, 80): _array(value) for name, value in found.items()}


# -- where it runs --------------------------------------------------------------------------------
def subject_here(factory: Any, kind: str, adapter: Any = None) -> Subject:
    """The code in this process, without limits, ready to be asked."""
    return place_here(factory, adapter).open(kind)


def place_here(factory: Any, adapter: Any = None) -> Subject:
    """The code in this process, without limits; still to be opened."""
    target = factory if isinstance(factory, str) else None
    adapter, convention, by_trial = _said(adapter)
    return Subject(
        Here(Bench(None if target else factory, adapter_of(adapter))), target, None, convention, by_trial
    )


def _said(adapter: Any) -> tuple[Any, Convention | None, bool]:
    """An adapter, a convention that has been found, or AUTO: by trial."""
    if isinstance(adapter, Convention):
        return None, adapter, False
    by_trial = isinstance(adapter, str) and adapter.lower() == AUTO
    return (None if by_trial else adapter), None, by_trial


def place_apart(factory: Any, adapter: Any, limits: Limits) -> Subject:
    """The code in a process of its own; still to be opened.

    That is a fresh interpreter where both have a name (`layers.py:Relu`, an adapter of ours or one in a
    file), and a copy of this process where one of them is an object that only this process has.
    """
    adapter, convention, by_trial = _said(adapter)
    named = adapter_name(adapter)
    target = factory if isinstance(factory, str) else None
    if target is not None and named is not None:
        return Subject(Apart(fresh_child(), limits, FRESH), target, named, convention, by_trial)
    bench = Bench(None if target else factory, None if named else adapter_of(adapter))
    return Subject(Apart(copied_child(bench), limits, COPY), target, named, convention, by_trial)


def adapter_name(adapter: Any) -> str | None:
    """What another process can find the adapter by; None for an object of this one.

    Raises ValueError for a name that there is not.
    """
    if isinstance(adapter, str) and ":" in adapter:
        return adapter
    found = adapter_of(adapter)
    return next((name for name, ours in ADAPTERS.items() if type(ours) is type(found)), None)
