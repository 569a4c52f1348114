"""Where a dropout layer keeps its mask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.adapters.convention import Convention, Place
from parity.adapters.gradients import place_of
from parity.adapters.layouts import batch_shape
from parity.adapters.reach import is_mask
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.results import number_at
from parity.kinds.probe import Probe

SHAPE = (60, 80)  # the shares of zeros of two masks then differ


def mask_of(trial: Trial, c: Convention, probe: Probe) -> Place | None:
    """Where a dropout layer keeps its mask: an array of x's shape that is named for it, or that is one.

    For an x of ones the output is the mask, scaled or not, and so is nothing else but an array that has its
    mean, or that mean times the share that is kept. Where none is kept, the output is all that shows it.
    """
    ones = np.ones_like(probe.inputs["x"])
    shape = batch_shape(ones.shape, c.x_layouts.get(ones.ndim, ""))
    report = trial.attempt(replace(c, backward=""), replace(probe, inputs={**probe.inputs, "x": ones}))
    before = {repr(e["path"]): e["sum"] for e in report.get("built", ())}
    fitting = [
        entry
        for entry in report.get("forward", ())
        if shape is not None
        and entry["shape"] == list(shape)
        and entry["path"][0][1] in ("object", "out")
        and before.get(repr(entry["path"])) != entry["sum"]
    ]
    named = [e for e in fitting if is_mask(str(e["path"][-1][1]))]
    out = [list(step) for step in c.out.path]
    means = [e["value"] for e in fitting if e["path"] == out]
    if named or not means or means[0] == 1:
        return place_of(named[0]) if named else None
    keep = 1 - probe.args["dropout_ratio"]
    alike = [
        e
        for e in fitting
        if e["path"] != out
        and e["value"] != 1
        and np.isclose(e["value"], means[0] * np.array([1, keep])).any()
    ]
    return place_of(alike[0]) if alike else c.out


def marks_the_dropped(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether the mask is true where a number is dropped: it is 0 where the output of ones is not, and is not
    where that is.

    Only of a layer that drops about as many as it is asked to: one that drops what its mask keeps does not.
    """
    if c.mask is None or c.mask == c.out:
        return False
    ones = replace(probe, inputs={"x": np.ones(SHAPE), "dout": np.ones(SHAPE)})
    report = trial.attempt(replace(c, backward=""), ones)
    dropped, unmarked = (number_at(report, "forward", place, "zeros") for place in (c.out, c.mask))
    ratio = probe.args["dropout_ratio"]
    return dropped + unmarked == 1 and abs(dropped - ratio) < abs(dropped - (1 - ratio))
