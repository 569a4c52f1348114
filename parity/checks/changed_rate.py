"""A learning rate that is set between two steps, as a schedule sets it, is the rate of the next step.

Whether a velocity holds the rate (the book's) or not (PyTorch's) is left open: a step that is the same as
without the change fails. It is asked of an optimizer that shows its rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from parity.adapters.bench import Raised
from parity.adapters.subject import Subject
from parity.comparison.gates import Comparison, refused
from parity.kinds import Probe

CHANGED_RATE = "a learning rate set between steps"
IGNORED = "the step is the same as without the change of the rate"
TIMES = 4  # as large


def changed_rate(subject: Subject, probe: Probe) -> Iterator[tuple[str, Comparison]]:
    """A step after the learning rate was set to another is not the same as without that."""
    if len(probe.inputs["grads"]) < 2:
        return
    try:
        before, plain = _two_steps(subject, probe, False)
        _, other = _two_steps(subject, probe, True)
    except Raised:  # one that is built for its arrays does not go on with others
        return
    for name, array in plain.items() if other else ():
        moved = not _same(array, before[name])
        if moved and _same(array, other.get(name)):
            yield f"{name} step 2", refused(array, IGNORED)
        elif moved:
            yield f"{name} step 2", Comparison(array.shape, 0.0, 0.0, 0.0, 0.0, False, True)


def _two_steps(subject: Subject, probe: Probe, changed: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays after a step, and after another one; nothing for the latter where no rate is shown."""
    first, second = probe.inputs["grads"][:2]
    names, optimizer = list(probe.inputs["params"]), subject.build(probe)
    found = optimizer.results({"params": probe.inputs["params"], "grads": [first]})
    one = {name: found.get(f"{name} step 1") for name in names}
    if not all(isinstance(array, np.ndarray) for array in one.values()):
        return {}, {}
    rate = probe.args["lr"]
    if changed and not optimizer.set_rate(rate, TIMES * rate):
        return one, {}
    found = optimizer.results({"params": one, "grads": [second]})
    return one, {name: found.get(f"{name} step 1") for name in names}


def _same(a: Any, b: Any) -> bool:
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)
