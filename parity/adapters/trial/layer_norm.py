"""Layer normalization: along which axes of an input it goes.

Rows of equal numbers have no deviation: where it goes along the last axis, and no other, beta is all that is
left of them. Nothing else is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.convention import Convention
from parity.adapters.layouts import shape_in
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.backward import backwards
from parity.adapters.trial.columns_of_file import dense_beside
from parity.adapters.trial.probes import trial_probes
from parity.adapters.trial.results import number_at
from parity.adapters.trial.scale import LAYER_NORM
from parity.kinds.probe import Probe

ONE = {"NF": "F", "FN": "F1"}  # the layout of one row of a batch in that layout


def of_its_axes(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """The convention with samples as columns, or as one vector, where its code is for those; and whether it
    takes sequences too."""
    if c.limits.get("sequences_only"):
        return c
    if c.rows in ONE and not _is_along(trial, c, probe, -1 if c.rows == "NF" else 0):
        if trial.about["speaks_of_axes"] or _is_of_batches(trial, c, probe):
            return _in_columns_of_file(trial, c, probe) if c.rows == "NF" else c
        return _of_one_vector(trial, c, probe)
    if c.rows != "NF" or trial.about["sequences"]:
        return c
    sequences = next(p for p, own in trial_probes(LAYER_NORM) if own)
    fits = _is_along_last(trial, c, sequences) and _gives_gradients(trial, c, sequences)
    return c if fits else replace(c, limits={**c.limits, "matrices_only": True})


def _of_one_vector(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """The convention for one row at a time, with gradients in their shapes for that."""
    rows, limits = ONE[c.rows], {**c.limits, "one_vector": True}
    alone = replace(c, rows=rows, rows_out=rows, limits=limits, backward="", grads={}, dx=None, unseen=())
    if "forward" not in trial.attempt(alone, probe):
        return c
    return backwards(trial, alone, probe)[1]


def _is_of_batches(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether a class has a backward that sums over what it is given: it takes more than one vector."""
    return bool(c.backward) and c.constructor is not None and _gives_gradients(trial, c, probe)


def _in_columns_of_file(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With samples as columns, where it goes down the columns and the dense layers of its file have them."""
    if not dense_beside(trial.about) or not _is_along(trial, c, probe, 0) or not trial.in_columns():
        return c
    return replace(c, rows="FN", rows_out="FN", as_of=trial.in_columns() or "")


def _is_along_last(trial: Trial, c: Convention, probe: Probe) -> bool:
    return _is_along(trial, c, probe, -1)


def _is_along(trial: Trial, c: Convention, probe: Probe, axis: int) -> bool:
    """Whether beta alone is left of numbers that are the same along that axis of a batch, and differ along
    the others."""
    x, axis = probe.inputs["x"], -1 - axis if c.rows == "FN" else axis  # of the probe, which has rows
    other = np.broadcast_to(np.take(x, [0], axis=axis), x.shape).copy()
    equal = c.fitted(replace(probe, inputs={**probe.inputs, "x": other}))
    report = trial.attempt(replace(c, backward=""), equal)
    beta = equal.args.get("beta")
    left = 0.0 if beta is None else float(np.square(beta).mean())
    return bool(np.isclose(number_at(report, "forward", c.out, "square"), left, rtol=1e-6, atol=1e-9))


def _gives_gradients(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether its backward gives dx and what belongs to gamma and beta in their shapes."""
    if not c.backward:
        return True
    probe = c.fitted(probe)
    report = trial.attempt(c, probe)
    shapes = {repr(e["path"]): e["shape"] for e in report.get("backward", ())}

    def there(place: Any, shape: Sequence[int] | None) -> bool:
        found = shapes.get(repr([list(step) for step in place.path]))
        return found is not None and shape is not None and tuple(found) == tuple(shape)

    own = [
        (place, shape_in(probe.args[name].shape, "O", place.layout or "O")) for name, place in c.grads.items()
    ]
    dx = [(c.dx, probe.inputs["x"].shape)] if c.dx is not None else []
    return "backward" in report and all(there(place, shape) for place, shape in [*own, *dx])
