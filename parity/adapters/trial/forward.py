"""Calling forward: which method, in which layout, and where its result is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.convention import Convention, Place
from parity.adapters.former_arrays import refused_at
from parity.adapters.gradients import place_of
from parity.adapters.layouts import (
    BATCHES,
    CHANNELS_LAST,
    KEEPS_AXES,
    batch_shape,
    one_at_a_time,
)
from parity.adapters.loss_arguments import output_by_logarithm
from parity.adapters.meanings import STRINGS
from parity.adapters.recipe import is_reduced
from parity.adapters.signatures import (
    forward_calls,
)
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.building import instances
from parity.adapters.trial.layout_choices import laid_out
from parity.adapters.trial.one_sample import are_factors, ignores_numbers, of_one_sample
from parity.adapters.trial.reductions import read_off
from parity.adapters.trial.results import out_at, results_of, returns_none
from parity.adapters.trial.scale import LAYER_NORM, limits_of_scale
from parity.adapters.trial.stretched import is_stretched
from parity.adapters.trial.weight_axes import by_its_channels
from parity.adapters.trial.weights import found_late, running_places
from parity.kinds import ELEMENTWISE
from parity.kinds.probe import Probe

OF_AN_ARRAY = (
    "truth value of an array|arrays can be converted to Python scalars|must be real number"  # it raises
)

OF_CLASSES = ("mean_squared_error", "mean_absolute_error")  # may take numbers of classes
AS_INDICES = (
    "must be of integer|as an integer|shape mismatch: indexing arrays|converted to Python scalars"
    r"|out of bounds for axis|broadcast together with shapes \(\d+,\d+\) \(\d+,\d+,\d+\)"  # np.eye(C)[t]
)


def forwards(trial: Trial, probe: Probe, limits: dict[str, Any]) -> Iterator[Convention]:
    """Conventions under which one forward gives a result of the right shape.

    Of those of a batch the ones come last that take samples as rows and give them as columns, or the other
    way: what turns its input by a `reshape` has the right shape there, too, and no sample is in one piece.
    """
    turned: list[Convention] = []
    for convention in _forwards(trial, probe, limits):
        if {convention.rows, convention.rows_out} == {"NF", "FN"} and probe.inputs["x"].ndim == 2:
            turned.append(convention)
            continue
        if one_at_a_time(convention.rows):
            yield from turned
            turned = []
        yield convention
    yield from turned


def _forwards(trial: Trial, probe: Probe, limits: dict[str, Any]) -> Iterator[Convention]:
    """As `forwards`, in the order in which they were tried."""
    for built in instances(trial, probe):
        for forward, args, tensor, parameter in forward_calls(trial.about, trial.kind, built):
            used = " ".join(meaning for _, meaning in args)
            passed, own = dict(built.passed), dict(built.limits)
            if built.constructor is None and "b" in passed and not re.search(r"\bb\b", used):
                del passed["b"]
                own["no_bias"] = True
            if built.constructor is None and trial.kind == LAYER_NORM:
                given = [name for name in passed if re.search(rf"\b{name}\b", used)]
                lacking = [name for name in passed if name not in given]
                passed, own = {n: passed[n] for n in given}, own | limits_of_scale(lacking)
            called = replace(
                built,
                passed=passed,
                forward=forward,
                forward_args=args,
                logged=output_by_logarithm(args, trial.about, forward.removeprefix("function ")),
                limits=_limits({**limits, **own}, built, args),
                tensor=tensor,
                parameter=parameter,
            )
            before, batch = len(trial.errors), False
            for laid in laid_out(called, probe, trial):
                if trial.kind == "softmax" and laid.rows == "1F" and not batch:
                    continue  # a sum over axis 1 that lost its axis goes through there
                if trial.kind == LAYER_NORM and trial.of_batches and one_at_a_time(laid.rows):
                    continue  # of one row nothing need be summed
                if laid.by_number and not _wants_one_number(trial.errors[before:]):
                    continue
                found = _first_forward(trial, laid, probe)
                batch = batch or (found is not None and laid.rows == "NF")
                trial.of_batches = trial.of_batches or (found is not None and not one_at_a_time(laid.rows))
                if found is None and is_reduced(trial.kind) and _wants_whole_labels(trial):
                    whole = replace(laid, limits={**laid.limits, "whole_labels": True})
                    found = one_forward(trial, whole, probe)
                if is_reduced(trial.kind) and (found is None or not found.reduction):
                    found = of_classes(trial, laid, probe, found) or found
                if found is not None and "rows_of_targets" in found.limits:
                    above = replace(
                        probe, inputs={**probe.inputs, "x": np.abs(probe.inputs["x"])}
                    )  # for a log
                    found = None if is_stretched(trial, found, above) else found
                if found is not None and not _is_stretched(found, probe):
                    yield by_its_channels(trial, found, probe)


def _first_forward(trial: Trial, c: Convention, probe: Probe) -> Convention | None:
    """One forward; once more with arrays of one number that are numbers, where NumPy refuses one."""
    before = len(trial.errors)
    found = one_forward(trial, c, probe)
    raised = trial.errors[before:]
    line = refused_at(raised[-1][1]) if found is None and raised and not c.tensor else ""
    return one_forward(trial, with_former(c, line), probe) if line else found


def with_former(c: Convention, line: str) -> Convention:
    """With arrays of one number that are numbers, since that line takes them for such."""
    return replace(c, limits={**c.limits, "former": line})


def _is_stretched(c: Convention, probe: Probe) -> bool:
    """Whether (N, 1) outputs against labels of another shape may have become (N, N): nothing reads that."""
    return is_reduced(c.kind) and probe.inputs["x"].shape[1] == 1 and c.rows == "NF" and not c.reduction


def _wants_one_number(errors: Sequence[tuple[str, str]]) -> bool:
    """Whether a call raised because it was handed an array where Python wants a number."""
    return any(re.search(OF_AN_ARRAY, error) for _, error in errors)


def _wants_whole_labels(trial: Trial) -> bool:
    """Whether the last call raised because labels, which are 0 or 1 in floating point, are its indices."""
    return bool(trial.errors) and "must be of integer" in trial.errors[-1][1]


def of_classes(trial: Trial, c: Convention, probe: Probe, usual: Convention | None) -> Convention | None:
    """A loss of outputs whose labels are indices, with the numbers of classes, where that gives its losses.

    That they are shows in what was raised, or in that nothing after their decimal point counts.
    """
    if trial.kind not in OF_CLASSES or c.rows != "NF" or c.limits or probe.inputs["x"].shape[1] == 1:
        return None
    raised = any(re.search(AS_INDICES, error) for _, error in trial.errors)
    if not raised and (usual is None or not _goes_by_whole_labels(trial, usual, probe)):
        return None
    found = one_forward(trial, replace(c, limits={"class_labels": True}), probe)
    return found if found is not None and found.reduction not in ("", "none") else None


def _goes_by_whole_labels(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether the loss is the same for labels that are cut to whole numbers."""
    whole = replace(probe, inputs={**probe.inputs, "t": np.trunc(probe.inputs["t"])})
    return out_at(trial, c, probe) == out_at(trial, c, whole)


def _limits(limits: dict[str, Any], built: Convention, args: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The limits of a probe; padding that nobody asked for is "fixed"."""
    asked = {meaning for _, meaning in [*(built.constructor or ()), *args]} & {*STRINGS}
    return {**limits, "pad": "fixed"} if "pad" in limits and not asked else limits


def one_forward(trial: Trial, c: Convention, probe: Probe) -> Convention | None:
    """The convention with the place and layout of its result, where one forward gives a right shape."""
    probe = c.fitted(probe)
    if batch_shape(probe.inputs["x"].shape, c.images if probe.inputs["x"].ndim == 4 else c.rows) is None:
        return None
    report = trial.attempt(replace(c, backward=""), probe)
    if "forward" not in report:
        return None
    if c.setup and not c.lazy and _made_anew(c, report):
        c = replace(c, lazy=True)
    if c.lazy:
        found = found_late(report["forward"], probe, c, trial)
        if found is None:
            return None
        c = found
        report = trial.attempt(replace(c, backward=""), probe)
        if "forward" not in report:
            return None
    if c.limits.get("no_bias") and c.constructor is not None and not _is_linear(trial, c, probe):
        return None
    if c.images == "NHWC":
        c = replace(
            c,
            stored={
                k: [replace(p, layout=CHANNELS_LAST.get(p.layout, p.layout)) for p in v]
                for k, v in c.stored.items()
            },
        )
    outs = results_of(report)
    if returns_none(report):
        trial.errors.append((str(c), "result: None"))
    if trial.how.role == "loss":
        found = _loss_of(c, outs, probe)
        if found is not None and is_reduced(c.kind):
            return read_off(trial, found, probe)
        numbers = c.rows == "FN" and probe.inputs["t"].ndim == 1  # they may be factors of columns
        column = c.limits.get("labels") == "column"
        apart = numbers or column or one_at_a_time(c.rows)
        if found is None:
            return None
        if apart:
            return of_one_sample(trial, found, probe)
        if probe.inputs["t"].ndim > 1:
            return found
        unread = are_factors(trial, found, probe) or ignores_numbers(trial, found, probe)
        return None if unread else found
    if not c.buffers and trial.how.buffers:
        c = replace(c, buffers=running_places(report["forward"], probe, trial))
    expected = tuple(probe.inputs["dout"].shape)
    x_layout = c.images if probe.inputs["x"].ndim == 4 else c.rows
    single = one_at_a_time(x_layout)
    same = [x_layout] if len(expected) == probe.inputs["x"].ndim else []
    kept = [KEEPS_AXES.get(c.images, "NF")] if c.kind == "global_average_pooling" else []
    for layout in dict.fromkeys([*same, *BATCHES.get(len(expected), ("",)), *kept]):
        if single != one_at_a_time(layout) and len(expected) in BATCHES:
            continue
        shape = batch_shape(expected, layout)
        for entry in outs:
            if shape is not None and tuple(entry["shape"]) == shape and len(entry["path"]) <= 4:
                if layout != x_layout and len(expected) == 4 and np.isnan(entry.get("value", 0.0)):
                    continue  # means over empty windows: the images lie otherwise
                if entry.get("list") and (trial.gives_lists or not single):
                    trial.gives_lists = True  # of a whole batch of arrays: that is no array
                    continue
                if c.rows == "F" and c.kind in (*ELEMENTWISE, "dropout"):
                    if not entry.get("list") and not _wants_one_number(trial.errors):
                        continue  # what makes an array of an array may take a batch
                    c = replace(c, limits={**c.limits, "rows_only": True})
                out = place_of(entry)
                if c.tensor and len(entry["path"]) == 1:
                    return None
                return _with_out(c, out, layout, len(expected))
    return None


def _is_linear(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether zeros give zeros: no bias is hidden where nothing was found of its shape."""
    zeros = {name: np.zeros_like(a) for name, a in probe.inputs.items()}
    report = trial.attempt(replace(c, backward=""), replace(probe, inputs=zeros))
    means = [e["value"] for e in results_of(report) if "value" in e] if "forward" in report else []
    if any(means):
        trial.errors.append((str(c), "weights: no array of the shape of b, and something is added"))
    return not any(means)


def _made_anew(c: Convention, report: dict[str, Any]) -> bool:
    """Whether forward made the weights once more, which were set after they had been made."""
    own = [[list(step) for step in places[0].path] for places in c.stored.values() if places]
    before, after = (
        {repr(e["path"]): e["sum"] for e in report[when] if e["path"] in own} for when in ("built", "forward")
    )
    return bool(before) and all(after.get(path) != sum for path, sum in before.items())


def _with_out(c: Convention, out: Place, layout: str, ndim: int) -> Convention:
    if ndim == 4:
        return replace(c, out=out, images_out=layout)
    if ndim == 2:
        images = "CHW" if c.rows == "F" else c.images  # what takes one row takes one image, if any
        return replace(c, out=out, rows_out=layout, images=images, images_out=images)
    return replace(c, out=out)


def _loss_of(c: Convention, outs: Sequence[dict[str, Any]], probe: Probe) -> Convention | None:
    """A loss is one number, or one per row, of which the mean is taken; of outputs also one for each."""
    sizes: list[tuple[tuple[int, ...], bool]] = [((), False), ((1,), True), ((1, 1), True)]
    N, shape = len(probe.inputs["x"]), probe.inputs["x"].shape
    sizes += [] if one_at_a_time(c.rows) else [((N,), True)]
    if is_reduced(c.kind):
        sizes += [((N, 1), True)]
    elif c.rows == "FN" and "rows_of_targets" not in c.limits and probe.inputs["t"].ndim == 2:
        sizes = [((N,), True), ((1, N), True)]  # one number tells nothing: rows have gone
    for size, mean in sizes:
        for entry in outs:
            if tuple(entry["shape"]) == size:
                return replace(c, out=place_of(entry), mean=mean, rows_out=c.rows)
    first = [e for e in outs if e["path"][1:] in ([], [["[]", 0]])]  # what comes second is a gradient
    each = next((e for e in first if tuple(e["shape"]) == batch_shape(shape, c.rows)), None)
    if each is None or not is_reduced(c.kind):
        return None
    return replace(c, out=place_of(each), reduction="none", rows_out=c.rows)
