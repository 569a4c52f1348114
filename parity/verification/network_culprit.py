"""Which part of somebody's network is to blame, in a sentence that says no more than was looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from parity.adapters.wire import clean
from parity.checks.culprit import Culprit, agree, localize
from parity.comparison.gates import difference, largest
from parity.comparison.records import Record
from parity.faults import FAULTS
from parity.faults.catalogue.networks import NETWORK_FAULTS
from parity.faults.diagnose import SAME, UNKNOWN, Diagnosis
from parity.verification.layer_evidence import handed_on, row_of
from parity.verification.network_checks import CONTRACTS, NetworkCheck
from scratchcnn.typing import Array

NOT_DIVIDED = "loss-gradient-not-divided"
GIVEN = "on the numbers that it got"
IMAGES = "the images"
MOST_NAMES = 8


def culprit_of(check: NetworkCheck) -> Culprit | None:
    """The culprit of what was found, or None when nothing failed."""
    if touched := [row for row in check.records if not row.ok and row.phase == "arguments unchanged"]:
        row = touched[0]  # what came after it was computed from other numbers
        what = f"{row.layer} of params" if row.tensor == "param" else row.tensor
        return Culprit(row.layer, row.phase, row.tensor, f"{what} {_since(row)}")
    if check.wavers:
        sentence = (
            "predict gives another answer in each call with the same images: does it drop as in training?"
        )
        return Culprit("scores", "forward", "out", sentence)
    seen = bool(check.layers)
    found = localize(check.records, check.trace if seen else None, check.exact if seen else None, GIVEN)
    if found is None:
        return None
    found = _only_what_was_seen(found, check)
    if found.layer == "loss" and found.phase == "forward":
        return replace(found, sentence=found.sentence + _besides_the_loss(check))
    if (factor := common_factor(check)) and found.phase in ("backward", "names", "wiring"):
        found = replace(found, sentence=f"{found.sentence}; {factor.sentence}")
    return found


def _besides_the_loss(check: NetworkCheck) -> str:
    """Which gradients are wrong too, where the loss cannot be why: others are right."""
    grads = [row for row in check.records if row.tensor == "grad" and row.phase == "backward"]
    wrong = [row.layer for row in grads if not row.ok]
    if len(wrong) in (0, len(grads)):
        return ""
    relations = {name: _relation_of_gradient(check, name) for name in wrong}
    each = [f"{name} ({relation})" if relation else name for name, relation in relations.items()]
    return f"; besides, these gradients are wrong: {', '.join(each)}"


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
    scores, loss = (row_of(check, name) for name in ("scores", "loss"))
    if culprit.phase in CONTRACTS:
        contract = f'the contract "{culprit.phase}" is broken: {CONTRACTS[culprit.phase]}'
        sentence = f"single calls are right, {contract}"
        return Culprit(culprit.layer, culprit.phase, culprit.tensor, sentence)
    if culprit.phase == "params" or culprit.phase.startswith("step"):
        return _steps_culprit(check)
    if any(row.phase == "alone" and not row.ok for row in check.records):
        return culprit  # a layer is wrong individually
    backward = culprit.tensor in ("dout", "dx", "grad") or culprit.layer in ("scores", "loss")
    if scores is not None and not scores.ok and backward:
        return Culprit("scores", "forward", "out", _wrong_scores(check, scores))
    if loss is not None and not loss.ok and backward:
        return Culprit("loss", "forward", "loss", _wrong_loss(check, loss, scores))
    if culprit.phase == "weights":
        return _wrong_output(culprit, check)
    if culprit.phase == "wiring" or (culprit.layer, culprit.tensor) == ("loss", "dx"):
        return _wiring(culprit, check)
    return _owner_of_the_gradient(culprit, check) if culprit.phase == "names" else culprit


def with_relations(culprit: Culprit, check: NetworkCheck) -> Culprit:
    """The same with what a layer's wrong result is instead, for a bug that has no name."""
    run = check.layers.get(culprit.layer)
    if run is None or GIVEN not in culprit.sentence:
        return culprit
    found: list[str] = []
    if culprit.layer == "loss" and culprit.phase == "forward" and (relation := _relation_of_the_loss(check)):
        found.append(f"it is {relation}")
    if culprit.phase == "backward" and culprit.tensor.startswith("d"):
        relations = {name: _relation_of_gradient(check, name) for name in run.view.holds}
        found += [f"{name}'s is {relation}" for name, relation in relations.items() if relation]
    return replace(culprit, sentence="; ".join([culprit.sentence, *found]))


# -- the scores and the loss ------------------------------------------------------------------------
def _wrong_scores(check: NetworkCheck, row: Record) -> str:
    """That the scores are wrong, and, where that is so, what would make them right."""
    if row.why:
        return f"what predict gives cannot be compared: {row.why}"
    if (order := _channels_last(check)) is not None:
        return (
            f"the scores are wrong; they are right when the rows of {order[0]} are taken in the order H, W, C"
        )
    right = [
        path for path, exact in check.exact.outputs.items() if agree(check.trace.outputs.get(path), exact)
    ]
    if right and len(right) == len(check.exact.outputs):
        way = _Way.forward(check).order
        after = way[way.index(right[-1]) + 1 :]
        then = f"; after it comes {', '.join(after)}" if after else ""
        return f"the scores are wrong, and the output of {right[-1]} is the twin's{then}"
    return "the scores are wrong, before any loss is computed"


def _wrong_loss(check: NetworkCheck, loss: Record, scores: Record | None) -> str:
    if loss.why:
        return f"what loss gives cannot be compared: {loss.why}"
    if scores is not None:
        found = "the logits are right and the loss is not"
    else:
        sees = "neither layers nor a predict that can be compared" if not check.layers else "no scores"
        found = f"the loss is wrong; the network shows {sees}, so where cannot be told"
    relation = _relation_of_the_loss(check)
    return f"{found}; it is {relation}" if relation else found


def _relation_of_the_loss(check: NetworkCheck) -> str | None:
    """What else the loss is: PyTorch's for other labels, of other scores, or times the number of images."""
    found, same = check.trace.loss, SAME[check.place.dtype]
    if not isinstance(found, np.ndarray) or found.shape or not np.isfinite(found):
        return None
    for says, value in check.twin.other_losses(check.x.astype(np.float64), check.t, float(check.exact.loss)):
        if abs(float(found) - value) <= same * abs(value):
            return says
    factor, times = common_factor(check), float(found) / float(check.exact.loss)
    if factor is not None and abs(times / factor.times - 1) <= same:
        return f"{times:.6g} times PyTorch's, and so are all gradients"
    return None


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


# -- between layers ---------------------------------------------------------------------------------
def _wrong_output(culprit: Culprit, check: NetworkCheck) -> Culprit:
    """A layer that computes "rightly from other weights" was checked individually."""
    if _checked(check, culprit.layer):
        return culprit
    sentence = f"{culprit.layer} gets the right input and gives a wrong output"
    return Culprit(culprit.layer, "forward", "out", sentence)


def _wiring(culprit: Culprit, check: NetworkCheck) -> Culprit:
    """Where between two layers whose numbers can be compared with the twin's the numbers go wrong."""
    if culprit.tensor in ("x", "out"):
        way = _Way.forward(check)
        to: str | None = culprit.layer
    else:  # where the loss is named, it is what reaches the last of those layers
        way = _Way.backward(check)
        compared = (path for path in way.order[1:] if path in check.exact.douts)
        to = next(compared, None) if culprit.layer == "loss" else culprit.layer
    if to not in way.order:
        return culprit
    before = way.order[: way.order.index(to)]
    start = next((path for path in reversed(before) if path in check.exact.outputs), before[0])
    return _in_section(way, start, to)


@dataclass(frozen=True)
class _Way:
    """One of the two ways through the layers: who comes after whom, what each gets and what each gives."""

    check: NetworkCheck
    name: str
    order: list[str]
    gets: dict[str, Array]
    gives: dict[str, Array]
    tensor: str
    product: str

    @classmethod
    def forward(cls, check: NetworkCheck) -> _Way:
        order, trace = [IMAGES, *(path for path in check.layers if path != "loss")], check.trace
        return cls(check, "forward", order, trace.inputs, {IMAGES: check.x} | trace.outputs, "x", "output")

    @classmethod
    def backward(cls, check: NetworkCheck) -> _Way:
        order, trace = [*reversed([path for path in check.layers if path != "loss"])], check.trace
        return cls(check, "backward", ["loss", *order], trace.douts, trace.dxs, "dout", "dx")


def _in_section(way: _Way, start: str, to: str) -> Culprit:
    """What is wrong between two layers, where the numbers are right at the start and wrong at the end."""
    section = way.order[way.order.index(start) : way.order.index(to) + 1]
    if idle := [path for path in section[1:] if path not in way.gets and way.check.layers[path].seen]:
        sentence = f"{idle[0]} was never called in the {way.name} pass"
        return Culprit(idle[0], "wiring", way.tensor, sentence)
    unseen = [path for path in section[:-1] if path != IMAGES and not _checked(way.check, path)]
    if unseen or any("." in path for path in section):  # a nested layer's neighbour need not be its source
        also = f"; {', '.join(unseen)} could not be checked individually" if unseen else ""
        sentence = f"going {way.name} the numbers go wrong between {_the(start)} and {to}{also}"
        return Culprit(to, "wiring", way.tensor, sentence)
    for before, path in pairwise(section):
        if not handed_on(way.gives.get(before), way.gets.get(path)):
            given = IMAGES if before == IMAGES else f"the {way.product} of {_the(before)}"
            sentence = f"{path} does not get {given}"
            return Culprit(path, "wiring", way.tensor, sentence)
    sentence = (
        f"going {way.name} every layer from {_the(start)} to {to} is right and gets what the one before it "
        "gives; the twin computes something else there"
    )
    return Culprit(to, "wiring", way.tensor, sentence)


def _the(path: str) -> str:
    return "the loss" if path == "loss" else path


def _checked(check: NetworkCheck, path: str) -> bool:
    """Whether the layer was compared individually."""
    return any(row.layer == path and row.phase == "alone" for row in check.records)


# -- the gradients ----------------------------------------------------------------------------------
def _owner_of_the_gradient(culprit: Culprit, check: NetworkCheck) -> Culprit:
    """ "Every layer is right" is only said where every layer was checked."""
    name = culprit.layer
    row = next(r for r in check.records if r.layer == name and r.tensor == "grad" and not r.ok)
    if row.why == "missing":
        found = check.calls["gradient"].value
        keys = list(found)[:MOST_NAMES] if isinstance(found, dict) else []
        names = ", ".join(clean(key, 40) for key in keys) or "no arrays"
        sentence = f"gradient(x, t) gives nothing under the name {name}; it gives {names}"
        return Culprit(name, "backward", culprit.tensor, sentence)
    if all(r.why == row.why != "" for r in check.records if r.tensor == "grad" and r.phase == "backward"):
        return Culprit(name, "backward", culprit.tensor, f"gradient(x, t): {row.why}")
    if row.why and not row.why.startswith("shape"):
        sentence = f"gradient(x, t) under the name {name}: {row.why}"
        return Culprit(name, "backward", culprit.tensor, sentence)
    relation = _relation_of_gradient(check, name)
    also = f"; it is {relation}" if relation else ""
    if not check.layers:
        sentence = f"the gradient of {name} is wrong, and the network shows no layers to look at{also}"
        return Culprit(name, "backward", culprit.tensor, sentence)
    owner = next((path for path, run in check.layers.items() if name in run.view.holds), None)
    if owner is None:
        sentence = f"the gradient of {name} is wrong, and no layer that can be seen holds {name}{also}"
        return Culprit(name, "backward", culprit.tensor, sentence)
    if not _checked(check, owner) and not _holds(check, owner, check.exact.grads[name]):
        given = "gets the right input and dout, and gives" if owner in check.exact.douts else "gives"
        return Culprit(owner, "backward", name, f"{owner} {given} a wrong gradient of {name}{also}")
    if owner not in check.exact.douts and _holds(check, owner, check.trace.grads.get(name)):
        return _in_section(_Way.backward(check), "loss", owner)  # it is right on a wrong dout
    everyone = all(_checked(check, path) for path in check.layers)
    who = "every layer's gradients are right" if everyone else f"{owner}'s gradients are right"
    sentence = f"{who}, but the network hands out another array as {name}{also}"
    return Culprit(name, "names", culprit.tensor, sentence)


def _holds(check: NetworkCheck, path: str, grad: Array | None) -> bool:
    """Whether one of the layer's own gradients is that array."""
    own = (array for key, array in check.layers[path].attributes.items() if key.startswith("d"))
    return isinstance(grad, np.ndarray) and any(agree(array, grad) for array in own)


def _relation_of_gradient(check: NetworkCheck, name: str) -> str | None:
    """What one wrong gradient is instead; None where it is right, or wrong together with all others."""
    found, exact = check.trace.grads.get(name), check.exact.grads.get(name)
    if not isinstance(found, np.ndarray) or exact is None or common_factor(check) is not None:
        return None
    if name in check.zeros:
        row = next((r for r in check.records if r.layer == name and r.phase == "backward"), None)
        return "not 0, as PyTorch's is but for rounding" if row and not row.ok else None
    if found.ndim == 2 and found.shape != exact.shape and agree(found.T, exact):
        return "PyTorch's transposed"
    if found.shape != exact.shape or agree(found, exact):
        return None
    if not found.any():
        return "zero everywhere"
    same, weights = SAME[check.place.dtype], check.network.array(name)
    if (times := _multiple(found, exact, same)) is not None:
        return f"{times:.6g} times PyTorch's"
    if isinstance(weights, np.ndarray) and (times := _multiple(found - exact, weights, same)) is not None:
        return f"PyTorch's plus {times:.6g} times {name} (weight decay?)"
    return None


def _multiple(array: Array, of: Array, same: float) -> float | None:
    """The number that the one array is times the other, where it is."""
    scale = float((of * of).sum())
    times = float((array * of).sum()) / scale if scale else 0.0
    return times if times and difference(array, times * of) <= same * largest(array) else None


@dataclass(frozen=True)
class Factor:
    """What all gradients are multiplied by; `images` if it is the number of images."""

    sentence: str
    times: float
    residual: float
    images: bool


def common_factor(check: NetworkCheck) -> Factor | None:
    """The factor that makes all gradients right, where it is the same for all."""
    same, names = SAME[check.place.dtype], [name for name in check.exact.grads if name not in check.zeros]
    factors = list(_factors(check, names))
    if not factors or len(factors) < len(names):
        return None
    ratios, residual = [ratio for ratio, _ in factors], max(left for _, left in factors)
    if not residual <= same * abs(ratios[0]) or np.ptp(ratios) > same * abs(ratios[0]):
        return None
    ratio, images = ratios[0], len(check.x)
    if abs(ratio - 1) <= same or ratio == 0:
        return None
    sentence = f"all gradients are {ratio:.6g} times PyTorch's"
    if abs(ratio / images - 1) <= same:
        return Factor(f"{sentence}, and {images} is the number of images", ratio, residual, True)
    if abs(ratio * images - 1) <= same:
        sentence = f"all gradients are PyTorch's divided by {images}, and {images} is the number of images"
    return Factor(sentence, ratio, residual, False)


def _factors(check: NetworkCheck, names: Sequence[str]) -> Iterator[tuple[float, float]]:
    """Per gradient that has one: the best factor, and what is left then, of the tensor's scale."""
    for name in names:
        exact, found = check.exact.grads[name], check.trace.grads.get(name)
        scale = float((exact * exact).sum())
        if isinstance(found, np.ndarray) and found.shape == exact.shape and scale > 0:
            ratio = float((found * exact).sum()) / scale
            yield ratio, difference(found, ratio * exact) / largest(exact)


# -- steps ------------------------------------------------------------------------------------------
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
    elif check.later is not None and (then := culprit_of(check.later)) is not None:
        sentence = f"{sentence}; with these parameters {with_relations(then, check.later).sentence}"
    return Culprit("params", row.phase, row.tensor, sentence)
