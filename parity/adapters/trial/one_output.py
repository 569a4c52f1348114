"""What a loss of outputs (N, F) makes of a batch of outputs (N, 1), which it may take with labels (N,).

Where neither labels (N, 1) nor (N,) go, such a batch is wrong although it is right row by row, unless its own
words call its outputs (N,).
"""

from __future__ import annotations

from dataclasses import replace

from parity.adapters.convention import Convention, Place
from parity.adapters.layouts import NUMBER, one_at_a_time
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.forward import one_forward
from parity.adapters.trial.probes import trial_probes
from parity.adapters.trial.stretched import is_stretched
from parity.kinds.probe import Probe


def of_one_output(trial: Trial, c: Convention) -> Convention:
    """The convention, or that of a batch of one output per row, which is wrong where rows alone go."""
    thin = next((p for p, limits in trial_probes(trial.kind) if limits.get("sizes") == {"I": 1}), None)
    if thin is None or not c.reduction or c.rows == NUMBER or not one_at_a_time(c.rows):
        return c
    if c.tensor or c.probabilities == "logits" or c.limits.get("flat_labels"):
        return c
    limits = {**c.limits, "sizes": {"I": 1}}
    batch = replace(c, rows="NF", rows_out="NF", backward="", reduction="", mean=False, limits=limits)
    found = one_forward(trial, batch, thin)
    if found is None:
        return c
    flat = one_forward(trial, replace(batch, limits={**limits, "flat_labels": True}), thin)
    wrong = is_stretched(trial, found, thin) and (flat is None or is_stretched(trial, flat, thin))
    as_batch = replace(c, rows="NF", rows_out="NF", out=found.out, mean=found.mean, limits=limits)
    if not (wrong or _gives_pairs(trial, as_batch, thin)):
        return c
    outputs = {name.lstrip("*") for name, meaning in c.forward_args if meaning == "x"}
    if outputs & {*trial.about.get("flat", ())}:  # by its own words
        return replace(c, limits={**c.limits, "flat_outputs": True})
    return replace(as_batch, limits={**as_batch.limits, "thin_outputs": True})


def _gives_pairs(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether dx is (N, N)."""
    place = c.dx or Place(((".", "back"),))
    path, N = [list(step) for step in place.path], len(probe.inputs["x"])
    found = trial.attempt(c, probe).get("backward", ()) if c.backward else ()
    return any(entry["path"] == path and list(entry["shape"] or ()) == [N, N] for entry in found)
