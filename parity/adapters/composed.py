"""A network that makes its own layers: it may be handed a gradient of its outputs, and may take pictures.

It is tried where it has no way as other networks have. Its layers note what they are given and give, so that
of a wrong gradient the layer is named through which it comes. Needs NumPy alone.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from parity.adapters.bench import words_of
from parity.adapters.container_builds import rates_in
from parity.adapters.container_parts import asked_of, beside, goes_both_ways, methods_of
from parity.adapters.container_trace import (
    BACKWARD,
    FORWARD,
    Log,
    layers_in,
    same,
    watched,
    wrong_layers,
)
from parity.adapters.gradient_handed import DOUT, Given, call_of_dout, dout_of, summed
from parity.adapters.in_a_row import InARow, goes_in_a_row
from parity.adapters.network_arrays import Place, inside
from parity.adapters.network_builds import Build
from parity.adapters.network_calls import Call
from parity.adapters.network_data import FORMS, Data, inputs_of, labels_of, outputs_of, widths_of
from parity.adapters.network_random import fresh
from parity.adapters.network_results import with_returned
from parity.adapters.network_words import FORWARDS, may_be_trained
from parity.adapters.own_network import OwnNetwork, Way, rank_of_forward
from parity.adapters.pictures import (
    PICTURE,
    PICTURES,
    Picture,
    Shape,
    label_form_of,
    labels_for,
    shapes_of,
    width_of_outputs,
)
from parity.adapters.sized_layers import add_sized

PATIENCE = 20.0  # seconds in which a way has to be found


@dataclass(frozen=True)
class ComposedWay(Way):
    """A way; `of_dout` where it is handed a gradient of its outputs."""

    of_dout: bool = False


@dataclass(frozen=True)
class Batch:
    """What goes in: its form, and the inputs of a case."""

    form: str
    width: Any
    make: Any
    picture: Shape | None = None


class Composed(OwnNetwork):
    """A class that makes its layers, or is told to by their sizes."""

    def __init__(self, found: Any):
        super().__init__(found)
        self.added = ""

    # -- building --------------------------------------------------------------------------------
    def built(self, build: Build, decays: bool = False) -> Any:
        network = super().built(build, decays)
        if isinstance(self.found, type) and not self.layers_of(network):
            with suppress(Exception):
                self.added = add_sized(network, build.outputs)
        self.rated = rates_in(network)
        return network

    @property
    def is_rated(self) -> bool:
        """Whether the rate of its steps is ours."""
        return super().is_rated or self.rated

    def layers_of(self, network: Any) -> list[Any]:
        """The objects in it, of classes of its module, that go both ways."""
        there = [one for one in beside(type(network)).values() if isinstance(one, type)]
        return layers_in(network, [one for one in there if one is not type(network) and goes_both_ways(one)])

    def params(self, network: Any) -> dict[Place, Any]:
        """What may be trained: of its layers by their names for it, whatever a layer is called."""
        own = {
            id(value)
            for layer in self.layers_of(network)
            for place, value in inside(layer)
            if isinstance(value, np.ndarray)
            and value.dtype.kind == "f"
            and value.size
            and all(isinstance(step, int) or may_be_trained(step) for step in place)
        }
        of_layers = {place: value for place, value in inside(network) if id(value) in own}
        return of_layers | super().params(network) if of_layers else super().params(network)

    def described(self) -> str:
        """How it was called, in a line."""
        text = super().described()
        return text.replace("; ", f", {self.added}; ", 1) if self.added else text

    # -- finding a way ---------------------------------------------------------------------------
    def _of_forms(self, network: Any, params: dict[Place, Any], build: Build, start: float) -> list[Way]:
        first: list[Way] = []
        for batch in self._batches(network, params, build):
            ways = self._of_batch(network, params, build, batch, start)
            ways = [way for way in ways if not way.misshapen]
            ways.sort(key=lambda way: (len(params) - way.known, way.of_outputs))
            if ways and ways[0].known == len(params):
                return ways[:4]
            first = first or ways[:4]
            if time.process_time() - start > PATIENCE:
                break
        return first

    def _batches(self, network: Any, params: dict[Place, Any], build: Build) -> Iterator[Batch]:
        names = " ".join(type(layer).__name__.lower() for layer in self.layers_of(network))
        if "conv" in names or "pool" in names:
            for shape in shapes_of(type(network)):
                yield Batch(PICTURES if shape.rows > 1 else PICTURE, shape.shape, shape.inputs, shape)
        vectors = [int(np.size(value)) for value in params.values() if np.ndim(value) == 1]
        for form in FORMS:
            for width in dict.fromkeys([*widths_of(network, params, build), *vectors[:1]]):
                yield Batch(form, width, partial(inputs_of, form, width))

    def _of_batch(
        self, network: Any, params: dict[Place, Any], build: Build, batch: Batch, start: float
    ) -> list[Way]:
        x, found = batch.make(0), list[Way]()
        forward, out = self._forward(network, x, build)
        if forward is None and self._goes_forward_alone(network):
            return []
        if forward is None and not any(rank_of_forward(name) < len(FORWARDS) for name in _names(network)):
            forward, out = self._in_a_row(network, x)
        for data in self._labelled(params, build, batch, x, out):
            for way in self._with_labels(network, params, build, data, forward, start):
                found.append(way)
                if way.known == len(params) and not way.of_outputs:
                    return found
            if time.process_time() - start > PATIENCE:
                break
        if forward is not None:
            found += self._of_dout(network, params, build, batch, forward, x, out)
        return found

    def _in_a_row(self, network: Any, x: Any) -> tuple[Call | None, Any]:
        """Its outputs by its layers alone, where it has no method for them."""
        call = InARow("outputs", (("x", "x"),), layers_of=self.layers_of)
        with suppress(Exception):
            out = call(fresh(network), {"x": x})
            if isinstance(out, np.ndarray) and out.dtype.kind == "f" and np.isfinite(out).all():
                return call, out
        return None, None

    def _goes_forward_alone(self, network: Any) -> bool:
        """Whether one of its methods goes forward with its input alone."""
        names = [name for name in _names(network) if rank_of_forward(name) < len(FORWARDS)]
        return any(len(asked_of(getattr(network, name)) or ()) == 1 for name in names)

    def _labelled(
        self, params: dict[Place, Any], build: Build, batch: Batch, x: Any, out: Any
    ) -> Iterator[Data]:
        """The batch with labels of each kind."""
        if batch.picture is None:
            for outputs in outputs_of(build, params, out, batch.form):
                for labels, t in labels_of(batch.form, outputs, 0, out):
                    yield Data(batch.form, labels, batch.width, outputs, x, t)
            return
        rows = batch.picture.rows
        last = [np.shape(value) for value in params.values() if np.ndim(value) == 2][-1:]
        counts = (
            [width_of_outputs(out, rows)] if out is not None else sorted({n for s in last for n in s})[:1]
        )
        form = label_form_of(out, rows)
        for outputs in counts:
            for labels, t in labels_for(form, rows, outputs, 0):
                yield Picture(batch.form, labels, batch.width, outputs, x, t, batch.picture, form)

    def _of_dout(
        self,
        network: Any,
        params: dict[Place, Any],
        build: Build,
        batch: Batch,
        forward: Call,
        x: Any,
        out: Any,
    ) -> Iterator[Way]:
        """The ways of methods that are handed a gradient of the outputs."""
        data = Given(batch.form, DOUT, batch.width, 0, x, dout_of(np.shape(out), 0), batch.make)
        for name in methods_of(type(network)):
            call = call_of_dout(network, name)
            if call is None:
                continue
            way = Way(build, data, forward, summed(), call, "", 0)
            try:
                result, source = self._run(fresh(network), params, way, data, None)
            except Exception as error:
                self._note(f"{call} raised {words_of(error)}")
                continue
            odd = [place for place, grad in result.grads.items() if np.shape(grad) != np.shape(params[place])]
            if result.grads and not odd:
                yield ComposedWay(
                    build, data, forward, summed(), call, source, len(result.grads), of_dout=True
                )

    def data(self, case: int) -> Data:
        assert self.way is not None
        return self._of_rows(self.way.data.of_case(case, few=self.few if self.way.of_outputs else 0))

    # -- what its calls show -----------------------------------------------------------------------
    def looked_at(self, case: int) -> dict[str, Any]:
        """Which layers are wrong themselves, as `wrong` and `unknown`; as `whole` whether the gradient it
        is handed goes to the layer that gave its outputs."""
        way = self.way
        assert way is not None
        network, data = fresh(self.base(case)), self.data(case)
        source = inspect.getsourcefile(type(network)) or ""
        params, layers = self.params(network), self.layers_of(network)
        log = watched(layers, source)
        with suppress(Exception):
            self._run(network, params, way, data, False)
        log.close()
        wrong, unknown = wrong_layers(log, len(layers))
        names = [type(layer).__name__ for layer in layers]
        whole = not isinstance(way, ComposedWay) or self._hands_back_at_the_end(log, case)
        if isinstance(way.forward, InARow):
            whole = whole and goes_in_a_row(log, len(layers))
        return {
            "forward": None,
            "backward": None,
            "step": None,
            "start": None,
            "whole": whole,
            "short": False,
            "dx": False,
            "wrong": [names[one] for one in wrong],
            "unknown": [names[one] for one in unknown],
        }

    def _hands_back_at_the_end(self, log: Log, case: int) -> bool:
        """Whether the layer whose output is the network's is the one that is handed the gradient."""
        way, forwards, backwards = self.way, log.of(FORWARD), log.of(BACKWARD)
        if way is None or way.forward is None or not forwards or not backwards:
            return False
        network, data = fresh(self.base(case)), self.data(case)
        out = with_returned(way.forward, network, self._values(data.x, data.t)).get("out")
        last = [event for event in forwards if event.layer == backwards[0].layer][-1:]
        return any(same(event.gave, out) for event in last) and same(backwards[0].given, data.t)


def _names(network: Any) -> list[str]:
    return methods_of(type(network))
