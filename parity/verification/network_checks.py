"""What `verify_network` compares: somebody's network answers, its twin is run here, every tensor is judged.

In this order, so that the first one that fails is nearest the cause:

    forward      the scores (`predict`, or what the last layer gives the loss), then the loss
    backward     every gradient
    alone        each layer that can be seen, on the numbers that it got
    contracts    what a network owes its caller beyond that (network_contracts.py)
    step k       the loss and the parameters of three training steps in lockstep with the twin

Contracts and steps come only where the single calls are right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from parity.adapters.bench import Raised
from parity.adapters.connection import Ended
from parity.adapters.constants import CONSTANTS
from parity.adapters.network_subject import Called, ForeignNetwork
from parity.checks.gate import gate
from parity.checks.network_outputs import LOSS, Key, Reference
from parity.checks.training_steps import lockstep
from parity.checks.zero_gradients import Cancelled
from parity.comparison.gates import Comparison, held
from parity.comparison.records import Place, Record, record
from parity.kinds.kind import to_numpy
from parity.reference.trace import Masks, Trace
from parity.verification.layer_evidence import borne_out
from parity.verification.network_contracts import closest, contracts, predictions, results, two_at_once
from parity.verification.network_layers import LayerRun, check_layers, narrow, read_layers
from parity.verification.network_steps import Descent, TwinDescent, same_array
from parity.verification.twin import SCORES, NetworkMisuse, Twin, are_logarithms, log_softmax
from scratchcnn.typing import Array

KIND = "network"
STEPS = 3
DRAWS = (
    "the network gives another loss in each call for the same batch and cannot be compared: if it drops at "
    "random, build it with ratio 0"
)
AS_IN_TRAINING = "predict gives what the twin gives in training and not in inference: does it switch?"


@dataclass
class NetworkCheck:
    """One network under test, its twin, and what was found so far.

    values   ours and PyTorch's of what was wrong, by the name in the records
    one_hot  whether the network is given one-hot rows for labels, since it does not take class numbers
    wavers   whether `predict` gives another answer in each call
    later    the same once more, with the parameters after steps that went wrong
    zeros    the gradients that are 0 by construction
    widened  what came as float64 although all parameters are float32, by the name in the records
    predicted  what `predict` gives for other batches, recorded where single calls are right
    largest    the shape of the largest batch that was tried
    """

    network: ForeignNetwork
    twin: Twin
    x: Array
    t: Array
    classes: int
    records: list[Record] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    values: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    trace: Trace = field(default_factory=Trace)
    exact: Trace = field(default_factory=Trace)
    layers: dict[str, LayerRun] = field(default_factory=dict)
    anchors: dict[str, str] = field(default_factory=dict)
    calls: dict[str, Called] = field(default_factory=dict)  # the latest, by method
    losses: list[Any] = field(default_factory=list)  # of the training steps
    one_hot: bool = False
    wavers: bool = False
    later: NetworkCheck | None = None
    zeros: Cancelled = field(default_factory=dict)
    widened: dict[str, None] = field(default_factory=dict)
    predicted: list[Record] = field(default_factory=list)
    largest: tuple[int, ...] = ()

    @property
    def place(self) -> Place:
        return self.place_of(self.x.dtype.name)

    def place_of(self, dtype: str) -> Place:
        return Place(KIND, dtype, "cpu")

    def run(self) -> None:
        """Raises what the network's connection does; what was found until then stays."""
        for row in self._all():
            self.records.append(row)

    def _all(self) -> Iterator[Record]:
        yield from self._scores()
        yield from self._gradients()
        yield from self._individually()
        if all(row.ok for row in self.records):
            yield from contracts(self)
            yield from self._steps()
            if all(row.ok for row in self.records):
                yield from two_at_once(self)
            if not all(row.ok for row in self.records):
                self._look_again()

    def _look_again(self) -> None:
        """Single calls with the parameters after the steps: a bias that was 0 hides what is done with it."""
        params = {name: self.network.array(name) for name in self.twin.names}
        if not all(isinstance(array, np.ndarray) for array in params.values()):
            return
        self.twin.copy(params)
        self.later = NetworkCheck(self.network, self.twin, self.x, self.t, self.classes, one_hot=self.one_hot)
        with suppress(Raised, Ended, NetworkMisuse):
            for part in (self.later._scores, self.later._gradients, self.later._individually):
                self.later.records += part()

    # -- one call ----------------------------------------------------------------------------------
    def _scores(self) -> Iterator[Record]:
        """What `predict` gives, before anything else was called: scores, or else probabilities or classes."""
        if not self.network.predicts:
            return
        before = self.network.connection.busy()
        self.calls["predict"] = self.network.predict(self.x)
        seconds = (self.network.connection.busy() - before) / len(self.x)
        found = self._narrowed("scores", self.calls["predict"].value)
        compared = self.judged_scores(self.x, found)
        comparison, theirs = closest(compared)
        if comparison.why.startswith("shape") and not comparison.ok:
            self.unchecked.append(f"predict ({comparison.why} as the twin's outputs have it)")
            return
        self._keep("scores", comparison, found, theirs)
        if comparison.ok and not compared[0][0].ok:
            self.remarks.append(AS_IN_TRAINING)
        if not comparison.ok:
            self.wavers = _wavers(found, lambda: self.network.predict(self.x).value)
        yield record(self.place, "scores", "forward", "out", comparison)
        if comparison.ok:  # now, since later calls move what batch normalization predicts with
            self.predicted = list(predictions(self, seconds))

    def judged_scores(self, x: Array, found: Any) -> list[tuple[Comparison, Array]]:
        """What `predict` gave for x against the twin's outputs, in inference first where that is another."""
        modes = (False, True) if self.twin.infers_otherwise(x.astype(np.float64)) else (True,)
        return [self._predicted(found, self.twin.scores(x, training)) for training in modes]

    def _predicted(self, found: Any, reference: Reference) -> tuple[Comparison, Array]:
        """Right are the twin's outputs, their softmax or its logarithm, and the class of the largest.

        A twin may end in log_softmax, which changes nothing for cross entropy. The outputs of one with a loss
        of its own may be penalties, and `predict` may turn their sign.
        """
        theirs = reference.exact[SCORES]
        if not isinstance(found, np.ndarray) or theirs.ndim != 2:
            return reference.judge(SCORES, found), theirs
        if found.dtype.kind in "iu" and found.shape == theirs.shape[:1]:
            classes = theirs.argmax(axis=1)
            same = np.array_equal(found, classes)
            return held(found.shape, "" if same else "other classes than the twin's"), classes
        if found.shape == theirs.shape and found.dtype.kind == "f":
            if _are_probabilities(found):
                return self._as(_softmax, found, reference)
            if are_logarithms(found):
                return self._as(log_softmax, found, reference)
            if are_logarithms(theirs):
                return reference.judge(SCORES, log_softmax(found)), theirs
            if self.twin.own_loss() and reference.judge(SCORES, -found).ok:
                return reference.judge(SCORES, -found), theirs
        return reference.judge(SCORES, found), theirs

    def _as(
        self, form: Callable[[Array], Array], found: Array, reference: Reference
    ) -> tuple[Comparison, Array]:
        """The comparison with another form of the twin's outputs, and that form."""
        theirs, runs = form(reference.exact[SCORES]), [form(run) for run in reference.plain.values()]
        return gate(found, theirs, reference.dtype, runs, reference.errors.get(SCORES, 0.0)), theirs

    def _gradients(self) -> Iterator[Record]:
        """The loss and every gradient of one call each, the layers noting what passes through them."""
        self.anchors = {
            view.path: self.twin.names[name].theirs.rpartition(".")[0]
            for view in self.network.layers
            for name in view.holds
            if name in self.twin.names
        }
        self.anchors = self.twin.comparable(self.anchors)
        reference, self.exact = self.twin.gradients(self.x, self.t, self.anchors)
        self.zeros = reference.zeros
        before = self.network.params()
        found = self.called(self.x, self.t, self._first_loss())
        untouched = list(self._untouched(before))
        yield from untouched
        if all(row.ok for row in untouched) and not reference.judge(LOSS, found[LOSS]).ok:
            self._refuse_what_draws(found[LOSS])
        if self.network.layers:
            self.network.trace(self.x, self.labels(self.t))
            self.layers = {r.view.path: r for r in read_layers(self.network, self.trace, self.x.dtype)}
        self._as_flattened()
        self.trace.loss = found.get(LOSS)
        self.trace.grads = {name: grad for (tensor, name), grad in found.items() if tensor == "grad"}
        if not any(row.layer == "scores" for row in self.records):
            yield from self._scores_of_layers()
        for row in reference.compare(self.place, found):
            key = row.tensor, row.layer
            self._keep(row.layer, row, found.get(key), reference.exact[key])
            yield row

    def _scores_of_layers(self) -> Iterator[Record]:
        """What the last layer before the loss gives."""
        paths = [path for path in self.trace.outputs if path != "loss"]
        reference = self.twin.scores(self.x, training=True)
        if paths and self.trace.outputs[paths[-1]].shape == reference.exact[SCORES].shape:
            found = self.trace.outputs[paths[-1]]
            comparison, theirs = self._predicted(found, reference)
            self._keep("scores", comparison, found, theirs)
            yield record(self.place, "scores", "forward", "out", comparison)

    def labels(self, t: Array) -> Array:
        """The labels in the form that the network takes."""
        return np.eye(self.classes, dtype=self.x.dtype)[t] if self.one_hot else t

    def _first_loss(self) -> Called:
        """The first call of `loss`. Where it raises on class numbers it is given one-hot rows."""
        if self.one_hot:
            return self.network.loss(self.x, self.labels(self.t))
        try:
            return self.network.loss(self.x, self.t)
        except Raised as error:
            refused = error
        self.one_hot = True
        try:
            called = self.network.loss(self.x, self.labels(self.t))
        except Raised:
            raise refused from None
        self.remarks.append(f"labels were given as one-hot rows; with class numbers it raised {refused}")
        return called

    def _refuse_what_draws(self, first: Any) -> None:
        """Raises NetworkMisuse where the loss is another in each call and predict's answer is not."""
        given = self.labels(self.t)
        if not self.wavers and _wavers(first, lambda: self._number(self.network.loss(self.x, given).value)):
            raise NetworkMisuse(DRAWS)

    def _number(self, loss: Any) -> Any:
        """A loss as an array; a number of Python has no dtype of its own."""
        return np.asarray(loss, self.x.dtype) if isinstance(loss, float) else loss

    def _narrowed(self, name: str, value: Any) -> Any:
        """float64 out of a float32 network in float32, noted: its numbers may be right all the same."""
        if self.x.dtype != np.float32 or not isinstance(value, np.ndarray) or value.dtype != np.float64:
            return value
        self.widened[name] = None
        return narrow(value)

    def _individually(self) -> Iterator[Record]:
        """Every layer that can be seen, on the numbers that it got."""
        others: set[str] = set()
        given = self.labels(self.t)
        for row in check_layers(self.place, self.layers, self.trace, given, self.unchecked):
            if row.layer in others:
                continue  # it is no layer of that kind
            if row.ok or not borne_out(self, row):
                yield row
                continue
            others.add(row.layer)
            run = self.layers[row.layer]
            what = "output" if row.tensor in ("out", "loss") else row.tensor
            kind = str(run.kind).replace("_", " ")
            kind += " with its usual constant" if run.kind in CONSTANTS else ""
            other = f"{run.view.classes[0]}, whose {what} is the twin's and not that of {kind}"
            self.unchecked.append(f"{row.layer} individually ({other})")

    def called(self, x: Array, t: Array, loss_called: Called | None = None) -> dict[Key, Any]:
        """The loss and the gradients of one call each, the gradient first unless the loss was called."""
        labels = self.labels(t)
        gradient = self.network.gradient(x, labels)
        loss_called = loss_called or self.network.loss(x, labels)
        self.calls |= {"loss": loss_called, "gradient": gradient}
        found = results(self, loss_called.value, gradient.value)
        return {key: self._narrowed(key[1], value) for key, value in found.items()}

    def _as_flattened(self) -> None:
        """PyTorch flattens before a Linear, the book's Affine flattens for itself."""
        ours, exact = self.trace, self.exact
        for path in self.anchors:
            for mine, arrays in ((ours.inputs, exact.inputs), (ours.dxs, exact.dxs)):
                if path in mine and path in arrays and mine[path].size == arrays[path].size:
                    arrays[path] = arrays[path].reshape(mine[path].shape)

    def _keep(self, name: str, comparison: Comparison | Record, ours: Any, theirs: Any) -> None:
        if not comparison.ok:
            self.values[name] = ours, theirs

    # -- contracts ---------------------------------------------------------------------------------
    def _untouched(self, before: Mapping[str, Any]) -> Iterator[Record]:
        """After the first call of each method x, t and the parameters are what they were."""
        phase = "arguments unchanged"
        for method, called in self.calls.items():
            arguments = (self.x, self.labels(self.t))
            for name, given, left in zip("xt", arguments, called.arguments, strict=False):
                why = "" if same_array(given, left) else f"{method} wrote into it"
                yield record(self.place, method, phase, name, held(given.shape, why))
        after = self.network.params()
        for name, array in before.items():
            why = "" if same_array(array, after[name]) else "was changed by a call that only computes"
            yield record(self.place, name, phase, "param", held(_shape(array), why))

    # -- steps -------------------------------------------------------------------------------------
    def _steps(self) -> Iterator[Record]:
        """Steps of plain gradient descent, always with the same batch, so that the loss has to fall."""
        ours = Descent(self)
        exact = TwinDescent(self, self.twin.module)
        runs = [TwinDescent(self, module) for module in self.twin.runs(self.place.dtype)]
        batches = [(self.x, self.t, Masks())] * STEPS
        yield from lockstep(self.place, ours, exact, runs, batches)
        self.losses = ours.losses
        if ours.lost:
            why = "does not keep what is written into it: is `params` a copy?"
            for name, array in ours.lost.items():
                yield record(self.place, name, "params", "param", held(array.shape, why))


def _wavers(first: Any, call: Callable[[], Any]) -> bool:
    """Whether the same call gives three answers, the first included; two there are where one came before."""
    found = [first]
    for _ in range(8):
        answer = call()
        if not any(same_array(answer, other) for other in found):
            found.append(answer)
        if len(found) == 3:
            return all(isinstance(answer, np.ndarray) for answer in found)
    return False


def _softmax(scores: Array) -> Array:
    return to_numpy(torch.softmax(torch.from_numpy(scores), 1))


def _are_probabilities(found: Array) -> bool:
    return found.min() >= 0 and np.allclose(found.sum(axis=1), 1, atol=1e-6)


def _shape(value: Any) -> tuple[int, ...]:
    return value.shape if isinstance(value, np.ndarray) else ()
