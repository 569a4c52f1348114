"""Losses that take one sample: its scores, or probabilities, and its label.

That a batch does not go through shows it; so does a softmax that is taken over all rows together while
nothing is divided by their number, which no loss of a batch does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.results import out_at
from parity.kinds.probe import Array, Probe


def of_one_sample(trial: Trial, c: Convention, probe: Probe) -> Convention | None:
    """The convention where a label is used as one: a number is an index, and not a factor."""
    numbers = _by_number(trial, c, probe)
    if probe.inputs["t"].ndim == 1:
        return c if numbers else None
    return c if numbers else replace(c, limits={**c.limits, "labels": "one_hot"})


def _by_number(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether all numbers of classes cost the same where all classes are equally likely, and not nothing."""
    losses = _losses_of_numbers(trial, c, probe)
    same = bool(losses[0] != 0 and np.allclose(losses, losses[0]))  # NaN where it raised
    return same and not ignores_numbers(trial, c, probe)


def ignores_numbers(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether all numbers of classes cost the same where the classes are not equally likely: t.argmax(axis=0)
    is 0 for a single number, and one number for all rows."""
    N, classes = probe.inputs["x"].shape
    apart = np.tile(np.arange(1.0, classes + 1) / classes**2, (N, 1))
    losses = _losses_of_numbers(trial, c, probe, apart)
    return bool(np.allclose(losses, losses[0]))


def are_factors(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether numbers of classes are multiplied with: twice the number costs twice as much."""
    losses = _losses_of_numbers(trial, c, probe)
    return bool(losses[1] and np.allclose(losses, losses[1] * np.arange(len(losses))))


def _losses_of_numbers(trial: Trial, c: Convention, probe: Probe, x: Array | None = None) -> list[float]:
    """The losses of each class as the label of every row, where all classes are equally likely, or of x."""
    N, classes = probe.inputs["x"].shape
    x = np.full((N, classes), 1 / classes) if x is None else x
    labels = [np.full(N, label) for label in range(classes)]
    return [out_at(trial, c, replace(probe, inputs={**probe.inputs, "x": x, "t": t})) for t in labels]


def refuses_numbers(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With one-hot labels alone, where a loss that takes them raises for numbers of classes or has no use for
    them."""
    if probe.inputs["t"].ndim == 1 or c.limits.get("labels"):
        return c
    numbers = replace(probe, inputs={**probe.inputs, "t": probe.inputs["t"].argmax(axis=1)})
    raised = "forward" not in trial.attempt(replace(c, backward=""), numbers)
    refused = raised or are_factors(trial, c, probe) or ignores_numbers(trial, c, probe)
    return replace(c, limits={**c.limits, "labels": "one_hot"}) if refused else c


def other_rows(trial: Trial, c: Convention, probe: Probe) -> Iterator[Convention]:
    """Readings of a loss that took a batch as one sample: nothing but a softmax over the whole shows it."""
    N, classes = probe.inputs["x"].shape
    hot = np.eye(classes)[np.zeros(N, int)]
    if c.rows == "NF" and probe.inputs["t"].ndim == 1:
        if _reads_one_column(trial, c, probe):
            yield replace(c, rows="F1", mean=False, backward="", limits={**c.limits, "one_vector": True})
        return
    if c.rows != "NF" or c.mean:
        return
    inputs = {**probe.inputs, "x": np.zeros((N, classes)), "t": hot}
    if np.isclose(out_at(trial, c, replace(probe, inputs=inputs)), N * np.log(N * classes)):
        for layout in ("F", "F1"):
            yield replace(c, rows=layout, backward="", limits={**c.limits, "one_vector": True})


def _reads_one_column(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether a loss of the second class goes by the first column of what it is given, and by no other."""
    N, classes = probe.inputs["x"].shape
    x = np.full((N, classes), 1 / classes)
    inputs = {**probe.inputs, "x": x, "t": np.ones(N, int)}
    changed = [np.where(np.arange(classes) == column, x / 2, x) for column in range(classes)]
    first, *others = (out_at(trial, c, replace(probe, inputs={**inputs, "x": a})) for a in changed)
    usual = out_at(trial, c, replace(probe, inputs=inputs))
    return bool(first != usual and all(other == usual for other in others))  # NaN where it raised
