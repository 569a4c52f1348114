"""Whether what an optimizer returns beside its array is the new array, a step, or nothing of either.

A new array is about as large as the old one; the step of an array of a million is small beside it. So no
number of the step itself is looked at but its sign, where no words say what is to be done with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.bench import Raised
from parity.adapters.convention import Convention
from parity.adapters.returned_steps import ADDED, IGNORED, TAKEN_OFF
from parity.adapters.rule_asked import ASKED
from parity.adapters.rule_forms import RUN
from parity.adapters.step_meant import ADDED as TO_ADD
from parity.adapters.step_meant import ARRAY, WORDS_SAY
from parity.adapters.trial.ordinary import NONE_CHANGED, changes_all
from parity.kinds.probes import probes

LARGE = 2.0**20
SMALL = 0.25  # of the array, at most
BOTH = (ADDED, TAKEN_OFF)
SHOWN = "as the first one goes {} the gradient"
Open = Callable[[Convention, str], None]


def as_it_returns(subject: Any, kind: str, way: Convention | None, open_as: Open) -> Convention | None:
    """That way, or the same with what becomes of what a step returns; the subject is open so then."""
    if way is None or way.ahead or way.rule in (RUN, ASKED):
        return way
    what, by = subject.about.get("returns", {}).get(way.forward, ("", ""))
    if way.rule.startswith("step of"):
        return _with_a_sign(subject, kind, way, open_as, what, by) if what not in ("", ARRAY) else way
    if not _stays_small(subject, kind):
        return way
    silent = replace(way, returns=IGNORED)
    open_as(silent, kind)
    errors: list[tuple[str, str]] = []
    if changes_all(subject, kind, errors, "") and not _stays_small(subject, kind):
        return silent
    if what == ARRAY or not errors or errors[-1][1] != NONE_CHANGED:  # its words, or it writes into its array
        open_as(way, kind)
        return way
    return _with_a_sign(subject, kind, way, open_as, what, by)


def _with_a_sign(subject: Any, kind: str, way: Convention, open_as: Open, what: str, by: str) -> Convention:
    """The same where the step is added or taken off: as its words say, or against the gradient."""
    said = BOTH[what != TO_ADD] if what else ""
    order = [said, *(one for one in BOTH if one != said)] if said else [*BOTH]
    for how in order:
        reason = f", as {by} say{'s' * (by != WORDS_SAY)}" if how == said else ""
        other = replace(way, returns=how + reason)
        open_as(other, kind)
        down = _goes_down(subject, kind)
        if down is None:
            break
        if down or (how == said and by == WORDS_SAY):
            side = SHOWN.format("against" if how == ADDED else "along")
            other = other if reason else replace(way, returns=f"{how}, {side}")
            if said and how != said:
                other = replace(other, returns=f"{other.returns} (though {by} says {said})")
            open_as(other, kind)
            return other
    open_as(way, kind)
    return way


def _stays_small(subject: Any, kind: str) -> bool:
    """Whether arrays of a million are small after a step, each of them."""
    probe = probes(kind, 0, lambda i: i == 0)[0]
    params = {name: np.full_like(array, LARGE) for name, array in probe.inputs["params"].items()}
    found = _after(subject, replace(probe, inputs={**probe.inputs, "params": params}))
    return bool(found) and all(np.abs(array).max() < SMALL * LARGE for array in found.values())


def _goes_down(subject: Any, kind: str) -> bool | None:
    """Whether the first step goes against the gradient; None where there is none."""
    probe = probes(kind, 0, lambda i: i == 0)[0]
    found, grads = _after(subject, probe), probe.inputs["grads"][0]
    along = sum(float(np.sum((found[n] - probe.inputs["params"][n]) * grads[n])) for n in found)
    return along < 0 if found and along else None


def _after(subject: Any, probe: Any) -> Mapping[str, Any]:
    """The arrays after the first step; nothing where one of them is no array of its shape, or not finite."""
    try:
        found = subject.results(probe)
    except Raised:
        return {}
    arrays = {name: found.get(f"{name} step 1") for name in probe.inputs["params"]}
    shapes = {name: array.shape for name, array in probe.inputs["params"].items()}
    good = all(
        np.shape(a) == shapes[n] and np.isfinite(np.asarray(a, float)).all() for n, a in arrays.items()
    )
    return arrays if good else {}
