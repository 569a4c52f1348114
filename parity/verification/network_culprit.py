"""Which part of somebody's network is to blame, in a sentence that says no more than was looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.adapters.wire import clean
from parity.checks.culprit import Culprit, agree, localize
from parity.comparison.records import Record
from parity.faults import FAULTS
from parity.faults.catalogue.networks import NETWORK_FAULTS
from parity.faults.diagnose import UNKNOWN, Diagnosis
from parity.verification.layer_evidence import row_of
from parity.verification.network_checks import NetworkCheck
from parity.verification.network_contracts import CONTRACTS
from parity.verification.network_relations import (
    channels_last,
    common_factor,
    relation_of_gradient,
    relation_of_the_loss,
)
from parity.verification.network_wiring import Way, checked, in_section, wiring, wrong_output
from scratchcnn.typing import Array

NOT_DIVIDED = "loss-gradient-not-divided"
GIVEN = "on the numbers that it got"
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
    relations = {name: relation_of_gradient(check, name) for name in wrong}
    each = [f"{name} ({relation})" if relation else name for name, relation in relations.items()]
    return f"; besides, these gradients are wrong: {', '.join(each)}"


def _since(row: Record) -> str:
    return row.why if row.tensor == "param" else f"is not what it was: {row.why}"


def named_bug(check: NetworkCheck) -> Diagnosis:
    """The known bug of a network as a whole that explains what was seen, or unknown."""
    if (order := channels_last(check)) is not None:
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
        return wrong_output(culprit, check)
    if culprit.phase == "wiring" or (culprit.layer, culprit.tensor) == ("loss", "dx"):
        return wiring(culprit, check)
    return _owner_of_the_gradient(culprit, check) if culprit.phase == "names" else culprit


def with_relations(culprit: Culprit, check: NetworkCheck) -> Culprit:
    """The same with what a layer's wrong result is instead, for a bug that has no name."""
    run = check.layers.get(culprit.layer)
    if run is None or GIVEN not in culprit.sentence:
        return culprit
    found: list[str] = []
    if culprit.layer == "loss" and culprit.phase == "forward" and (relation := relation_of_the_loss(check)):
        found.append(f"it is {relation}")
    if culprit.phase == "backward" and culprit.tensor.startswith("d"):
        relations = {name: relation_of_gradient(check, name) for name in run.view.holds}
        found += [f"{name}'s is {relation}" for name, relation in relations.items() if relation]
    return replace(culprit, sentence="; ".join([culprit.sentence, *found]))


# -- the scores and the loss ------------------------------------------------------------------------
def _wrong_scores(check: NetworkCheck, row: Record) -> str:
    """That the scores are wrong, and, where that is so, what would make them right."""
    if row.why:
        return f"what predict gives cannot be compared: {row.why}"
    if (order := channels_last(check)) is not None:
        return (
            f"the scores are wrong; they are right when the rows of {order[0]} are taken in the order H, W, C"
        )
    right = [
        path for path, exact in check.exact.outputs.items() if agree(check.trace.outputs.get(path), exact)
    ]
    if right and len(right) == len(check.exact.outputs):
        way = Way.forward(check).order
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
        found = f"the loss is wrong; the network shows {sees}, so the layer is unknown"
    relation = relation_of_the_loss(check)
    return f"{found}; it is {relation}" if relation else found


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
    relation = relation_of_gradient(check, name)
    also = f"; it is {relation}" if relation else ""
    if not check.layers:
        sentence = f"the gradient of {name} is wrong, and the network shows no layers to look at{also}"
        return Culprit(name, "backward", culprit.tensor, sentence)
    owner = next((path for path, run in check.layers.items() if name in run.view.holds), None)
    if owner is None:
        sentence = f"the gradient of {name} is wrong, and no layer that can be seen holds {name}{also}"
        return Culprit(name, "backward", culprit.tensor, sentence)
    if not checked(check, owner) and not _holds(check, owner, check.exact.grads[name]):
        given = "gets the right input and dout, and gives" if owner in check.exact.douts else "gives"
        return Culprit(owner, "backward", name, f"{owner} {given} a wrong gradient of {name}{also}")
    if owner not in check.exact.douts and _holds(check, owner, check.trace.grads.get(name)):
        return in_section(Way.backward(check), "loss", owner)  # it is right on a wrong dout
    everyone = all(checked(check, path) for path in check.layers)
    who = "every layer's gradients are right" if everyone else f"{owner}'s gradients are right"
    sentence = f"{who}, but the network hands out another array as {name}{also}"
    return Culprit(name, "names", culprit.tensor, sentence)


def _holds(check: NetworkCheck, path: str, grad: Array | None) -> bool:
    """Whether one of the layer's own gradients is that array."""
    own = (array for key, array in check.layers[path].attributes.items() if key.startswith("d"))
    return isinstance(grad, np.ndarray) and any(agree(array, grad) for array in own)


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
