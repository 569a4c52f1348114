"""Padding as a word: which parameter takes it, and what 'same' means at strides above 1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.layouts import batch_shape
from parity.adapters.meanings import STRINGS, WORDED
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.probes import as_same
from parity.adapters.trial.results import out_at
from parity.kinds.probe import Probe
from parity.kinds.probes import with_cotangent
from parity.kinds.same_padding import SAME


def by_word(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With padding as a word where a number has no effect on the shape and the word has."""
    required = {p["name"] for p in trial.about["signature"] or () if p["required"]}
    numbers = [n for n, m in c.constructor or () if m in ("pad", "(PH,PW)") and n in required]
    if not numbers:
        return c
    padded = as_same(probe, stride=1)
    for words in ("", *STRINGS):
        pairs = tuple((n, words if n in numbers and words else m) for n, m in c.constructor or ())
        given = padded if words else with_cotangent(replace(padded, args={**padded.args, "pad": 1}), 0)
        tried = replace(c, constructor=pairs, backward="")
        report, shape = trial.attempt(tried, given), batch_shape(given.inputs["dout"].shape, c.images_out)
        outs = [e["shape"] for e in report.get("forward", ()) if e["path"] == [list(s) for s in c.out.path]]
        if shape is not None and list(shape) in outs:
            return replace(c, constructor=pairs)
    return c


EVEN = {-1: "(k - 1) // 2", 1: "k // 2"}  # by what the image grows: the pad on both sides of an even window


def even_windows(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With the pad that it gives on both sides for an even window under 'same', which shows in the shape.

    No such pad keeps the size of the image, as PyTorch's and TensorFlow's 'same' does by a pad on one side.
    """
    if c.padding not in ("words", "same") or trial.kind not in WORDED:
        return c
    N, C = probe.inputs["x"].shape[:2]
    args = {"stride": 1, "pool_h": 2, "pool_w": 2} if trial.kind != "convolution" else {"stride": 1}
    args |= {"W": probe.args["W"][:, :, :2, :2]} if trial.kind == "convolution" else {}
    images = {"x": np.ones((N, C, 5, 6))}
    asked = as_same(replace(probe, args={**probe.args, **args, "pad": SAME}, inputs=images))
    report = trial.attempt(replace(c, backward="", limits={}), asked)
    path = [list(step) for step in c.out.path]
    shapes = [tuple(e["shape"]) for e in report.get("forward", ()) if e["path"] == path]
    dout = asked.inputs["dout"].shape
    for by, pad in EVEN.items():
        if batch_shape((*dout[:2], dout[2] + by, dout[3] + by), c.images_out) in shapes:
            return replace(c, limits={**c.limits, "same_even": pad})
    return c


def every_stride(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With the 'same' that pads (k - 1) / 2 at every stride, where that is what it means by the word.

    Windows of 3x3 at a stride of 3 cover an image of 6x6 without padding, which is TensorFlow's. With a row
    and a column all around they see the first pixel, and never the last. That is all that is looked at.
    """
    if c.padding not in ("words", "same") or trial.kind not in ("convolution", "max_pooling", "min_pooling"):
        return c
    C = probe.inputs["x"].shape[1]
    x, sign = np.zeros((2, C, 6, 6)), -1 if trial.kind == "min_pooling" else 1
    x[:, :, 0, 0], x[:, :, -1, -1] = 2 * sign, sign
    args = {"pad": SAME, "stride": 3}
    if trial.kind == "convolution":
        FN = probe.args["W"].shape[0]
        args |= {"W": np.ones((FN, C, 3, 3)), "b": np.zeros(FN)}
    else:
        args |= {"pool_h": 3, "pool_w": 3}
    asked = as_same(replace(probe, args={**probe.args, **args}, inputs={"x": x}))
    first = (C if trial.kind == "convolution" else 1) * x[0, 0, 0, 0] / 4  # over 2x2 numbers
    if np.isclose(out_at(trial, replace(c, limits={}), asked), first):
        return replace(c, limits={**c.limits, "same": "every stride"})
    return c
