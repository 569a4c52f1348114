"""What a forward returned or left behind, as the report of an attempt lists it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention, Place
from parity.adapters.trial.attempt import Trial
from parity.kinds.probe import Probe


def results_of(report: dict[str, Any]) -> list[dict[str, Any]]:
    """What forward returned; where that is nothing, what it left in attributes named for a result."""
    if returns_none(report):
        return []  # what lies beside it is a cache
    there = [e for e in report["forward"] if e["shape"] is not None]
    returned = [e for e in there if e["path"][0][1] == "out"]
    if returned:
        return returned
    before = {repr(e["path"]): e["sum"] for e in report["built"]}
    new = [e for e in there if before.get(repr(e["path"])) != e["sum"] and e["path"][0][1] == "object"]
    given = {e["sum"] for e in there if e["path"][0][1] == "x"}
    computed = [e for e in new if e["sum"] not in given]  # not `self.z = z`
    named = [e for e in new if plain(str(e["path"][-1][1])) in RESULTS]
    return [e for e in named if e in computed] or _alone(computed) or named


def _alone(computed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The one attribute in which forward keeps numbers that it computes, whatever it is called."""
    floats = [e for e in computed if len(e["path"]) == KEPT and e.get("dtype", "").startswith("float")]
    return floats if len(floats) == 1 else []


KEPT = 2  # steps: the object, its attribute


def returns_none(report: dict[str, Any]) -> bool:
    """Whether forward returned a tuple that begins with None: its result is still to be written."""
    return any(e["shape"] is None and e["path"] == [[".", "out"], ["[]", 0]] for e in report["forward"])


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


def out_at(trial: Trial, c: Convention, probe: Probe, what: str = "value") -> float:
    """The mean of what forward gives, or another number of its description; NaN where there is none."""
    return number_at(trial.attempt(replace(c, backward=""), probe), "forward", c.out, what)


def dx_at(trial: Trial, c: Convention, probe: Probe) -> float:
    """The mean of dx; NaN where there is none."""
    when = "backward" if c.backward else "forward"
    return number_at(trial.attempt(c, probe), when, c.dx or Place(((".", "back"),)))


def number_at(report: dict[str, Any], when: str, place: Place, what: str = "value") -> float:
    """A number of the description of what lies at the place; NaN where nothing does."""
    path = [list(step) for step in place.path]
    return next((float(e[what]) for e in report.get(when, ()) if e["path"] == path and what in e), np.nan)
