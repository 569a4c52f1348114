"""Weights that change between two calls: what comes after is computed with the new ones.

A layer that has copied its weights once is right until the first step of an optimizer. They are changed as an
optimizer changes them, in place in the arrays that the layer shows; where backward itself changes them, by
that. It is asked on what a second call, too, has right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from parity.adapters.subject import Instance, Subject
from parity.checks.long_life import Judge, but_running
from parity.comparison.gates import Comparison
from parity.kinds import Probe, kind_of
from parity.kinds.followed import parts_of
from scratchcnn.typing import Array

CHANGED = "weights changed between two calls"
STALE = "was computed with {} as before the change"
UNASKED = "weights that change between two calls"


def changed_weights(subject: Subject, probe: Probe, judge: Judge) -> Iterator[tuple[str, Comparison]]:
    """After weights were changed in place, as an optimizer does, forward and backward use the new ones."""
    given = {name: probe.args.get(name) for name in kind_of(probe.kind).params}
    weights = {name: w for name, w in given.items() if isinstance(w, np.ndarray) and w.size}
    if not weights:
        return
    by_trial = subject.convention is not None
    layer = subject.build(probe, copy=by_trial)  # the book's is handed arrays that its caller keeps
    layer.results()
    found = dict(but_running(judge(probe, layer.results())))
    steady = [name for name, comparison in found.items() if comparison.ok]
    other = {name: _other(w) for name, w in weights.items()}
    now = _changed(subject, layer, other, by_itself=not parts_of(probe.kind)[1])
    if not now:
        return
    after = replace(probe, args={**probe.args, **now}, id=f"{probe.id}, other weights")
    results = layer.results()
    judged = judge(after, results)
    if not all(comparison.ok for name, comparison in judged.items() if name in steady):
        judged = _named(judged, after, {name: weights[name] for name in now}, results, judge)
    yield from ((name, comparison) for name, comparison in judged.items() if name in steady)


def _named(
    judged: dict[str, Comparison], after: Probe, old: dict[str, Array], results: dict[str, Any], judge: Judge
) -> dict[str, Comparison]:
    """With the weights that were used as they were before, where that explains a result."""
    subsets = [names for size in range(1, len(old) + 1) for names in combinations(old, size)]
    found = dict(judged)
    for names in subsets:
        args = {**after.args, **{name: old[name] for name in names}}
        before = judge(replace(after, args=args), results)
        for name, comparison in found.items():
            if not comparison.ok and not comparison.why and before[name].ok:
                found[name] = replace(comparison, why=STALE.format(" and ".join(names)))
    return found


def _changed(subject: Subject, layer: Instance, other: dict[str, Array], by_itself: bool) -> dict[str, Any]:
    """The weights that it has by now: those that its own backward made, or others that were put there.

    What backward makes of them is large, too large for the exponential of an activation that is built in.
    """
    trained = layer.train() if by_itself else {}
    if trained and all(getattr(trained.get(name), "shape", None) == w.shape for name, w in other.items()):
        same = all(trained[name].dtype == w.dtype for name, w in other.items())
        return {name: trained[name] for name in other} if same else {}  # another dtype is seen elsewhere
    names = layer.change(other)
    if len(names) < len(other):
        subject.leave_unasked(UNASKED)
    return {name: other[name] for name in names}


def _other(weights: Array) -> Array:
    """Other numbers of the same size and dtype."""
    turned: Array = np.roll(weights, 1).reshape(weights.shape)
    other: Array = (turned * weights.dtype.type(0.5) + weights.dtype.type(0.25)).astype(weights.dtype)
    return other
