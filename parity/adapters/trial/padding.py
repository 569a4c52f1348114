"""Padding as a word: which parameter takes it, and what 'same' means at strides above 1."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters.convention import Convention
from parity.adapters.layouts import batch_shape
from parity.adapters.meanings import PADS, STRINGS, WORDED
from parity.adapters.options import ANY
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


# (window, stride, (H, W)) of images that tell 'same' from no padding, ceil_mode and a pad of k // 2.
ALWAYS = ((3, 2, (7, 11)), (4, 2, (8, 12)), (2, 2, (7, 11)), (2, 1, (6, 9)))


def always_same(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """A pooling that nothing asks for padding, with 'same' where the sizes of its outputs are that alone.

    They are ceil(H / stride) at every size; no padding, ceil_mode, and a pad of k // 2 or of (k - 1) // 2 on
    both sides give another one at some. Where the stride is the window, ceil_mode gives the same: then two
    pixels of 7 have to share the first window of 3, and two the last.
    """
    fixed = c.limits.get("stride")
    asked = c.given & {*PADS, "book", ANY, *STRINGS}
    if trial.kind not in WORDED or asked or c.padding or "sizes" in c.limits or fixed == 3:
        return c  # at a stride of 3 they tell nothing of ceil_mode
    images = [
        (window, window if fixed == "window" else fixed or stride, size) for window, stride, size in ALWAYS
    ]
    N, C = probe.inputs["x"].shape[:2]
    for window, stride, size in dict.fromkeys(images):
        if not _keeps(trial, c, _pooled(probe, np.ones((N, C, *size)), window, stride)):
            return c
    same = replace(c, limits={**c.limits, "pad": SAME})
    if fixed != "window":
        return same
    sign = -1 if trial.kind == "min_pooling" else 1
    for own, other in ((0, 2), (6, 4)):
        x = np.zeros((N, C, 7, 7))
        x[:, :, own, own], x[:, :, other, other] = 2 * sign, sign
        # of 4 pixels and of 9; as maxima they are both seen
        apart = 2 / 4 + 1 / 9 if trial.kind == "average_pooling" else 3 * sign
        if not np.isclose(out_at(trial, c, _pooled(probe, x, 3, 3)) * 9, apart):
            return c
    return same


def _pooled(probe: Probe, x: NDArray[np.float64], window: int, stride: int) -> Probe:
    args = {**probe.args, "pool_h": window, "pool_w": window, "stride": stride}
    return as_same(replace(probe, args=args, inputs={"x": x}))


def _keeps(trial: Trial, c: Convention, asked: Probe) -> bool:
    """Whether its output is as large as that of 'same'."""
    report = trial.attempt(replace(c, backward=""), asked)
    shape, path = batch_shape(asked.inputs["dout"].shape, c.images_out), [list(step) for step in c.out.path]
    outs = [tuple(e["shape"]) for e in report.get("forward", ()) if e["path"] == path]
    return shape is not None and shape in outs


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


def without_same(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With 'valid' alone, where neither its code nor a default has the word 'same', and the result of a 3x3
    window has the shape of 'valid' for it."""
    params = [*(trial.about["signature"] or ()), *(trial.about["methods"].get(c.forward) or ())]
    defaults = [p["default"].strip("'\"").lower() for p in params if p is not None]
    if c.padding != "words" or SAME in (*trial.about["pads"], *defaults):
        return c
    N, C = probe.inputs["x"].shape[:2]
    args: dict[str, Any] = {"stride": 1}
    args |= {"pool_h": 3, "pool_w": 3} if trial.kind != "convolution" else {}
    args |= {"W": np.resize(probe.args["W"], (*probe.args["W"].shape[:2], 3, 3))} if "W" in probe.args else {}
    asked = replace(probe, args={**probe.args, **args}, inputs={"x": np.ones((N, C, 8, 9))})
    report = trial.attempt(replace(c, backward="", limits={}), as_same(asked))
    path = [list(step) for step in c.out.path]
    unpadded = with_cotangent(replace(asked, args={**asked.args, "pad": 0}), 0)
    shape = batch_shape(unpadded.inputs["dout"].shape, c.images_out)
    ignored = any(e["path"] == path and tuple(e["shape"]) == shape for e in report.get("forward", ()))
    return replace(c, limits={**c.limits, "pad": "valid"}) if ignored else c
