"""Code that takes rows of one number of classes alone, since its source has that number: `np.eye(10)[y]`.

It is called with rows of so many numbers where it does not go, or has not read every number, with others.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.convention import Convention, Place
from parity.adapters.conventions import NotCallable
from parity.adapters.layouts import one_at_a_time, shape_in
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.probes import OF_CLASSES, probes_of_classes
from parity.adapters.trial.results import number_at, out_at
from parity.adapters.trial.search import find
from parity.kinds.probe import Probe

OTHERS = (5, 7, 11)  # numbers of classes, of which one is in no source
Ask = Callable[[Convention, Probe], dict[str, Any]]


def find_for_its_classes(
    ask: Ask, about: dict[str, Any], kind: str, fits: bool, in_columns: Callable[[], str | None]
) -> Convention | None:
    """`find`, with the number of classes that its source has where others do not go."""
    counts = about.get("class_counts", ()) if kind in OF_CLASSES else ()
    if not counts:
        return find(ask, about, kind, fits, in_columns)
    usual: Convention | None = None
    refused: NotCallable | None = None
    try:
        usual = find(ask, about, kind, fits, in_columns)
    except NotCallable as error:
        refused = error
    other = next(count for count in (*OTHERS, max(counts) + 1) if count not in counts)
    if usual is not None and _takes(Trial(ask, about, kind, fits), usual, other, min(counts)):
        return usual
    for count in counts:
        with suppress(NotCallable):
            own = find(ask, about, kind, fits, in_columns, count)
            if own is not None and _takes(Trial(ask, about, kind, fits), own, count, count):
                return replace(own, limits={**own.limits, "sizes": {"I": count}})
    if refused is not None:
        raise refused
    return usual


def _takes(trial: Trial, c: Convention, count: int, least: int) -> bool:
    """Whether it gives all of its results for rows of so many classes, and goes by the last of them if there
    are fewer in its source."""
    if "sizes" in c.limits:
        return True
    found = [probe for probe, limits in probes_of_classes(trial.kind, count) if not limits]
    if c.limits.get("labels") == "one_hot":
        found = [probe for probe in found if probe.inputs["t"].ndim == 2]
    return any(
        _gives_all(trial, c, probe) and (least >= count or _goes_by_last(trial, c, probe)) for probe in found
    )


def _gives_all(trial: Trial, c: Convention, probe: Probe) -> bool:
    probe = c.fitted(probe)
    report = trial.attempt(c, probe)
    if report["error"]:
        return False
    if c.dx is None and not c.backward:
        return True
    when, place = "backward" if c.backward else "forward", c.dx or Place(((".", "back"),))
    path = [list(step) for step in place.path]
    shapes = [e["shape"] for e in report.get(when, ()) if e["path"] == path and e["shape"] is not None]
    x = probe.inputs["x"]
    alone = one_at_a_time(c.rows)
    wanted = shape_in(x.shape[1:], "F", c.rows) if alone else shape_in(x.shape, "NF", c.rows)
    return any(tuple(shape) == wanted or (c.jacobian and x.shape[1] in shape) for shape in shapes)


def _goes_by_last(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether the last number of each row counts in its result."""
    x = np.abs(probe.inputs["x"]) + 0.1
    other = x * np.where(np.arange(x.shape[1]) == x.shape[1] - 1, 1.25, 1.0)
    inputs = dict(probe.inputs)
    if "t" in inputs and inputs["t"].ndim == 1:
        inputs["t"] = np.full_like(inputs["t"], x.shape[1] - 1)
    elif "t" in inputs and trial.kind == "softmax_with_loss":
        inputs["t"] = np.eye(x.shape[1])[np.full(len(x), x.shape[1] - 1)]
    if "loss" in c.unseen:
        place = c.dx or Place(((".", "back"),))
        here, there = (
            number_at(trial.attempt(c, replace(probe, inputs=inputs | {"x": a})), "backward", place)
            for a in (x, other)
        )
        return here != there
    what = "square" if trial.kind == "softmax" else "value"
    here, there = (out_at(trial, c, replace(probe, inputs=inputs | {"x": a}), what) for a in (x, other))
    return here != there
