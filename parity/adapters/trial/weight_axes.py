"""Which axis of a kernel is that of the channels, where all three are of one size: (FN, 3, 3, 3)."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.layouts import STORED, shape_in, tokens
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.results import out_at
from parity.kinds.probe import Probe


def by_its_channels(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With the layout whose first channel meets that of an image; where none or each does, with that in which
    the channels lie as those of the images do.

    The image is 1 in its first channel and 0 elsewhere, without a bias: the result is the sum of each kernel
    over one axis. Nothing else is looked at.
    """
    places, W = c.stored.get("W", ()), probe.args.get("W")
    if trial.kind != "convolution" or not places or W is None or len({*W.shape[1:]}) != 1 or W.shape[1] == 1:
        return c
    shape = shape_in(W.shape, "OIHW", places[0].layout)
    full = [layout for layout in STORED[4] if sorted(tokens(layout)) == ["H", "I", "O", "W"]]
    ways = [
        replace(c, stored={**c.stored, "W": [replace(place, layout=layout) for place in places]})
        for layout in full
        if shape_in(W.shape, "OIHW", layout) == shape
    ]
    x = np.zeros_like(probe.inputs["x"])
    x[:, 0] = 1
    args = {**probe.args, **({} if probe.args.get("b") is None else {"b": np.zeros_like(probe.args["b"])})}
    asked = replace(probe, args=args, inputs={**probe.inputs, "x": x})
    wanted = float(W[:, 0].sum(axis=(1, 2)).mean())
    meeting = [way for way in ways if math.isclose(out_at(trial, way, asked), wanted, rel_tol=1e-6)]
    if len(meeting) == 1:
        return meeting[0]
    last = c.images.endswith("C")
    alike = [way for way in ways if _channels_last(way.stored["W"][0].layout) == last]
    return (alike or [c])[0]


def _channels_last(layout: str) -> bool:
    return layout.replace("O", "").endswith("I")
