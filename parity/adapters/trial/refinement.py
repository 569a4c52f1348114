"""What else it takes, after a forward and a backward fit: windows of two sizes, its own stride and eps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.convention import EPS, Convention
from parity.adapters.layouts import (
    batch_shape,
)
from parity.adapters.members import is_derivative
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.channel_axis import by_neighbours, images_too
from parity.adapters.trial.columns_of_file import as_in_its_file
from parity.adapters.trial.flat_order import in_its_order
from parity.adapters.trial.layer_norm import of_its_axes
from parity.adapters.trial.options_read import as_options_are_read
from parity.adapters.trial.own_constants import own_constant
from parity.adapters.trial.own_momentum import own_momentum
from parity.adapters.trial.padding import always_same, by_word, even_windows, every_stride, without_same
from parity.adapters.trial.probes import WINDOWS, as_same, trial_probes
from parity.adapters.trial.results import dx_at, out_at
from parity.adapters.trial.scale import LAYER_NORM
from parity.kinds.followed import LAYERS
from parity.kinds.probe import Probe
from parity.kinds.probes import with_cotangent


def refined(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """Whether the window may be given as two numbers; limits that the signature shows."""
    used = replace(c, forward_args=()).given
    c = own_constant(trial, c, probe)
    if trial.kind in LAYERS:
        asking = [name for name in trial.about["softmax_in"] if name == c.backward or is_derivative(name)]
        c = replace(c, softmax_apart=bool(asking))
    if trial.kind == "batch_norm":
        c = own_momentum(trial, _statistics(trial, _own_eps(trial, c, probe), probe), probe)
        if probe.inputs["x"].ndim == 2:
            return images_too(trial, c)
        return replace(c, limits={**c.limits, "images_only": True})  # rows were tried first
    if trial.kind == LAYER_NORM:
        return of_its_axes(trial, _own_eps(trial, c, probe), probe)
    if trial.kind == "softmax" and c.rows == "NF" and (not c.backward or c.constructor is None):
        return (_in_columns if c.backward else _of_one_vector)(trial, c, probe)
    if trial.kind == "softmax" and c.rows == "NF":
        return as_in_its_file(trial, c, probe)
    if trial.kind == "softmax" and c.rows == "F1" and c.backward:
        return _of_a_flat_vector(trial, c, probe)
    if trial.kind == "affine" and c.rows == "FN":
        return replace(c, limits={**c.limits, "rows_only": True})  # an image is no column of a batch of them
    if trial.kind == "lrn":
        return by_neighbours(trial, c, probe)
    if trial.kind == "flatten":
        return in_its_order(trial, c, probe)
    if trial.kind not in ("convolution", *WINDOWS):
        return c
    window = {
        "kernel",
        "(FH,FW)",
        "FH",
        "FW",
        "(FN,C,FH,FW)",
        "W",
        "book",
        "pool_h",
        "pool_w",
        "kernel|(FH,FW)",
    }
    own = {meaning for _, meaning in c.forward_args} if c.constructor is None else set()  # of a function
    grouped = any(meaning.startswith(("{", "(FH")) for meaning in own)
    given = used & window or own & window or grouped or "W" in c.passed
    c = without_same(trial, by_word(trial, c, probe), probe)
    c = even_windows(trial, every_stride(trial, c, probe), probe)
    limits = dict(c.limits)
    if not given:
        sizes = dict(zip(("FH", "FW"), _window(probe), strict=True))
        limits["sizes"] = {**limits.get("sizes", {}), **sizes}
    asked = used if c.constructor is not None else c.given
    options = c.constructor is None and any(meaning.startswith("{") for meaning in asked)
    if not options and not {"stride", "stride_h", "(SH,SW)", "book"} & asked:
        limits |= _own_stride(trial, c, probe)
    if "(SH,SW)" in used and "pad" in used and _refuses_two_pads(trial, c, probe):
        limits["one_pad"] = True
    c = as_options_are_read(trial, replace(c, limits=limits), probe)
    if trial.kind != "convolution" and (always := always_same(trial, c, probe)) != c:
        c = every_stride(trial, always, probe)
    if "kernel" in used:
        pairs = tuple((n, "kernel|(FH,FW)" if m == "kernel" else m) for n, m in c.constructor or ())
        oblong = next(p for p, _ in trial_probes(trial.kind, oblong=True))
        oblong = _of_its_channels(c, oblong)
        oblong = as_same(oblong) if c.padding in ("same", "fixed") else oblong
        report = trial.attempt(replace(c, constructor=pairs, backward=""), oblong)
        refused = (
            report["error"].startswith(("TypeError", "NotImplementedError")) or ": raise)" in report["error"]
        )
        if "forward" in report or not (report["at"] == "build" or refused or ": assert)" in report["error"]):
            return replace(c, constructor=pairs)
    return c


def _refuses_two_pads(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether a pad of two numbers raises a TypeError before any number, where a stride is always two."""
    asked = replace(probe, args={**probe.args, "pad": (1, 1)})
    report = trial.attempt(replace(c, backward=""), asked)
    return "forward" not in report and str(report["error"]).startswith("TypeError")


def _own_eps(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With the attribute in which it keeps an eps of its own, which is then given PyTorch's."""
    if c.as_in_the_book or "eps" in {meaning for _, meaning in c.constructor or ()}:
        return c
    found = trial.attempt(replace(c, forward="", backward=""), probe).get("eps", ())
    return replace(c, eps=(found[0], f"{found[1]:g}")) if found and found[1] != EPS else c


def _statistics(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With the layout of the running statistics that a function is handed: the first that it can use."""
    names = [meaning for _, meaning in c.forward_args if meaning in trial.how.buffers]
    if c.constructor is not None or not names:
        return c
    infers = replace(probe, args={**probe.args, "training": False})
    for layout in ("O", "1O11", "1O"):
        handed = replace(c, passed={**c.passed, **dict.fromkeys(names, layout)})
        if not np.isnan(out_at(trial, handed, infers)):
            return c if layout == "O" else handed
    return c


def _of_one_vector(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """A softmax without backward that sums over all that it gets, or down a column, is for one vector.

    Whether rows, columns or everything adds up to 1 is all that is looked at.
    """
    N, classes = probe.inputs["x"].shape
    mean = out_at(trial, c, probe)
    if not np.isclose(mean, [1 / (N * classes), 1 / N]).any():
        return c
    one = replace(c, rows="F", rows_out="F", limits={**c.limits, "one_vector": True})
    return c if trial.attempt(one, probe)["error"] else one


def _of_a_flat_vector(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """A softmax of one vector takes it as (n,) where its dx adds up to 0 then, and as (n, 1) it does not.

    np.diag(y) is a matrix of the one and a single number of the other. Nothing else is looked at.
    """
    one = replace(probe, inputs={name: a[:1] for name, a in probe.inputs.items()})
    flat = replace(c, rows="F", rows_out="F")
    column, row = abs(dx_at(trial, c, one)), abs(dx_at(trial, flat, one))
    return flat if row < 1e-12 < column else c


def _in_columns(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """A pair of functions whose softmax adds up to 1 down each column takes samples as columns."""
    N = len(probe.inputs["x"])
    return replace(c, rows="FN", rows_out="FN") if np.isclose(out_at(trial, c, probe), 1 / N) else c


def _window(probe: Probe) -> tuple[int, int]:
    if "pool_h" in probe.args:
        return probe.args["pool_h"], probe.args["pool_w"]
    FH, FW = probe.args["W"].shape[2:]
    return FH, FW


def _of_its_channels(c: Convention, probe: Probe) -> Probe:
    """The probe of a pooling with one channel, where no more are taken."""
    if c.limits.get("sizes", {}).get("C") != 1 or "pool_h" not in probe.args:
        return probe
    return with_cotangent(replace(probe, inputs={"x": probe.inputs["x"][:, :1]}), 0)


def _own_stride(trial: Trial, c: Convention, probe: Probe) -> dict[str, Any]:
    """A stride that is not asked for is the window, or a number."""
    stride = probe.args.get("stride", 1)
    if trial.kind == "convolution" or stride == 1:
        return {} if stride == 1 else {"stride": stride}
    for other, _ in trial_probes(trial.kind, window=3):
        other = _of_its_channels(c, other)
        other = as_same(other) if c.padding in ("same", "fixed") else other
        report = trial.attempt(replace(c, backward=""), other)
        shape = batch_shape(other.inputs["dout"].shape, c.images_out)
        outs = [e for e in report.get("forward", ()) if e["path"] == [list(s) for s in c.out.path]]
        if outs and shape is not None and tuple(outs[0]["shape"]) == shape:
            return {"stride": "window"}
    return {"stride": stride}
