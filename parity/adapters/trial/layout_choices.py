"""The layouts in which inputs and weights may be handed over, the usual ones first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.layouts import (
    BATCHES,
    NUMBER,
    ONE_EACH,
    STORED,
    WEIGHTS,
    one_at_a_time,
    shape_in,
)
from parity.adapters.recipe import is_reduced
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.probes import WINDOWS
from parity.kinds import ELEMENTWISE
from parity.kinds.probe import Probe


def laid_out(c: Convention, probe: Probe, trial: Trial) -> Iterator[Convention]:
    """The layouts of what goes in, the usual ones first; weights that are handed over too."""
    x = probe.inputs["x"]
    batches: tuple[str, ...] = BATCHES.get(x.ndim, ("",))
    if is_reduced(trial.kind) or trial.kind in (
        *ELEMENTWISE,
        "softmax",
        "softmax_axis",
        "softmax_with_loss",
        "dropout",
        "lrn",
    ):
        # No shape decides, or there is nothing to decide, but that backward takes a row alone and no more.
        alone: tuple[str, ...] = ("F1", "F", "1F") if trial.kind == "softmax" and x.ndim == 2 else ()
        alone = ("CHW",) if trial.kind == "lrn" else alone
        alone = ("F", "F1") if trial.how.role == "loss" else alone
        if trial.kind == "softmax_with_loss":
            alone = (*alone, "FN") if probe.inputs["t"].ndim == 1 else ("FN", *alone)
        alone = ("F", "F1", "1F", NUMBER) if is_reduced(trial.kind) else alone
        alone = (NUMBER,) if trial.kind in ELEMENTWISE and x.ndim == 2 else alone
        alone = ("F", *alone) if trial.kind in (*ELEMENTWISE, "dropout") and x.ndim == 2 else alone
        batches = (*batches[:1], *alone)
    if trial.kind == "flatten" and trial.about.get("images") == "NHWC":  # no shape shows it
        batches = ("NHWC", "HWC", *(layout for layout in batches if layout not in ("NHWC", "HWC")))
    if c.limits.get("labels") == "column":
        batches = batches[:1]
    if (
        trial.kind in WINDOWS and x.shape[1] == 1
    ):  # a maximum over an axis of one channel is that of the image
        batches = ("HW", *(layout for layout in batches if layout != "HW"))
    thin = is_reduced(trial.kind) and x.shape[1] == 1
    batches = (ONE_EACH, *batches[:1]) if thin else batches
    if trial.kind == "batch_norm":  # the statistics are those of a batch
        batches = tuple(layout for layout in batches if not one_at_a_time(layout))
    choices = [[(name, layout) for layout in _handed(name, probe, c)] for name in c.passed]
    for weights in itertools.product(*choices) if choices else [()]:
        grey = dict(weights).get("W") == "HW"
        for layout in ("HW",) if grey else batches:
            if ("W", OTHER_FILTER.get(layout.removeprefix("N"))) in weights:
                continue  # a filter is multiplied with a part of the image
            if x.ndim == 4:
                yield replace(c, passed=dict(weights), images=layout)
            elif x.ndim == 2:
                yield replace(c, passed=dict(weights), rows=layout)
                if (
                    layout == "NF"
                    and trial.how.role == "loss"
                    and probe.inputs["t"].shape == x.shape
                    and not thin
                ):
                    turned = {**c.limits, "rows_of_targets": True}  # what they say of a batch that failed
                    yield replace(c, rows="FN", rows_out="FN", limits=turned)
                if thin and layout != ONE_EACH:  # labels alone
                    yield replace(c, rows=layout, limits={**c.limits, "flat_labels": True})
            else:
                yield replace(c, passed=dict(weights))


OTHER_FILTER = {"HWC": "IHW", "CHW": "HWI"}  # one filter that has its channels elsewhere than the image


def _has_one_filter(probe: Probe) -> bool:
    """Whether it is one filter of several channels."""
    weights = probe.args.get("W")
    return isinstance(weights, np.ndarray) and weights.ndim == 4 and weights.shape[0] == 1 < weights.shape[1]


def _handed(name: str, probe: Probe, c: Convention) -> tuple[str, ...]:
    """The layouts in which a weight may be handed over."""
    shape = probe.args[name].shape
    if _has_one_filter(probe):
        return ("IHW", "HWI") if len(shape) == 4 else (NUMBER, "O")
    if len(shape) == 1:
        return ("O", "111O", "O1", "1O", "1O11", "O11", "11O")[: 7 if c.constructor is None else 4]
    if len(shape) == 4 and shape[:2] == (1, 1):
        return ("HW",)  # one filter on grey images: nothing else shows it
    letters = WEIGHTS[len(shape)]
    return tuple(layout for layout in STORED[len(shape)] if shape_in(shape, letters, layout) is not None)
