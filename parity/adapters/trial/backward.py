"""Calling backward: which method, and where the gradients are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import FLUSH, PLACES, Convention, Place
from parity.adapters.former_arrays import refused_at
from parity.adapters.gradients import COMPLETE, RETURNED, find_gradients, named_before, place_of
from parity.adapters.signatures import (
    backward_calls,
    switch,
)
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.dropout_mask import marks_the_dropped, mask_of
from parity.adapters.trial.dropout_share import as_it_drops
from parity.adapters.trial.forward import with_former
from parity.adapters.trial.gradient_steps import is_proportional
from parity.adapters.trial.matrices import matrix_of, with_matrix
from parity.adapters.trial.output_derivatives import (
    beside_the_function,
    is_derivative,
    may_be_derivative,
    names_the_output,
    of_output,
)
from parity.adapters.trial.weights import places_of
from parity.adapters.updates import updates
from parity.kinds import kind_of
from parity.kinds.probe import Probe

RAISED = 1  # the score of a backward that raised
WITH_DX = 3  # the score of a backward that gives dx is above


def backwards(trial: Trial, c: Convention, probe: Probe) -> tuple[int, Convention]:
    """The best way of calling backward, and how much of what was asked for it gives."""
    probe = c.fitted(probe)
    gradients = ("dx", *(f"d{n}" for n in trial.how.params if probe.args.get(n) is not None))
    c = replace(c, switch=switch(trial.about, c) or trial.flag)
    still = trial.kind == "batch_norm" and not c.buffers  # it keeps nothing to infer with
    if kind_of(trial.kind).switches and (still or not c.switch):
        c = replace(c, limits={**c.limits, "training": True})
    calls = [beside_the_function(trial.kind, c, one) for one in backward_calls(trial.about, trial.kind, c)]
    missing_buffers = tuple(n for n in trial.how.buffers if n in probe.args and n not in c.buffers)
    if trial.kind == "dropout":
        c = as_it_drops(trial, c, probe)
        c = replace(c, mask=mask_of(trial, c, probe))
        c = replace(c, drops=marks_the_dropped(trial, c, probe))
        if c.mask is None:
            return 0, c
        if c.mask == c.out:  # backward goes by a mask that cannot be set
            return COMPLETE, replace(c, unseen=gradients)
    if not calls and trial.how.role == "loss" and (dx := _beside_the_loss(trial, c, probe)):
        return COMPLETE, replace(c, dx=dx)
    if not calls:
        return COMPLETE, replace(c, unseen=(*gradients, *missing_buffers))
    best: tuple[int, Convention] | None = None
    if may_be_derivative(trial.about, trial.kind) and c.constructor is not None:
        name = str((trial.about["methods"]["backward"] or [{}])[0]["name"])
        as_gradient = replace(c, backward="backward", backward_args=((name, "dout"),))
        derivative = is_derivative(trial, as_gradient, probe)
        meaning = "out" if names_the_output(trial.kind, plain(name)) else "x"
        calls = [("backward", ((name, meaning if derivative else "dout"),), derivative)]
    for backward, args, derivative in calls:
        tried = replace(c, backward=backward, backward_args=args, derivative=derivative)
        tried = replace(tried, zero=_zeroed_by(trial, tried))
        report = trial.attempt(tried, probe)
        if (line := refused_at(report["error"])) and not c.tensor and "former" not in c.limits:
            tried = with_former(tried, line)
            report = trial.attempt(tried, probe)
        if "backward" not in report:
            there = named_before(tried, report, probe, trial.how) if c.constructor is not None else {}
            kept = replace(tried, dx=RETURNED, unseen=missing_buffers, grads=there)
            best = best or (RAISED, kept)
            continue
        if derivative and (matrix := matrix_of(tried, report, probe)) is not None:
            best = COMPLETE, with_matrix(tried, *matrix, missing_buffers)
            break
        score, found = find_gradients(tried, report, probe, trial.how)
        if score < COMPLETE and c.constructor is not None:
            score, found = _as_it_keeps_them(trial, tried, probe, report, (score, found))
        if score == COMPLETE and not found.change and trial.how.params:
            score, found = _at_rest(trial, tried, probe, (score, found))
        if found.change and not is_proportional(trial, found, probe):
            found = replace(found, change=False, grads={}, unseen=(*found.unseen, *gradients[1:]))
        elif WITH_DX < score < COMPLETE and trial.how.params:
            score, found = _after_an_update(trial, tried, probe, (score, found))
        silent = found.backward in trial.about["none"] and found.dx == RETURNED
        if found.grads and silent and "dx" not in found.unseen:
            found = replace(found, unseen=(*found.unseen, "dx"))  # it is the first layer of its network
        found = replace(found, updates=found.updates or _takes_steps(trial, found, report))
        found = replace(found, zero=_zeroed_by(trial, found))
        found = replace(found, unseen=(*found.unseen, *missing_buffers))
        if best is None or score > best[0]:
            best = (score, found)
        if score == COMPLETE:
            break
    assert best is not None
    return best[0], of_output(trial, best[1], probe)


def _takes_steps(trial: Trial, c: Convention, report: dict[str, Any]) -> bool:
    """Whether its backward changes its weights by steps of its own: it takes something off them."""
    before, after = (
        {repr([list(step) for step in e["path"]]): e["sum"] for e in report[when]}
        for when in ("forward", "backward")
    )
    paths = [[list(step) for step in place.path] for places in c.stored.values() for place in places]
    changed = [p for p in paths if repr(p) in after and before.get(repr(p)) != after[repr(p)]]
    taken = {*trial.about["stepped"].get(c.backward, ())}
    return bool(changed) and all({name for _, name in p} & taken for p in changed)


def _as_it_keeps_them(
    trial: Trial, c: Convention, probe: Probe, report: dict[str, Any], best: tuple[int, Convention]
) -> tuple[int, Convention]:
    """With gradients that lie as its own weights do, where it turned those that it was handed."""
    handed = [name for name in c.passed if name in trial.how.params]
    own = places_of(report["built"], probe, handed)
    turned = {name: own[name] for name in handed if name in own and own[name][0].layout != c.passed[name]}
    if not turned:
        return best
    found = find_gradients(replace(c, stored={**c.stored, **turned}), report, probe, trial.how)
    return found if found[0] == COMPLETE else best


def _at_rest(
    trial: Trial, c: Convention, probe: Probe, best: tuple[int, Convention]
) -> tuple[int, Convention]:
    """With a rate of 0, for a layer whose own weights lie nobody knows where, and whose gradients show."""
    args = tuple((name, "=0.0" if meaning == "rate" else meaning) for name, meaning in c.backward_args)
    if args == c.backward_args or c.constructor is None or "W" not in c.passed:
        return best
    tried = replace(c, backward_args=args)
    report = trial.attempt(tried, probe)
    found = find_gradients(tried, report, probe, trial.how) if "backward" in report else best
    return found if found[0] == COMPLETE else best


def _after_an_update(
    trial: Trial, c: Convention, probe: Probe, best: tuple[int, Convention]
) -> tuple[int, Convention]:
    """Gradients that are kept to itself show in what a method for the next step does to the weights."""
    for update in updates(trial.about["methods"], trial.kind):
        tried = replace(c, update=update)
        report = trial.attempt(tried, probe)
        if "backward" not in report:
            continue
        score, found = find_gradients(tried, report, probe, trial.how)
        if score > best[0] and found.change and is_proportional(trial, found, probe):
            best = score, found
    return best


def _beside_the_loss(trial: Trial, c: Convention, probe: Probe) -> Place | None:
    """The gradient that a loss returns with its value: `return loss, dx`."""
    report = trial.attempt(c, probe)
    shape = list(probe.inputs["x"].shape)
    found = [e for e in report.get("forward", ()) if e["path"][0][1] == "out" and e["shape"] == shape]
    found = [e for e in found if e["path"] != [list(step) for step in c.out.path]]  # the losses themselves
    named = [e for e in found if plain(str(e["path"][-1][1])).startswith(("d", "grad"))]
    if not named and _are_probabilities(trial, c, probe, found):
        return None
    return place_of((named or found)[0]) if len(found) == 1 or named else None


def _are_probabilities(trial: Trial, c: Convention, probe: Probe, found: list[dict[str, Any]]) -> bool:
    """Whether all that is returned beside a loss adds up to 1 per row, and is the same for other labels."""
    t, classes = probe.inputs["t"], probe.inputs["x"].shape[1]
    others = (t + 1) % classes if t.ndim == 1 else np.roll(t, 1, axis=1)
    report = trial.attempt(c, replace(probe, inputs={**probe.inputs, "t": others}))
    again = {repr(e["path"]): e["sum"] for e in report.get("forward", ())}
    return all(
        np.isclose(e.get("value", np.nan), 1 / classes) and again.get(repr(e["path"])) == e["sum"]
        for e in found
    )


ZERO = (
    "zerograd",
    "zerograds",
    "zerogradients",
    "cleargrads",
    "cleargradients",
    "resetgrads",
    "resetgradients",
)


def _zeroed_by(trial: Trial, c: Convention) -> str:
    """What sets gradients that add up to zero: a method; PLACES for those of parameters that are objects."""
    if c.tensor or c.change:
        return ""
    methods = trial.about["methods"]
    for name in methods:
        if plain(name) in (*ZERO, *FLUSH) and not [p for p in methods[name] or () if p and p["required"]]:
            return str(name)
    kept = [place.path for place in c.grads.values()]
    reset = {*trial.about.get("reset", ())}
    if kept and all(len(path) == 2 and path[0][1] == "object" and path[1][1] in reset for path in kept):
        return PLACES  # they add up until its next step
    apart = [
        place
        for name, place in c.grads.items()
        if c.stored.get(name) and len(place.path) > 2 and place.path[:-1] == c.stored[name][0].path[:-1]
    ]
    own = bool(apart) and all(place.path[-2][0] == "." and place.path[-1][0] == "." for place in apart)
    return PLACES if own and len(apart) == len(c.grads) else ""
