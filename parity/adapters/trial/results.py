"""What a forward returned or left behind, as the report of an attempt lists it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention
from parity.adapters.trial.attempt import Trial
from parity.kinds.probe import Probe


def results_of(report: dict[str, Any]) -> list[dict[str, Any]]:
    """What forward returned; where that is nothing, what it left in attributes named for a result."""
    there = [e for e in report["forward"] if e["shape"] is not None]
    returned = [e for e in there if e["path"][0][1] == "out"]
    if returned:
        return returned
    before = {repr(e["path"]): e["sum"] for e in report["built"]}
    new = [e for e in there if before.get(repr(e["path"])) != e["sum"] and e["path"][0][1] == "object"]
    return [e for e in new if plain(str(e["path"][-1][1])) in RESULTS]


RESULTS = (
    "output",
    "out",
    "outputs",
    "y",
    "a",
    "result",
    "activation",
    "activations",
    "z",
    "loss",
    "yhat",
    "o",
    "value",
)


def loss_at(trial: Trial, c: Convention, probe: Probe) -> float:
    report = trial.attempt(replace(c, backward=""), probe)
    path = [list(step) for step in c.out.path]
    found = [e["value"] for e in report.get("forward", ()) if e["path"] == path and "value" in e]
    return float(found[0]) if found else np.nan
