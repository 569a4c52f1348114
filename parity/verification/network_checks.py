"""What `verify_network` compares: somebody's network answers, its twin is run here, every tensor is judged.

In this order, so that the first one that fails is nearest the cause:

    forward      the scores (`predict`, or what the last layer gives the loss), then the loss
    backward     every gradient
    alone        each layer that can be seen, on the numbers that it got
    contracts    what a network owes its caller beyond the right numbers of one call
    step k       the loss and the parameters of three training steps in lockstep with the twin

Contracts and steps come only where the single calls are right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from parity.adapters.network_subject import Called, ForeignNetwork
from parity.checks.culprit import Culprit, localize
from parity.checks.gate import gate
from parity.checks.network_outputs import LOSS, Key, Reference
from parity.checks.training_steps import Side, Tensors, lockstep
from parity.comparison.gates import Comparison, difference, held, largest
from parity.comparison.records import Place, Record, record
from parity.faults import FAULTS
from parity.faults.catalogue.networks import NETWORK_FAULTS
from parity.faults.diagnose import SAME, UNKNOWN, Diagnosis
from parity.kinds.kind import to_numpy
from parity.reference.trace import Masks, Trace
from parity.verification.network_layers import LayerRun, check_layers, read_layers
from parity.verification.twin import SCORES, Twin
from scratchcnn.typing import Array

KIND, BATCH = "network", 3
NOT_DIVIDED = "loss-gradient-not-divided"
STEPS, RATE = 3, 0.05
CONTRACTS = {
    "arguments unchanged": "x, t and the parameters hold after a call what they held before",
    "same call, same answer": "the same call gives the same answer; gradients are not added to the last ones",
    "another batch": "a batch of another size is answered as if it were the first",
}


@dataclass
class NetworkCheck:
    """One network under test, its twin, and what was found so far.

    values   ours and PyTorch's of what was wrong, by the name in the records
    """

    network: ForeignNetwork
    twin: Twin
    x: Array
    t: Array
    records: list[Record] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    values: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    trace: Trace = field(default_factory=Trace)
    exact: Trace = field(default_factory=Trace)
    layers: dict[str, LayerRun] = field(default_factory=dict)
    anchors: dict[str, str] = field(default_factory=dict)
    calls: dict[str, Called] = field(default_factory=dict)  # the latest, by method
    losses: list[Any] = field(default_factory=list)  # of the training steps

    @property
    def place(self) -> Place:
        return Place(KIND, self.x.dtype.name, "cpu")

    def run(self) -> None:
        """Raises what the network's connection does; what was found until then stays."""
        for row in self._all():
            self.records.append(row)

    def _all(self) -> Iterator[Record]:
        yield from self._scores()
        yield from self._gradients()
        yield from check_layers(self.place, self.layers, self.trace, self.t, self.unchecked)
        if all(row.ok for row in self.records):
            yield from self._contracts()
            yield from self._steps()

    # -- one call ----------------------------------------------------------------------------------
    def _scores(self) -> Iterator[Record]:
        """What `predict` gives, before anything else was called: scores, or else probabilities or classes."""
        if not self.network.predicts:
            return
        self.calls["predict"] = self.network.predict(self.x)
        found = self.calls["predict"].value
        modes = (False, True) if self.twin.infers_otherwise(self.x.astype(np.float64)) else (True,)
        compared = [self._predicted(found, self.twin.scores(self.x, training)) for training in modes]
        comparison, theirs = next((c for c in compared if c[0].ok), compared[0])
        if comparison.why.startswith("shape") and not comparison.ok:
            self.unchecked.append(f"predict ({comparison.why} as the twin's outputs have it)")
            return
        self._keep("scores", comparison, found, theirs)
        yield record(self.place, "scores", "forward", "out", comparison)

    def _predicted(self, found: Any, reference: Reference) -> tuple[Comparison, Array]:
        """Right are the twin's outputs, their softmax, and the class of the largest."""
        theirs = reference.exact[SCORES]
        if isinstance(found, np.ndarray) and theirs.ndim == 2:
            if found.dtype.kind in "iu" and found.shape == theirs.shape[:1]:
                classes = theirs.argmax(axis=1)
                same = np.array_equal(found, classes)
                return held(found.shape, "" if same else "other classes than the twin's"), classes
            if found.shape == theirs.shape and _are_probabilities(found):
                theirs = to_numpy(torch.softmax(torch.from_numpy(theirs), 1))
                runs = [to_numpy(torch.softmax(torch.from_numpy(p), 1)) for p in reference.plain.values()]
                return gate(found, theirs, self.place.dtype, runs, reference.errors.get(SCORES, 0.0)), theirs
        return reference.judge(SCORES, found), theirs

    def _gradients(self) -> Iterator[Record]:
        """The loss and every gradient of one call each, the layers noting what passes through them."""
        self.anchors = {
            view.path: self.twin.names[name].theirs.rpartition(".")[0]
            for view in self.network.layers
            for name in view.holds
            if name in self.twin.names
        }
        before = self.network.params()
        found = self._called(self.x, self.t)
        yield from self._untouched(before)
        if self.network.layers:
            self.network.trace(self.x, self.t)
            self.layers = {run.view.path: run for run in read_layers(self.network, self.trace)}
        reference, self.exact = self.twin.gradients(self.x, self.t, self.anchors)
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
            for row in reference.compare(self.place, {SCORES: found}):
                self._keep("scores", row, found, reference.exact[SCORES])
                yield row

    def _called(self, x: Array, t: Array) -> dict[Key, Any]:
        """The loss and the gradients of one call each."""
        self.calls = {"loss": self.network.loss(x, t), "gradient": self.network.gradient(x, t)}
        loss, grads = (called.value for called in self.calls.values())
        found: dict[Key, Any] = {LOSS: np.asarray(loss, x.dtype) if isinstance(loss, float) else loss}
        for name in self.twin.names:
            found["grad", name] = grads.get(name) if isinstance(grads, dict) else grads
        return found

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
            for name, given, left in zip("xt", (self.x, self.t), called.arguments, strict=False):
                why = "" if _same(given, left) else f"{method} wrote into it"
                yield record(self.place, method, phase, name, held(given.shape, why))
        after = self.network.params()
        for name, array in before.items():
            why = "" if _same(array, after[name]) else "was changed by a call that only computes"
            yield record(self.place, name, phase, "param", held(_shape(array), why))

    def _contracts(self) -> Iterator[Record]:
        """The same call again, and one with another batch."""
        x, t = self.x, self.t
        self.network.gradient(x, t)
        reference, _ = self.twin.gradients(x, t, {})
        yield from reference.compare(self.place, self._called(x, t), "same call, same answer")
        rng = np.random.default_rng([len(x), 9])
        other = rng.standard_normal((len(x) + 2, *x.shape[1:])).astype(x.dtype)
        labels = rng.permutation(np.concatenate([t, t[:2]]))
        reference, _ = self.twin.gradients(other, labels, {})
        yield from reference.compare(self.place, self._called(other, labels), "another batch")

    # -- steps -------------------------------------------------------------------------------------
    def _steps(self) -> Iterator[Record]:
        """Steps of plain gradient descent, always with the same batch, so that the loss has to fall."""
        ours = _Descent(self.network, list(self.twin.names), self.x.dtype)
        exact = _TwinDescent(self.twin, self.twin.module)
        runs = [_TwinDescent(self.twin, module) for module in self.twin.runs(self.place.dtype)]
        batches = [(self.x, self.t, Masks())] * STEPS
        yield from lockstep(self.place, ours, exact, runs, batches)
        self.losses = ours.losses
        if ours.lost:
            why = "does not keep what is written into it: is `params` a copy?"
            for name, array in ours.lost.items():
                yield record(self.place, name, "params", "param", held(array.shape, why))


class _Descent(Side):
    """The network and plain gradient descent; `lost` are the parameters that did not keep what was
    written."""

    def __init__(self, network: ForeignNetwork, names: list[str], dtype: Any):
        self.network, self.names, self.dtype = network, names, dtype
        self.lost: dict[str, Array] = {}
        self.losses: list[Any] = []

    def step(self, x: Array, t: Array, masks: Masks) -> None:
        loss = self.network.loss(x, t).value
        self.loss = np.asarray(loss, self.dtype) if isinstance(loss, float) else loss
        self.losses.append(self.loss)
        grads = self.network.gradient(x, t).value
        for name in self.names:
            array = self.network.array(name)
            moved = array - self.dtype.type(RATE) * grads[name]
            self.network.set_array(name, moved)
            if not _same(moved, self.network.array(name)):
                self.lost[name] = moved

    def tensors(self) -> Tensors:
        return {(name, "param"): self.network.array(name) for name in self.names}


class _TwinDescent(Side):
    def __init__(self, twin: Twin, module: nn.Module):
        self.twin, self.module = twin, module
        self.optimizer = torch.optim.SGD(module.parameters(), lr=RATE)

    def step(self, x: Array, t: Array, masks: Masks) -> None:
        self.optimizer.zero_grad()
        loss = self.twin.loss(self.module, x, t)
        torch.autograd.backward(loss)
        self.optimizer.step()
        self.loss = to_numpy(loss)

    def tensors(self) -> Tensors:
        return {(name, "param"): array for name, array in self.twin.params(self.module).items()}


# -- which of it is to blame ------------------------------------------------------------------------
def culprit_of(check: NetworkCheck) -> Culprit | None:
    """The culprit of what was found; no more is said than was looked at."""
    if touched := [row for row in check.records if not row.ok and row.phase == "arguments unchanged"]:
        row = touched[0]  # what came after it was computed from other numbers
        what = f"{row.layer} of params" if row.tensor == "param" else row.tensor
        return Culprit(row.layer, row.phase, row.tensor, f"{what} {_since(row)}")
    seen = bool(check.layers)
    found = localize(check.records, check.trace if seen else None, check.exact if seen else None)
    if found is None:
        return None
    found = _only_what_was_seen(found, check)
    if (factor := common_factor(check)) and found.phase in ("backward", "names"):
        found = replace(found, sentence=f"{found.sentence}; {factor.sentence}")
    return found


def _since(row: Record) -> str:
    return row.why if row.tensor == "param" else f"is not what it was: {row.why}"


def named_bug(check: NetworkCheck) -> Diagnosis:
    """The known bug of a network as a whole that explains what was seen, or unknown."""
    if (order := _channels_last(check)) is not None:
        fault = NETWORK_FAULTS["flatten-channels-last"]
        return Diagnosis(fault.name, fault.says, order[1])
    losses = [row for row in check.records if row.tensor in ("out", "loss") and row.phase == "forward"]
    factor = common_factor(check)
    if factor is not None and factor.images and all(row.ok for row in losses):
        return Diagnosis(NOT_DIVIDED, FAULTS[NOT_DIVIDED].says, factor.residual)
    return UNKNOWN


def _only_what_was_seen(culprit: Culprit, check: NetworkCheck) -> Culprit:
    scores = next((row for row in check.records if row.layer == "scores"), None)
    if culprit.layer == "scores":
        return Culprit("scores", "forward", "out", _wrong_scores(check))
    if culprit.layer == "loss" and culprit.phase == "forward" and scores is None:
        sees = "neither layers nor a predict that can be compared" if not check.layers else "no scores"
        return Culprit(
            "loss", "forward", "loss", f"the loss is wrong; the network shows {sees}, so where cannot be told"
        )
    if culprit.phase in CONTRACTS:
        contract = f'the contract "{culprit.phase}" is broken: {CONTRACTS[culprit.phase]}'
        sentence = f"single calls are right, {contract}"
        return Culprit(culprit.layer, culprit.phase, culprit.tensor, sentence)
    if culprit.phase == "params" or culprit.phase.startswith("step"):
        return _steps_culprit(check)
    return _owner_of_the_gradient(culprit, check) if culprit.phase == "names" else culprit


def _steps_culprit(check: NetworkCheck) -> Culprit:
    """Single calls are right, and the network does not follow its parameters."""
    lost = [row.layer for row in check.records if row.phase == "params"]
    if lost:
        sentence = f"{', '.join(lost)}: what is written into params is not there afterwards: is it a copy?"
        return Culprit("params", "step 1", lost[0], sentence)
    row = next(row for row in check.records if not row.ok and row.phase.startswith("step"))
    sentence = f"single calls are right; after updates of params {row.layer} is not the twin's ({row.phase})"
    if len(check.losses) > 1 and np.array_equal(check.losses[0], check.losses[1]):
        sentence = "the loss stays the same whatever is written into params: are those copies?"
    return Culprit("params", row.phase, row.tensor, sentence)


def _owner_of_the_gradient(culprit: Culprit, check: NetworkCheck) -> Culprit:
    """ "Every layer is right" is only said where every layer was checked."""
    if not check.layers:
        sentence = f"the gradient of {culprit.layer} is wrong, and the network shows no layers to look at"
        return Culprit(culprit.layer, "backward", culprit.tensor, sentence)
    module = check.twin.names[culprit.layer].theirs.rpartition(".")[0]
    owner = next((path for path, name in check.anchors.items() if name == module), None)
    if owner is None or any(row.layer == owner and row.phase == "alone" for row in check.records):
        return culprit
    sentence = f"{owner} gets the right input and dout, and gives a wrong gradient of {culprit.layer}"
    return Culprit(owner, "backward", culprit.layer, sentence)


def _wrong_scores(check: NetworkCheck) -> str:
    """That the scores are wrong, and, where that is so, what would make them right."""
    if (order := _channels_last(check)) is not None:
        return (
            f"the scores are wrong; they are right when the rows of {order[0]} are taken in the order H, W, C"
        )
    return "the scores are wrong, before any loss is computed"


def _channels_last(check: NetworkCheck) -> tuple[str, float] | None:
    """The parameter whose rows in the order (H, W, C) give the scores, and how far off they then are."""
    found, _ = check.values.get("scores", (None, None))
    if not isinstance(found, np.ndarray):
        return None
    params = {name: check.network.array(name) for name in check.twin.names}
    for name, outputs in check.twin.with_channels_last(params, check.x.astype(np.float64)):
        if found.shape == outputs.shape:
            left = difference(found, outputs) / largest(outputs)
            if left <= SAME[check.place.dtype]:
                return name, left
    return None


@dataclass(frozen=True)
class Factor:
    """What all gradients are multiplied by; `images` if it is the number of images."""

    sentence: str
    residual: float
    images: bool


def common_factor(check: NetworkCheck) -> Factor | None:
    """The factor that makes all gradients right, where it is the same for all."""
    ratios, residual, same = [], 0.0, SAME[check.place.dtype]
    for name, exact in check.exact.grads.items():
        found, scale = check.trace.grads.get(name), float((exact * exact).sum())
        if not isinstance(found, np.ndarray) or found.shape != exact.shape or scale == 0:
            return None
        ratios.append(float((found * exact).sum()) / scale)
        residual = max(residual, difference(found, ratios[-1] * exact) / largest(exact))
    if not ratios or not residual <= same * abs(ratios[0]) or np.ptp(ratios) > same * abs(ratios[0]):
        return None
    ratio, images = ratios[0], len(check.x)
    if abs(ratio - 1) <= same:
        return None
    sentence = f"all gradients are {ratio:.6g} times PyTorch's"
    if abs(ratio / images - 1) <= same:
        return Factor(f"{sentence}, and {images} is the number of images", residual, True)
    if abs(ratio * images - 1) <= same:
        sentence = f"all gradients are PyTorch's divided by {images}, and {images} is the number of images"
    return Factor(sentence, residual, False)


def _are_probabilities(found: Array) -> bool:
    return found.dtype.kind == "f" and found.min() >= 0 and np.allclose(found.sum(axis=1), 1, atol=1e-6)


def _same(before: Any, after: Any) -> bool:
    """Bit for bit the same plain array."""
    if not (isinstance(before, np.ndarray) and isinstance(after, np.ndarray)):
        return False
    return np.array_equal(before, after, equal_nan=before.dtype.kind == "f")


def _shape(value: Any) -> tuple[int, ...]:
    return value.shape if isinstance(value, np.ndarray) else ()
