"""Whether the ordinary way of calling works: the book's for layers, and any way for optimizers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.bench import Raised
from parity.adapters.recipe import recipe
from parity.adapters.trial.probes import trial_probes
from parity.kinds import kind_of
from parity.kinds.probes import probes

NONE_CHANGED = "result: none"  # how a trial of an optimizer ended
NOT_FINITE = "result: not finite"
PARTLY_CHANGED = "result: not every number"  # of an array


def fits_the_book(subject: Any, kind: str) -> bool:
    """Whether the book's way gives every result of the kind in its right shape on an ordinary input."""
    if recipe(kind).role in ("function", "optimizer"):
        return not subject.misfit
    if subject.misfit:
        return False
    probe = next(p for p, _ in trial_probes(kind))
    try:
        found = subject.results(probe)
    except Raised:
        return False
    exact = kind_of(kind).reference(probe)
    if kind == "dropout" and isinstance(found.get("out"), np.ndarray):
        kept, mask = found["out"] != 0, probe.inputs["mask"]
        injected = "inject" in subject.about.get("methods", {})
        of_dropped = injected and np.array_equal(kept, ~mask)  # else a trial shows what its mask marks
        if kept.shape != mask.shape or not (np.array_equal(kept, mask) or of_dropped):
            return False  # .mask is nothing to it
    return all(
        np.shape(found.get(name)) == a.shape and isinstance(found[name], np.ndarray)
        for name, a in exact.items()
    )


def changes_all(subject: Any, kind: str, errors: list[tuple[str, str]], way: str) -> bool:
    """Whether an optimizer called so changes every array on an ordinary input, and keeps its shape.

    One of which a part stays is an error of its own: it may be a list for such code. So is one that gives no
    numbers: what it divides by may not be what it was given.
    """
    probe = probes(kind, 0, lambda i: i == 0)[0]
    try:
        found = subject.results(probe)
    except Raised as error:
        errors.append((way, f"forward: {error}"))
        return False
    before = probe.inputs["params"]
    after = {name: found.get(f"{name} step 1") for name in before}
    changed = [
        np.shape(after[name]) == p.shape and not np.array_equal(after[name], p) for name, p in before.items()
    ]
    if not all(changed):
        errors.append((way, "result: not every" if any(changed) else NONE_CHANGED))
        return False
    if not all(np.all(np.isfinite(np.asarray(array, dtype=float))) for array in after.values()):
        errors.append((way, NOT_FINITE))
        return False
    whole = all(np.all(np.asarray(after[name]) != p) for name, p in before.items())
    if not whole:
        errors.append((way, PARTLY_CHANGED))
    return whole


def sees_new_gradients(subject: Any, kind: str) -> bool:
    """Whether the second step of an optimizer depends on the gradients that come with it."""
    probe = next(p for p in probes(kind, 0) if len(p.inputs["grads"]) > 1)
    first, second = probe.inputs["grads"][:2]
    found = []
    for scale in (1.0, -2.0):
        grads = [first, {name: scale * g for name, g in second.items()}]
        try:
            found.append(subject.results(replace(probe, inputs={**probe.inputs, "grads": grads})))
        except Raised:
            return True  # what it raises is for others to say
    names = [f"{name} step 2" for name in first]
    return any(not np.array_equal(found[0].get(name), found[1].get(name)) for name in names)


def steps_alike(subject: Any, kind: str) -> bool:
    """Whether an optimizer that is given one layer after another changes two equal ones in the same way."""
    probe = next(p for p in probes(kind, 0) if len(p.inputs["grads"]) > 1)
    first, second, *_ = probe.inputs["params"]
    sides = [probe.inputs["params"], *probe.inputs["grads"]]
    params, *grads = [{**side, second: side[first].copy()} for side in sides]
    try:
        found = subject.results(replace(probe, inputs={**probe.inputs, "params": params, "grads": grads}))
    except Raised:
        return True  # what it raises is for others to say
    steps = range(1, 1 + len(grads))
    return all(np.array_equal(found.get(f"{first} step {n}"), found.get(f"{second} step {n}")) for n in steps)
