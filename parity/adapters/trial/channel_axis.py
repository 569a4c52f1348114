"""The axis of the channels where shapes do not show it: batch normalization and response normalization."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention
from parity.adapters.layouts import (
    batch_shape,
    shape_in,
)
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.probes import trial_probes
from parity.adapters.trial.results import out_at, results_of
from parity.kinds.probe import Probe


def images_too(trial: Trial, c: Convention) -> Convention:
    """The layout of images, where rows have said all the rest; none where it is for rows, as BatchNorm1d."""
    if plain(trial.about["name"]).endswith("1d"):
        return replace(c, limits={**c.limits, "rows_only": True})
    images = next(p for p, _ in trial_probes(trial.kind) if p.inputs["x"].ndim == 4)
    own = trial.attempt(replace(c, lazy=True, forward="", backward=""), images).get("built", ())
    gamma = c.stored.get("gamma", [None])[0]
    shapes = [e["shape"] for e in own if gamma and e["path"] == [list(step) for step in gamma.path]]
    if gamma and shapes and shapes[0] != list(shape_in((4,), "O", gamma.layout) or ()):
        return replace(c, limits={**c.limits, "rows_only": True})
    for layout in ("NCHW", "NHWC"):
        tried = replace(c, images=layout, images_out=layout)
        report = trial.attempt(replace(tried, backward=""), images)
        shape = list(batch_shape(images.inputs["dout"].shape, layout) or ())
        if not any(e["shape"] == shape for e in (results_of(report) if "forward" in report else ())):
            continue
        if not _per_channel(c, report) or _broadcasts_alone(trial, tried, images):
            return replace(c, limits={**c.limits, "rows_only": True})
        return tried
    return c


def _per_channel(c: Convention, report: dict[str, Any]) -> bool:
    """Whether it left one running number per channel of its images."""
    shapes = {repr(e["path"]): e["shape"] for e in report["forward"]}
    places = [found[0] for found in c.buffers.values() if found]
    here = [shapes.get(repr([list(step) for step in place.path])) for place in places]
    return here == [list(shape_in((4,), "O", place.layout) or (4,)) for place in places]


def _broadcasts_alone(trial: Trial, c: Convention, images: Probe) -> bool:
    """Whether images are nothing to it but rows with more axes: without running statistics, gamma fits their
    last axis, and equal images give the same result whatever is in them.

    Where it speaks of channels, by their axis or by what it keeps of them, that is a bug.
    """
    if c.images != "NHWC" or any(c.buffers.values()):
        return False
    sums = []
    for image in (np.arange(60.0), np.arange(60.0) ** 2 % 7):
        x = np.broadcast_to(image.reshape(4, 3, 5), (6, 4, 3, 5)).copy()
        sums.append(out_at(trial, c, replace(images, inputs={**images.inputs, "x": x}), "sum"))
    return sums[0] == sums[1]


BY_AXIS = {"NCHW": ("CHWN", "NCHW", "", "NHWC"), "CHW": ("CHW", "", "HWC")}


def by_neighbours(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """The layout in which only neighbouring channels act on each other; without such an axis it stays.

    Two numbers among zeros give less together than alone where one is in the other's window.
    """
    x, letters = probe.inputs["x"], BY_AXIS[c.images]

    def mean(*places: tuple[int, ...]) -> float:
        sparse = np.zeros_like(x)
        for place in places:
            sparse[(0, *place)[-4:]] = 2.0
        return out_at(trial, c, replace(probe, inputs={**probe.inputs, "x": sparse}))

    first = (0,) * len(letters)
    alone, acts = mean(first), []
    for axis in range(len(letters)):
        beside = tuple(int(i == axis) for i in range(len(letters)))
        acts.append(not np.isclose(mean(first, beside), alone + mean(beside), rtol=1e-6))
    layout = letters[acts.index(True)] if acts.count(True) == 1 else ""
    return replace(c, images=layout, images_out=layout) if layout else c
