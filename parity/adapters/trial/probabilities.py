"""Losses that take probabilities instead of scores, found by their names and by what a shift changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention, Place
from parity.adapters.layouts import one_at_a_time
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.results import dx_at, number_at, out_at
from parity.kinds.probe import Array, Probe


def may_take_probabilities(about: dict[str, Any]) -> bool:
    """Whether the name of a loss's first argument may mean probabilities: y_pred, probs, y beside t, and x
    where the loss is not named for a softmax of its own."""
    if is_of_log_probabilities(about):
        return True
    own_softmax = _has_a_softmax(about["name"])
    if not own_softmax and {*about.get("logarithms", {}).values()} - {*SCORES}:
        return True
    ways = [about.get("signature"), *about.get("methods", {}).values()]
    return any(
        of_probabilities(p["name"], "t" in [plain(q["name"]) for q in way or () if q is not None])
        or (not own_softmax and plain(p["name"]) in EITHER)
        for way in ways
        for p in way or ()
        if p is not None
    )


EITHER = ("x", "input", "inputs")
SCORES = (*EITHER, "z", "logits", "scores", "score")


def _row(probe: Probe) -> Array:
    """The probabilities of one sample, of as many classes as the probe has: 0.1, 0.2, 0.3, 0.4 of four."""
    parts = np.arange(1.0, probe.inputs["x"].shape[1] + 1)
    found: Array = parts[None] / parts.sum()
    return found


def _with_first(probe: Probe, value: float) -> Array:
    """Those with another number for the first class."""
    row = _row(probe)
    found: Array = np.where(np.arange(row.size) == 0, value, row)
    return found


def _has_a_softmax(name: str) -> bool:
    return any(word in plain(name) for word in ("softmax", "logit"))


def of_probabilities(name: str, beside_t: bool = False) -> bool:
    """Whether an argument of that name may mean probabilities: y_pred, probs, output; y beside t."""
    word = plain(name)
    if word == "y":
        return beside_t
    return any(part in word for part in ("pred", "prob", "hat")) or word in (
        "p",
        "al",
        "a",
        "a2",
        "al",
        "output",
        "outputs",
        "out",
    )


def is_of_log_probabilities(about: dict[str, Any]) -> bool:
    """Whether a loss is named for a negative log likelihood and takes no logarithm itself."""
    name = plain(about["name"])
    return any(word in name for word in ("nll", "loglikelihood")) and not about.get("logarithms")


def as_of_probabilities(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """A loss of scores is the same when they are shifted; one of probabilities may not be, by its names."""
    if is_of_log_probabilities(trial.about):
        return replace(c, probabilities="logs", per_row=_gives_each(trial, c, probe))
    words = {plain(name): meaning for name, meaning in c.forward_args}
    named = [word for word, meaning in words.items() if meaning == "x"]
    either = () if _has_a_softmax(trial.about["name"]) else EITHER
    function = c.constructor is None and "softmax" not in plain(trial.about["name"])
    logarithm = str(trial.about.get("logarithms", {}).get(c.forward.removeprefix("function "), ""))
    of_log = "" if _has_a_softmax(trial.about["name"]) else plain(logarithm)
    if not c.logged and not any(
        of_probabilities(word, len(words) > 1)
        or word in either
        or ((function or word == of_log) and word not in SCORES)
        for word in named
    ):
        return c
    x = np.abs(probe.inputs["x"])
    here, moved = (out_at(trial, c, replace(probe, inputs={**probe.inputs, "x": x + s})) for s in (0.0, 0.5))
    if np.isclose(here, moved, rtol=1e-3, equal_nan=True):
        return c
    # p - t sums to 0 over a row, and -t / p has nothing that could make up for its one entry
    of_scores = abs(_slope(trial, c, probe, _row(probe))) < 1e-9
    per_row = _gives_each(trial, c, probe)
    return replace(c, probabilities="scores" if of_scores else "own", per_row=per_row)


def loss_of_each(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """A loss of scores that is one per row, with the gradient of each."""
    return c if c.probabilities or not _gives_each(trial, c, probe) else replace(c, per_row=True)


def _gives_each(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether there is a loss of each row, and a gradient that stays what it is with twice the rows."""
    if not (c.mean and c.backward) or one_at_a_time(c.rows):
        return False
    e = np.exp(probe.inputs["x"])
    once = replace(probe, inputs={**probe.inputs, "x": e / e.sum(axis=1, keepdims=True)})
    twice = replace(once, inputs={name: np.concatenate([a, a]) for name, a in once.inputs.items()})
    found, more = (trial.attempt(c, one) for one in (once, twice))
    path = [list(step) for step in c.out.path]
    shapes = [entry["shape"] for entry in found.get("forward", ()) if entry["path"] == path]
    dx = c.dx or Place(((".", "back"),))
    here, there = (number_at(report, "backward", dx, "square") for report in (found, more))
    return bool(shapes and np.prod(shapes[0]) == len(e) and np.isclose(here, there))


def with_its_constant(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With the constant that a loss of probabilities adds in its logarithm, and whether its gradient does."""
    small = _inside_log(trial, c, probe) if c.probabilities not in ("", "logs") else 0.0
    if not small:
        return c
    classes = probe.inputs["x"].shape[1]
    slope = _slope(trial, c, probe, _with_first(probe, small)) * classes  # -1 / small, or half as much
    slope *= classes if c.per_class else 1
    alone = c.probabilities == "scores" or bool(np.isclose(-small * slope, 1, rtol=0.1))
    return replace(c, inside_log=small, log_alone=alone)


def _slope(trial: Trial, c: Convention, probe: Probe, x: Any) -> float:
    """The mean of the gradient, for labels that are all the first class."""
    return dx_at(trial, c, _of_first_class(probe, x))


def _of_first_class(probe: Probe, x: Any) -> Probe:
    t = np.zeros(len(x), int)
    labels = np.eye(x.shape[1])[t] if probe.inputs["t"].ndim > 1 else t
    return replace(probe, inputs={**probe.inputs, "x": x, "t": labels})


def _inside_log(trial: Trial, c: Convention, probe: Probe) -> float:
    """The constant that is added to probabilities: what -log gives at 0, unless it cuts them off there."""
    share = probe.inputs["x"].shape[1] if c.per_class else 1
    at_zero = out_at(trial, c, _of_first_class(probe, _with_first(probe, 0.0))) * share
    small = float(np.exp(-at_zero)) if np.isfinite(at_zero) else 0.0
    if not 0 < small < 1e-4:
        return 0.0
    above = out_at(trial, c, _of_first_class(probe, _with_first(probe, small))) * share
    return small if abs(above - (at_zero - np.log(2))) < 0.01 else 0.0
