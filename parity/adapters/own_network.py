"""Somebody's network without a reference: how it is built and called, its loss, and the gradients it gives.

What is tried is names, shapes and layouts: the widths of the layers and the number of rows differ, so that at
most one orientation of the data runs. Each call is made on a copy with the same random numbers, so that what
drops at random drops the same each time. Needs NumPy alone.
"""

from __future__ import annotations

import copy
import inspect
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters.arguments import plain
from parity.adapters.bench import words_of
from parity.adapters.network_arrays import Place, exchanged, inside, is_bias, put, shown, taken
from parity.adapters.network_builds import DECAY, RATE, Build, I, N, O, builds
from parity.adapters.network_calls import Call, call_of, names_returned
from parity.adapters.network_data import (
    FEW,
    LISTS,
    ROWS,
    SINGLE,
    VECTOR,
    Data,
    filled,
    forms_of,
    inputs_of,
    labels_of,
    outputs_of,
    widths_of,
)
from parity.adapters.network_gradients import Arrays, of_attributes, of_changes, of_returned, shape_fits
from parity.adapters.network_lines import line_of, used_in
from parity.adapters.network_lists import OneRow, in_turn, numbers_in
from parity.adapters.network_nodes import SAYS, OfNodes
from parity.adapters.network_one_step import (
    clips,
    counts_rows,
    is_called_per_row,
    loops_over_rows,
    not_one_step,
)
from parity.adapters.network_random import fresh, random_states, restore, seed
from parity.adapters.network_results import loss_returned, number_of, output_of, with_returned
from parity.adapters.network_words import (
    FORWARDS,
    gives_gradients,
    is_gradient,
    is_loss,
    is_step,
    may_be_trained,
)
from parity.adapters.optimizer_names import RATES

Array = NDArray[Any]
PATIENCE = 3.0  # seconds in which a way has to be found
RETURNED, KEPT, CHANGED = "returned", "kept", "changed"


@dataclass(frozen=True)
class Way:
    """How loss and gradients are had; `loss` None: it is among what the gradient's method returns.

    of_outputs  there is no loss: the gradients can be held to the outputs alone
    misshapen   a gradient that has not the shape of its parameter
    several     that, with several rows at once, where this way takes one
    """

    build: Build
    data: Data
    forward: Call | None
    loss: Call | None
    gradient: Call
    source: str
    known: int  # parameters whose gradient it gives
    of_outputs: bool = False
    misshapen: str = ""
    several: str = ""


@dataclass
class Result:
    loss: float | None
    out: Any
    grads: Arrays = field(default_factory=dict)


class OwnNetwork:
    """A class under test, or one object of it."""

    by_functions = False  # whether it was written as functions
    unseen: tuple[str, ...] = ()  # what it could be given besides
    few = FEW  # rows of one that states no loss; 0 for all
    row: int | None = None  # the one that is asked for alone

    def __init__(self, found: Any):
        self.found = found
        self.ways: list[Way] = []
        self.way: Way | None = None
        self.bases: dict[tuple[int, bool], Any] = {}
        self.tried: list[str] = []

    # -- building --------------------------------------------------------------------------------
    def built(self, build: Build, decays: bool = False) -> Any:
        seed(0)
        if not isinstance(self.found, type):
            return copy.deepcopy(self.found)
        network = self.found(
            *build.args, **build.kwargs, **dict.fromkeys(build.decays, DECAY if decays else 0.0)
        )
        for _, value in inside(network):
            if isinstance(value, np.ndarray) and value.dtype == np.float32:
                exchanged(network, id(value), value.astype(np.float64))
        for name, value in list(getattr(network, "__dict__", {}).items()):
            if plain(name) in RATES and isinstance(value, float):
                setattr(network, name, RATE)
        return network

    def params(self, network: Any) -> dict[Place, Any]:
        """What may be trained, with its place: floating-point arrays, and biases that are plain numbers;
        where there is no array, lists of numbers."""
        found = {}
        for place, value in inside(network):
            if not all(isinstance(step, int) or may_be_trained(step) for step in place):
                continue
            trained = isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size
            if trained or (isinstance(value, (int, float, np.floating)) and is_bias(place)):
                found[place] = value
        arrays = any(isinstance(value, np.ndarray) for value in found.values())
        return found if arrays else numbers_in(network)

    def base(self, case: int, decays: bool = False) -> Any:
        """The network of that case: its parameters are random numbers of its own."""
        if (case, decays) not in self.bases:
            assert self.way is not None
            network = self.built(self.way.build, decays)
            filled(network, self.params(network), case)
            self.bases[case, decays] = network
        return self.bases[case, decays]

    # -- finding a way ---------------------------------------------------------------------------
    def search(self) -> list[Way]:
        """The ways that run, the first of each way to build it alone; [] where none does."""
        start, best = time.process_time(), list[Way]()
        sizes = {n: labels_of(ROWS, n, 0)[0][1] for n in (O, 1)}
        every = (
            list(builds(self.found, inputs_of(ROWS, I, 0), sizes))
            if isinstance(self.found, type)
            else [Build()]
        )
        for build in every:
            if best and best[0].build.outputs is None:
                break
            try:
                network = self.built(build)
            except Exception as error:
                self._note(f"{build.words(_name(self.found))} raised {words_of(error)}")
                continue
            params = self.params(network)
            if not params:
                self._note("it holds no arrays of floating-point numbers that could be its parameters")
                continue
            filled(network, params, 0)
            best += self._of_forms(network, params, build, start)
            if best and (build.outputs != O or len({way.build.outputs for way in best}) > 1):
                break
        self.ways = best
        return best

    def _of_forms(self, network: Any, params: dict[Place, Any], build: Build, start: float) -> list[Way]:
        """The ways of the first form that runs; of one row, where several give gradients of other shapes."""
        first: list[Way] = []
        forms = forms_of(network, params)
        per_row = any(is_called_per_row(type(network), name) for name in _methods(network))
        for form in sorted(forms, key=lambda form: form not in SINGLE) if per_row else forms:
            ways = self._of_form(network, params, build, form, start)
            ways.sort(key=lambda way: way.of_outputs)
            ways = [way for way in ways if way.known == len(params)] or ways
            if ways and not ways[0].misshapen:
                several = first[0].misshapen if first else ""
                return [replace(way, several=several) for way in ways[:4]]
            first = first or ways[:4]
            if time.process_time() - start > PATIENCE:
                break
        return first

    def _of_form(
        self, network: Any, params: dict[Place, Any], build: Build, form: str, start: float
    ) -> list[Way]:
        found: list[Way] = []
        for width in widths_of(network, params, build):
            x = inputs_of(form, width, 0)
            forward, out = self._forward(network, x, build)
            for outputs in outputs_of(build, params, out, form):
                for labels, t in self.labels(form, outputs, out):
                    data = Data(form, labels, width, outputs, x, t)
                    found += self._with_labels(network, params, build, data, forward, start)
                    if any(way.known == len(params) and not way.of_outputs for way in found):
                        return found
                    if time.process_time() - start > PATIENCE:
                        return found
        return found

    def labels(self, form: str, outputs: int, out: Any) -> list[tuple[str, Any]]:
        """Labels of so many outputs, the likeliest first."""
        return labels_of(form, outputs, 0, out)

    def _forward(self, network: Any, x: Any, build: Build) -> tuple[Call | None, Any]:
        """The method that gives the outputs; its one argument is the input, whatever its name."""
        known = {"x": x, "training": True, "inference": False, "decay": 0.0}
        for name in sorted(_methods(network), key=rank_of_forward):
            if rank_of_forward(name) == len(FORWARDS):
                break
            call = call_of(name, getattr(network, name), known, sole="x")
            if call is None or ("x" not in call.meanings and "x" not in build.data):
                continue
            with suppress(Exception):
                own = fresh(network)
                out = output_of(call(own, self._values(x, None)), names_returned(call.of(own)), own)
                if isinstance(out, np.ndarray) and out.dtype.kind == "f" and np.isfinite(out).all():
                    return call, out
        return None, None

    def _with_labels(
        self,
        network: Any,
        params: dict[Place, Any],
        build: Build,
        data: Data,
        forward: Call | None,
        start: float,
    ) -> Iterator[Way]:
        losses = [*self._losses(network, data, forward)]
        ranks = {name: _rank_of_gradient(name, getattr(network, name)) for name in _methods(network)}
        single = [name for name in sorted(ranks, key=lambda name: ranks[name]) if ranks[name] <= 2]
        for name in [*single, *_pairs(ranks, data)]:
            for loss in [*losses[:1], None] if losses else [None]:
                way = self._way(network, params, build, data, forward, loss, name)
                if way is not None:
                    yield way
                    break

    def _losses(self, network: Any, data: Data, forward: Call | None) -> Iterator[Call]:
        """The calls that give one number, those that its own methods make first."""
        known = self._known(network, data, forward)
        for name, function, own in _functions(network, self.found):
            if not is_loss(name) and not (own and plain(name) == "forward"):
                continue
            call = call_of(name, function, known, own)
            if call is None or "t" not in call.meanings or ("x" not in call.meanings and forward is None):
                continue
            with suppress(Exception):
                value = self._loss(fresh(network), data, forward, call)
                if value is not None and np.isfinite(value):
                    yield call

    def _way(
        self,
        network: Any,
        params: dict[Place, Any],
        build: Build,
        data: Data,
        forward: Call | None,
        loss: Call | None,
        name: str,
    ) -> Way | None:
        known = self._known(network, data, forward)
        call = _call(network, name, known, data)
        name = name.rpartition(",")[2]
        if call is None or not ({"t", "x"} & {*call.meanings, *build.data} or loss is not None):
            return None
        step = _rank_of_gradient(name, getattr(network, name)) == 2
        if step and (why := not_one_step(type(network), name)):
            self._note(f"{name} {why}")
            return None
        if step and data.rows > 1 and loops_over_rows(type(network), name, call):
            return None  # a step per row
        if data.form == VECTOR and counts_rows(type(network), name, call):
            return None  # its first axis would be its rows
        trial = Way(build, data, forward, loss, call, "", 0)
        try:
            result, source = self._run(fresh(network), params, trial, data, None)
        except Exception as error:
            self._note(f"{call} raised {words_of(error)}")
            return None
        stated = trial.loss is not None or result.loss is not None
        if not result.grads or not (stated or forward is not None):
            if result.grads:
                self._note(f"{call} gives gradients, and no loss was found that they could be compared with")
            return None
        odd = (
            f"{shown(place)} then has a gradient of shape {np.shape(grad)}"
            for place, grad in result.grads.items()
            if not shape_fits(np.shape(grad), np.shape(params[place]))
        )
        count = len(result.grads)
        return Way(build, data, forward, trial.loss, call, source, count, not stated, next(odd, ""))

    def _note(self, text: str) -> None:
        text = " ".join(text.split())[:300]
        if text not in self.tried:
            self.tried.append(text)

    # -- running ---------------------------------------------------------------------------------
    def _values(self, x: Any, t: Any, decays: bool = False) -> dict[str, Any]:
        rows = N if np.ndim(x) > 1 else 1
        return {
            "x": _copy(x),
            "t": _copy(t),
            "lr": RATE,
            "decay": DECAY if decays else 0.0,
            "epochs": 1,
            "batch": rows,
            "quiet": False,
            "training": True,
            "inference": False,
        }

    def _known(self, network: Any, data: Data, forward: Call | None) -> dict[str, Any]:
        values = self._values(data.x, data.t)
        if forward is not None:
            with suppress(Exception):
                values |= with_returned(forward, fresh(network), values)
        return values

    def _loss(
        self, network: Any, data: Data, forward: Call | None, call: Call, decays: bool = False
    ) -> float | None:
        """Its loss, on that copy; None where it is no number."""
        values = self._values(data.x, data.t, decays)
        if forward is not None and "x" not in call.meanings:
            values |= with_returned(forward, network, values)
            values["t"] = _copy(data.t)
        result = call(network, values)
        names = names_returned(call.of(network)) if isinstance(result, tuple) else []
        if any(map(is_loss, names)):  # `return out, loss, accuracy`
            return loss_returned(result, names)
        return number_of(result)

    def _run(
        self, network: Any, params: dict[Place, Any], way: Way, data: Data, decays: bool | None
    ) -> tuple[Result, str]:
        """One call for the gradients, on that copy; `params` as they are before it."""
        on = bool(decays)
        before = {place: np.array(taken(network, place)) for place in params}
        states = random_states(network)
        values = self._values(data.x, data.t, on)
        out = None
        if way.forward is not None:
            kept = with_returned(way.forward, network, values)
            out = kept.get("out")
            values = {**kept, **self._values(data.x, data.t, on)}
        if way.loss is not None and "x" in way.loss.meanings:
            way.loss(network, self._values(data.x, data.t, on))
        restore(network, states)
        seed(0)
        result = way.gradient(network, values)
        names = names_returned(way.gradient.of(network))
        loss = loss_returned(result, names)
        found = {}
        for source in (RETURNED, CHANGED, KEPT):
            if way.source not in ("", source):
                continue
            if source == RETURNED and result is not None:
                found = of_returned(result, names, params)
            elif source == KEPT:
                found = of_attributes(network, params)
            elif source == CHANGED:
                found = self._changes(network, before, data)
            if len(found) == len(params) or (found and way.source):
                return Result(loss, out, found), source
        every = [(RETURNED, of_returned(result, names, params))] if result is not None else []
        every += [(CHANGED, self._changes(network, before, data)), (KEPT, of_attributes(network, params))]
        source, found = max(every, key=lambda one: len(one[1]))
        return Result(loss, out, found), source

    @staticmethod
    def _changes(network: Any, before: Arrays, data: Data) -> Arrays:
        """What its step changed; of lists without the biases that it never trains."""
        found = of_changes(network, before, RATE)
        fixed = [place for place in found if is_bias(place) and not np.any(found[place])]
        return {p: g for p, g in found.items() if p not in fixed or data.form not in LISTS}

    # -- for the checker -------------------------------------------------------------------------
    def data(self, case: int) -> Data:
        assert self.way is not None
        kept = self.way.data
        if not isinstance(self.found, type) or {"x", "t"} & {*self.way.build.data}:
            return kept  # it was built with them
        return self._of_rows(kept.of_case(case, few=self.few if self.way.of_outputs else 0))

    def _of_rows(self, data: Data) -> Data:
        return data if self.row is None else data.of_rows(slice(self.row, self.row + 1))

    def losses(self, case: int, decays: bool, moves: list[tuple[Place, int, float]]) -> Array:
        """The loss after each move of one number of one parameter; NaN where it cannot be had."""
        assert self.way is not None
        base, data, found = self.base(case, decays), self.data(case), np.full(len(moves), np.nan)
        for i, (place, at, by) in enumerate(moves):
            network = fresh(base)
            value = np.array(taken(network, place), np.float64)
            value.flat[at] += by
            put(network, place, value)
            if self.way.loss is not None:
                loss = self._loss(network, data, self.way.forward, self.way.loss, decays)
            else:
                loss = self._run(network, self.params(network), self.way, data, decays)[0].loss
            found[i] = np.nan if loss is None else loss
        return found

    def outputs(self, case: int, decays: bool, moves: list[tuple[Place, int, float]]) -> Array:
        """The outputs after each move, in a row; NaN where they cannot be had."""
        assert self.way is not None and self.way.forward is not None
        base, data, found = self.base(case, decays), self.data(case), list[Any]()
        for place, at, by in moves:
            network = fresh(base)
            value = np.array(taken(network, place), np.float64)
            value.flat[at] += by
            put(network, place, value)
            values = with_returned(self.way.forward, network, self._values(data.x, data.t, decays))
            found.append(np.asarray(values["out"], np.float64).ravel())
        return np.array(found)

    def gradients(self, case: int, decays: bool) -> Arrays:
        assert self.way is not None
        network = fresh(self.base(case, decays))
        return self._run(network, self.params(network), self.way, self.data(case), decays)[0].grads

    def use(self, way: Way) -> None:
        """From now on it is called in that way."""
        self.way, self.bases = way, {}

    @staticmethod
    def at(network: Any, place: Place) -> Any:
        return taken(network, place)

    @property
    def is_rated(self) -> bool:
        """Whether the rate of its steps is ours."""
        way = self.way
        if way is None or way.build.rated or "lr" in way.gradient.meanings:
            return way is not None
        return any(plain(name) in RATES for name in getattr(self.base(0), "__dict__", {}))

    @property
    def clips(self) -> bool:
        """Whether it clips its gradients."""
        return self.way is not None and clips(type(self.base(0)), self.way.gradient.name)

    @property
    def is_paired(self) -> bool:
        """Whether loss and gradients belong together: a loss of x, or one that is returned beside them."""
        way = self.way
        if way is None or way.loss is not None:
            return way is not None and way.loss is not None and "x" in way.loss.meanings
        return way.source == RETURNED

    @property
    def takes_decay(self) -> bool:
        way = self.way
        calls = [call for call in (way.loss, way.gradient) if call is not None] if way else []
        return bool(way and way.build.decays) or any("decay" in call.meanings for call in calls)

    def line(self, place: Place) -> str:
        """`net.py, line 31`: where the gradient of the parameter at that place is computed."""
        assert self.way is not None
        last = [step for step in place if isinstance(step, str)]
        return line_of(self.way.gradient.of(self.base(0)), last[-1] if last else "")

    def described(self) -> str:
        """How it was called, in a line."""
        way = self.way
        assert way is not None
        if isinstance(self.found, type) and issubclass(self.found, OfNodes):
            nodes = self.base(0).engine.cls.__name__
            return f"called as {way.build.words(_name(self.found))} {SAYS.format(nodes)}"
        text = f"called as {way.build.words(_name(self.found))}; {way.data}"
        if way.of_outputs:
            text += f"; outputs by {way.forward}; gradients by {way.gradient}"
        elif way.loss is None:
            text += f"; loss and gradients by {way.gradient}"
        else:
            after = f"{way.forward}, then " if way.forward and "x" not in way.loss.meanings else ""
            text += f"; loss by {after}{way.loss}; gradients by {way.gradient}"
        if way.source == CHANGED:
            return f"{text}, read from the change of its weights at a rate of {RATE}"
        return text + (", which keeps them in its attributes" if way.source == KEPT else "")


def _name(found: Any) -> str:
    return found.__name__ if isinstance(found, type) else type(found).__name__


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else copy.copy(value)


def _pairs(ranks: dict[str, int], data: Data) -> list[str]:
    """`backward,update`: of a network of lists, what keeps errors, and what changes weights by them."""
    if data.form not in LISTS:
        return []
    firsts = [name for name, rank in ranks.items() if rank == 0]
    steps = [name for name, rank in ranks.items() if rank == 2]
    return [f"{first},{name}" for first in firsts for name in steps]


def _call(network: Any, name: str, known: dict[str, Any], data: Data) -> Call | None:
    """The call of a method, or of two of them in turn; None where one asks for what is not known."""
    if "," not in name:
        call = call_of(name, getattr(network, name), known)
        if call is not None and data.form in LISTS and loops_over_rows(type(network), name, call):
            return OneRow(name, call.given)
        return call
    parts = [call_of(one, getattr(network, one), known) for one in name.split(",")]
    return in_turn([part for part in parts if part is not None]) if None not in parts else None


# -- calls ------------------------------------------------------------------------------------------
def _methods(network: Any) -> list[str]:
    cls = type(network)
    return [
        name
        for name in dict.fromkeys(name for one in cls.__mro__ if one is not object for name in vars(one))
        if not name.startswith("__") and callable(getattr(network, name, None))
    ] + (["__call__"] if "__call__" in vars(cls) else [])


def _functions(network: Any, found: Any) -> list[tuple[str, Any, bool]]:
    """(name, function, is a method): its methods, then functions beside it that its source uses."""
    own = [(name, getattr(network, name), True) for name in _methods(network)]
    own.sort(key=lambda one: (plain(one[0]) == "forward", "x" not in _parameters(one[1])))
    kept = [
        (name, value, True)
        for name, value in getattr(network, "__dict__", {}).items()
        if callable(value) and not isinstance(value, type) and hasattr(value, "__name__")
    ]
    module = inspect.getmodule(type(network))
    used = used_in(type(network))
    beside = [
        (name, function, False)
        for name, function in (vars(module).items() if module else ())
        if inspect.isfunction(function) and name in used
    ]
    return [*own, *kept, *beside]


def _parameters(function: Any) -> list[str]:
    with suppress(TypeError, ValueError):
        return [plain(name) for name in inspect.signature(function).parameters]
    return []


def rank_of_forward(name: str) -> int:
    """The place of a method among those that go forward; behind all of them what is none."""
    word = plain(name)
    return FORWARDS.index(word) if word in FORWARDS else len(FORWARDS)


def _rank_of_gradient(name: str, method: Any) -> int:
    """0 for what gives gradients, 1 for a loss that may, 2 for a step, 3 for what is none of these."""
    if {"loss", "cost"} & {*(returned := names_returned(method))} and any(map(is_gradient, returned)):
        return 0
    if gives_gradients(name) and not plain(name).startswith("update"):
        return 0
    if is_loss(name):
        return 1
    return 2 if is_step(name) or gives_gradients(name) else 3
