"""A container that is handed layers, as a network: put together of the layers and losses of its own module.

Each method that gives gradients or trains is tried, with a loss that is handed over or with a gradient of the
outputs where the method asks for one. Needs NumPy alone.
"""

from __future__ import annotations

import ast
import inspect
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters.arguments import plain
from parity.adapters.bench import words_of
from parity.adapters.container_builds import SETS, Assembled, assembled, short_stacks, stacks, synonyms
from parity.adapters.container_parts import (
    Made,
    Parts,
    called_by_names,
    methods_of,
    parts_of,
    tells,
)
from parity.adapters.container_trace import (
    CLOSE,
    FORWARD,
    OTHER,
    STEP,
    Broken,
    Event,
    Log,
    backward_broken,
    dx_of,
    forward_broken,
    layers_in,
    leaves_the_last,
    pair_of,
    same,
    watched,
    wrong_layers,
)
from parity.adapters.gradient_handed import DOUT, Given, call_of_dout, dout_of, summed
from parity.adapters.handed_layers import class_node
from parity.adapters.in_a_row import InARow
from parity.adapters.network_arrays import Place, inside
from parity.adapters.network_builds import RATE, Build, I, O
from parity.adapters.network_calls import Call, call_of
from parity.adapters.network_data import FORMS, Data, filled, inputs_of, labels_of, outputs_of
from parity.adapters.network_random import fresh
from parity.adapters.network_results import number_of, with_returned
from parity.adapters.network_words import FORWARDS, is_step
from parity.adapters.own_network import CHANGED, KEPT, OwnNetwork, Result, Way, rank_of_forward

Array = NDArray[Any]
PATIENCE = 6.0  # seconds in which ways have to be found
MOST_WAYS = 8
LISTED = {"one row in a list": "one row", "one column in a list": "one column"}


@dataclass(frozen=True)
class InList(Data):
    """One row or column in a list of its own, as code takes it that goes through its rows."""

    def of_case(self, case: int, few: int = 0) -> Data:
        """Another row."""
        form = LISTED[self.form]
        t = next(
            t
            for name, t in labels_of(form, self.outputs, case)
            if name == self.labels and np.shape(t) == np.shape(self.t)[1:]
        )
        return replace(self, x=_inputs(self.form, case), t=np.asarray(t)[None])


def _inputs(form: str, case: int) -> Array:
    if form in LISTED:
        return inputs_of(LISTED[form], I, case)[None]
    return inputs_of(form, I, case)


@dataclass(frozen=True)
class ContainerWay(Way):
    """A way with the container that it was found on; `fails` says that its method raises, `without` which
    layers it does not have since they are wrong themselves."""

    assembled: Assembled | None = None
    of_dout: bool = False
    fails: bool = False
    without: str = ""


class Container(OwnNetwork):
    """A class that is handed its layers, each array of which may be trained."""

    def __init__(self, found: Any):
        super().__init__(found)
        self.cls: type = found
        self.now: Assembled | None = None
        self.ours: tuple[str, ...] = ()
        self.failed: list[Way] = []

    def search(self) -> list[Way]:
        """The ways that run: of each method the first few."""
        parts, start = parts_of(self.cls), time.process_time()
        self.ours = (f"{' and '.join(parts.ours)} of its own: its file has none",) if parts.ours else ()
        if not parts.dense:
            self._note(
                "its file has no layer with weights that could be built of an input and an output size"
            )
        ways = _sorted(self._of_stacks(parts, stacks(parts), start))
        if wrong := self._wrong_classes(ways):
            others = [*stacks(parts, wrong), *short_stacks(parts, wrong)]
            clean = _sorted(self._of_stacks(parts, others, time.process_time()))
            said = f"it with {', '.join(sorted(wrong))}, whose own backward is not that of its forward"
            ways = [*(replace(way, without=said) for way in clean if isinstance(way, ContainerWay)), *ways]
        found = {way.gradient.name for way in ways}
        self.ways = [*ways, *(way for way in self.failed if way.gradient.name not in found)]
        return self.ways

    def _of_stacks(self, parts: Parts, rows: Iterable[list[Made]], start: float) -> list[Way]:
        """The ways with these rows of layers and each loss."""
        ways: list[Way] = []
        for row in rows:
            for loss in [*parts.losses, None]:
                for one in assembled(self.cls, parts, row, loss, self._note):
                    self.found, self.now = one.found, one
                    ways += self._of_assembled(one, start)
                if time.process_time() - start > PATIENCE:
                    break
            if time.process_time() - start > PATIENCE:
                break
        return ways

    def _wrong_classes(self, ways: Sequence[Way]) -> set[str]:
        """The classes of its layers whose own backward is wrong: without them its gradients may be right."""
        found: set[str] = set()
        for method in dict.fromkeys(way.gradient.name for way in ways):
            with suppress(Exception):
                self.use(next(way for way in ways if way.gradient.name == method))
                found |= {*self.looked_at(0)["wrong"]}
        return found

    def use(self, way: Way) -> None:
        """From now on it is called in that way."""
        assert isinstance(way, ContainerWay) and way.assembled is not None
        self.found, self.now = way.assembled.found, way.assembled
        self.unseen = (*self.ours, *((way.without,) if way.without else ()))
        super().use(way)

    def params(self, network: Any) -> dict[Place, Any]:
        """What may be trained of its layers."""
        own = {id(value) for layer in self.layers_of(network) for _, value in inside(layer)}
        return {place: value for place, value in super().params(network).items() if id(value) in own}

    # -- the ways of one container ---------------------------------------------------------------
    def _of_assembled(self, one: Assembled, start: float) -> list[Way]:
        network = self.built(Build())
        params = self.params(network)
        if not params:
            self._note("its layers hold no arrays of floating-point numbers that could be its parameters")
            return []
        filled(network, params, 0)
        found: dict[str, Way] = {}
        for form in (*FORMS, *LISTED):
            for way in self._of_container(network, params, form, start, one):
                name = way.gradient.name
                kept = found.get(name)
                if kept is None or (kept.misshapen and not way.misshapen) or (way.known > kept.known):
                    found[name] = way
            if found and all(way.known == len(params) and not way.misshapen for way in found.values()):
                break
        return [
            ContainerWay(**vars(way), assembled=one)
            if not isinstance(way, ContainerWay)
            else replace(way, assembled=one)
            for way in found.values()
            if not way.misshapen
        ]

    def _of_container(
        self, network: Any, params: dict[Place, Any], form: str, start: float, one: Assembled
    ) -> Iterator[Way]:
        x, build = _inputs(form, 0), Build()
        forward, out = self._forward(network, x, build)
        if forward is None:
            forward, out = self._in_a_row(network, form, x)
        if forward is not None:
            yield from self._of_dout(network, params, form, forward, x, out)
        plain_form = LISTED.get(form, form)
        outputs = O if form in LISTED else next(iter(outputs_of(build, params, out, plain_form)), O)
        for labels, t in labels_of(plain_form, outputs, 0, out):
            if form in LISTED:
                data: Data = InList(form, labels, I, outputs, x, np.asarray(t)[None])
            else:
                data = Data(form, labels, I, outputs, x, t)
            yield from self._with_labels(network, params, build, data, forward, start)

    def _in_a_row(self, network: Any, form: str, x: Any) -> tuple[Call | None, Any]:
        """Its outputs by its layers alone, for the loss that it was handed."""
        call = InARow("outputs", (("x", "x"),), layers_of=self.layers_of)
        with suppress(Exception):
            out = call(fresh(network), {"x": x})
            if isinstance(out, np.ndarray) and out.dtype.kind == "f" and np.isfinite(out).all():
                return call, out
        return None, None

    def _of_dout(
        self, network: Any, params: dict[Place, Any], form: str, forward: Call, x: Any, out: Any
    ) -> Iterator[Way]:
        """The ways of methods that are handed a gradient of the outputs."""
        data = Given(form, DOUT, I, 0, x, dout_of(np.shape(out), 0), partial(_inputs, form))
        loss = summed()
        for name in methods_of(type(network)):
            call = call_of_dout(network, name)
            if call is None:
                continue
            way = Way(Build(), data, forward, loss, call, "", 0)
            try:
                result, source = self._run(fresh(network), params, way, data, None)
            except Exception as error:
                self._note(f"{call} raised {words_of(error)}")
                self._fails(way)
                continue
            odd = [place for place, grad in result.grads.items() if np.shape(grad) != np.shape(params[place])]
            if result.grads:
                yield ContainerWay(
                    Build(),
                    data,
                    forward,
                    loss,
                    call,
                    source,
                    len(result.grads),
                    misshapen="odd" if odd else "",
                    of_dout=True,
                )

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
        if SETS.fullmatch(plain(name)):
            return None
        before = len(self.tried)
        call = call_of(name, getattr(network, name), self._known(network, data, forward))
        if call is not None and any(call.meanings.count(one) > 1 for one in ("x", "t", "out")):
            return None  # backward(real, target)
        way = super()._way(network, params, build, data, forward, loss, name)
        if way is None and len(self.tried) > before and call is not None:
            self._fails(Way(build, data, forward, loss, call, "", 0))
        return way

    def _run(
        self, network: Any, params: dict[Place, Any], way: Way, data: Data, decays: bool | None
    ) -> tuple[Result, str]:
        """As elsewhere; a gradient whose shape has only ones more gets that of its parameter."""
        result, source = super()._run(network, params, way, data, decays)
        for place, grad in result.grads.items():
            old = params[place]
            if np.shape(grad) != np.shape(old) and np.squeeze(grad).shape == np.squeeze(old).shape:
                same_shape = np.reshape(grad, np.shape(old))  # of a change what is there after it
                result.grads[place] = (old - same_shape) / RATE if source == CHANGED else same_shape
        return result, source

    def _fails(self, way: Way) -> None:
        """Keep a way in which its method raises: what its layers were given may show why."""
        if len(self.failed) < MOST_WAYS:
            self.failed.append(ContainerWay(**vars(way), assembled=self.now, fails=True))

    def _values(self, x: Any, t: Any, decays: bool = False) -> dict[str, Any]:
        handed = self.now.handed if self.now is not None else {}
        named = {f"kept:{word}": value for key, value in handed.items() for word in synonyms(key)}
        return {**named, **super()._values(x, t, decays)}

    def _losses(self, network: Any, data: Data, forward: Call | None) -> Iterator[Call]:
        """Its own, then the one that it was handed."""
        yield from super()._losses(network, data, forward)
        loss = self.now.loss if self.now is not None else None
        if forward is not None and loss is not None and loss.number is not None:
            number = loss.number
            call = Call(loss.words, (("out", "out"), ("t", "t")), lambda out, t: number(out, t))
            with suppress(Exception):
                value = self._loss(fresh(network), data, forward, call)
                if value is not None and np.isfinite(value):
                    yield call

    def data(self, case: int) -> Data:
        assert self.way is not None
        return self.way.data.of_case(
            case, few=self.few if self.way.of_outputs and self.way.data.form not in LISTED else 0
        )

    def described(self) -> str:
        """How it was called, in a line."""
        text = super().described()
        assert self.now is not None
        return f"put together as {self.now.words};{text.partition(';')[2]}"

    @property
    def is_rated(self) -> bool:
        """Whether the rate of its steps is ours."""
        assert self.way is not None and self.now is not None
        return "lr" in self.way.gradient.meanings or self.now.rated

    # -- what its calls show -----------------------------------------------------------------------
    @property
    def names(self) -> list[str]:
        assert self.now is not None
        return [type(layer).__name__ for layer in self.now.layers]

    def looked_at(self, case: int) -> dict[str, Any]:
        """What one call forward and one for the gradients show of the container.

        forward, backward  what it does wrong with its layers, where it does
        whole              whether its outputs are what its last layer gave
        wrong, unknown     layers whose own backward is wrong on what they got, and those of which that cannot
                           be said
        start              what is wrong with the gradient that the last layer is handed
        step               that it trains and never calls its optimizer, or returns no gradient of its input
        dx                 whether it returns that gradient
        """
        way = self.way
        assert way is not None
        source, names = inspect.getsourcefile(self.cls) or "", self.names
        broken, whole, known = self._forwards_broken(case, source), False, True
        if way.forward is not None:
            log, out, known = self._watched_forward(case, source, way.forward)
            events = log.of(FORWARD)
            by_itself = not isinstance(way.forward, InARow)
            whole = by_itself and len(events) >= len(names) and same(events[-1].gave, out)
        log, also_known = self._watched_gradient(case, source)
        known = known and also_known
        wrong, unknown = wrong_layers(log, len(names))
        returned, dx = self._returned(log, case) if known else (None, False)
        return {
            "forward": (broken or forward_broken(log, names)) if known else None,
            "backward": backward_broken(log, names) if known else None,
            "whole": whole and known,
            "short": leaves_the_last(log, len(names)),
            "wrong": [names[one] for one in wrong] if known else [],
            "unknown": [names[one] for one in unknown] if known else names,
            "step": self._step(case, source) or returned,
            "dx": dx,
            "start": (self._start(log, case) or self._turned_rate(log)) if known else None,
        }

    def _forwards_broken(self, case: int, source: str) -> Broken | None:
        """What one of its methods that go forward does wrong with its layers."""
        network = self.base(case)
        for name in sorted(methods_of(type(network)), key=rank_of_forward):
            call = call_of(
                name, getattr(network, name), {"x": 0, "training": True, "inference": False}, sole="x"
            )
            if rank_of_forward(name) == len(FORWARDS) or call is None or call.meanings.count("x") != 1:
                continue
            log, _, known = self._watched_forward(case, source, call)
            if known and (broken := forward_broken(log, self.names)) is not None:
                return replace(broken, says=f"{name}: {broken.says}")
        return None

    def _start(self, log: Log, case: int) -> Broken | None:
        """What is wrong with the gradient that its last layer is handed, where the container does it."""
        way, last = self.way, len(self.names) - 1
        assert way is not None
        forward, backward = pair_of(log, last)
        if forward is None or backward is None or not isinstance(forward.gave, np.ndarray):
            return None
        t, given = self.data(case).t, backward.given
        if way.source != CHANGED and not (isinstance(way, ContainerWay) and way.of_dout):
            return None  # what is kept may be added to the weights by another method
        if isinstance(way, ContainerWay) and way.of_dout:
            if isinstance(given, np.ndarray) and given.shape == t.shape and not same(given, t):
                return Broken("its last layer is handed another gradient than it was given", backward.line)
            return None
        if way.loss is None or "out" not in way.loss.meanings or not isinstance(given, np.ndarray):
            return None
        numeric = self._slopes_of_loss(way.loss, forward, case)
        if numeric is None or numeric.size != given.size or not np.abs(numeric).max():
            return None
        times = float(given.ravel() @ numeric.ravel()) / float(numeric.ravel() @ numeric.ravel())
        off = float(np.abs(given.ravel() - times * numeric.ravel()).max())
        if times > 0 or off > CLOSE * float(np.abs(numeric).max()) * max(1.0, abs(times)):
            return None
        says = self._whose(given, forward.gave, t)
        return Broken(says, backward.line) if says else None

    def _returned(self, log: Log, case: int) -> tuple[Broken | None, bool]:
        """What a method that is handed a gradient returns for that of its input; whether it is right."""
        way, (_, first) = self.way, pair_of(log, 0)
        if not isinstance(way, ContainerWay) or not way.of_dout or first is None or way.fails:
            return None, False
        network, data = fresh(self.base(case)), self.data(case)
        values = self._values(data.x, data.t)
        found = None
        with suppress(Exception):
            with_returned(way.forward, network, values)  # type: ignore[arg-type]
            found = way.gradient(network, values)
        dx, line = dx_of(first), inspect.getsourcelines(inspect.unwrap(way.gradient.of(self.cls)))[1]
        says = f"{way.gradient.name} does not return the gradient of its input"
        if callable(found):
            return Broken(f"{says}: it returns {getattr(found, '__name__', found)}", line), False
        if isinstance(found, np.ndarray) and isinstance(dx, np.ndarray) and found.dtype.kind == "f":
            right = found.size == dx.size and np.allclose(found.ravel(), dx.ravel(), rtol=1e-9, atol=1e-12)
            like = np.shape(found) == np.shape(data.x)
            return Broken(says, line) if like and not right else None, right
        return None, False

    def _step(self, case: int, source: str) -> Broken | None:
        """Whether a method that trains changes no weights and never calls the optimizer that it has."""
        way, handed = self.way, self.now.handed if self.now is not None else {}
        if way is None or way.source != KEPT or not is_step(way.gradient.name) or "optimizer" not in handed:
            return None
        if self._steps_elsewhere(way.gradient.name) or self.ours:
            return None  # layers of its own would call it
        network, data = fresh(self.base(case)), self.data(case)
        held = layers_in(network, [type(handed["optimizer"])])
        log, layers = watched(held, source), watched(self.layers_of(network), source)
        with suppress(Exception):
            self._run(network, self.params(network), way, data, False)
        if not held or log.events or layers.of(OTHER):
            return None
        line = inspect.getsourcelines(inspect.unwrap(getattr(self.cls, way.gradient.name)))[1]
        return Broken(
            f"{way.gradient.name} leaves the weights as they are and never calls its optimizer", line
        )

    def _steps_elsewhere(self, name: str) -> bool:
        """Whether another of its methods calls a method of the optimizer."""
        node = class_node(self.cls)
        methods = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name != name] if node else []
        calls = (n.func for method in methods for n in ast.walk(method) if isinstance(n, ast.Call))
        return any(isinstance(f, ast.Attribute) and "opt" in ast.unparse(f.value).lower() for f in calls)

    def _turned_rate(self, log: Log) -> Broken | None:
        """Whether it hands its layers the rate of a step with the wrong sign."""
        for event in log.events if self.way is not None and self.way.source == CHANGED else ():
            if any(isinstance(one, float) and one == -RATE for one in [*event.args, *event.kwargs.values()]):
                return Broken("it hands its layers the rate with the wrong sign", event.line)
        return None

    def _whose(self, given: Any, out: Any, t: Any) -> str:
        """What the container does for a gradient of the wrong sign; "" where its loss gives it so."""
        loss = self.now.loss if self.now is not None else None
        says = "the gradient that it hands to its last layer has the wrong sign"
        if loss is None or loss.slope is None:
            return says
        found: list[Any] = []
        for turned in (False, True):
            with suppress(Exception):
                if loss.number is not None:
                    loss.number(out, t)
                found.append(np.asarray(called_by_names(loss.slope, out, t, turned)))
        if not found or any(np.size(one) != given.size for one in found) or same(found[0], given):
            return ""
        if not same(found[-1], given):
            return says
        exchanged = "since it gives the derivative of its loss the target for the output"
        return f"{says}, {exchanged}" if tells(loss.slope) else ""

    def _slopes_of_loss(self, loss: Call, forward: Event, case: int) -> Any:
        """The gradient of its loss by the outputs, by central differences."""
        network, out = fresh(self.base(case)), forward.gave
        values, found = self._values(None, self.data(case).t), np.zeros(out.size)
        with suppress(Exception):
            for i in range(out.size):
                both = []
                for sign in (1, -1):
                    moved = out.copy()
                    moved.flat[i] += sign * STEP
                    both.append(number_of(loss(network, {**values, "out": moved})))
                found[i] = (both[0] - both[1]) / (2 * STEP)  # type: ignore[operator]
            return found.reshape(out.shape)
        return None

    def _watched_forward(self, case: int, source: str, forward: Call) -> tuple[Log, Any, bool]:
        network, data = fresh(self.base(case)), self.data(case)
        layers, out = self.layers_of(network), None
        log = watched(layers, source)
        try:
            out = with_returned(forward, network, self._values(data.x, data.t)).get("out")
        except Exception:
            log.broken_off = True
        log.close()
        return log, out, len(layers) == len(self.names)

    def _watched_gradient(self, case: int, source: str) -> tuple[Log, bool]:
        network, data = fresh(self.base(case)), self.data(case)
        params, layers = self.params(network), self.layers_of(network)
        log = watched(layers, source)
        try:
            self._run(network, params, self.way, data, False)  # type: ignore[arg-type]
        except Exception:
            log.broken_off = True
        log.close()
        return log, len(layers) == len(self.names)

    def layers_of(self, network: Any) -> list[Any]:
        """Its layers, in their order."""
        assert self.now is not None
        classes = list({type(layer) for layer in self.now.layers})
        as_kept = [id(layer) for layer in layers_in(self.now.found, classes)]
        order = [as_kept.index(id(layer)) for layer in self.now.layers if id(layer) in as_kept]
        found = layers_in(network, classes)
        return [found[at] for at in order] if sorted(order) == list(range(len(found))) else found


def _sorted(ways: list[Way]) -> list[Way]:
    """Of each method the first few, those with all gradients and a loss first."""
    ways.sort(key=lambda way: way.of_outputs)
    kept: list[Way] = []
    for way in ways:
        if sum(one.gradient.name == way.gradient.name for one in kept) < MOST_WAYS // 2:
            kept.append(way)
    return kept[: 2 * MOST_WAYS]
