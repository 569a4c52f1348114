"""A learning rate that is set between two steps, as a schedule sets it, is the rate of the next step.

Whether a velocity holds the rate (the book's) or not (PyTorch's) is left open: a step that is the same as
without the change fails. It is asked of an optimizer that shows its rate, or is handed it at each call. One
that shows it under several names may read one of them alone, which is a remark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.bench import Raised
from parity.adapters.subject import Subject
from parity.comparison.gates import Comparison, refused
from parity.kinds import Probe

CHANGED_RATE = "a learning rate set between steps"
IGNORED = "the step is the same as without the change of the rate"
UNASKED = f"{CHANGED_RATE} (it shows none that can be set)"
RAISED = f"{CHANGED_RATE} (a step on other arrays raised)"
WITHOUT = "a learning rate that is set between steps is read at {}; set at {} alone, it has no effect"
APART = (
    "its learning rate is read at {}, that of the other arrays at {}: set at one of them, half of it changes"
)
OF_THE_START = ("init", "base", "start", "first", "orig", "default")  # in the name of a rate that stays
TIMES = 4  # as large
EVERYWHERE = ""  # under all of its names
Steps = dict[str, Any]  # the arrays after a step, by name


def changed_rate(subject: Subject, probe: Probe) -> Iterator[tuple[str, Comparison]]:
    """A step after the learning rate was set to another is not the same as without that."""
    if len(probe.inputs["grads"]) < 2:
        return
    try:
        before, unchanged, names = _two_steps(subject, probe)
        _, other, _ = _two_steps(subject, probe, EVERYWHERE)
    except Raised:  # one that is built for its arrays does not go on with others
        subject.leave_unasked(RAISED)
        return
    if before and not other:
        subject.leave_unasked(UNASKED)
    arrays = {name: a for name, a in unchanged.items() if isinstance(a, np.ndarray)}
    moved = {name: a for name, a in arrays.items() if other and not _same(a, before[name])}
    wrong = {name: IGNORED for name, array in moved.items() if _same(array, other.get(name))}
    wrong = wrong or _by_name(subject, probe, names, moved)
    for name, array in moved.items():
        if name in wrong:
            yield f"{name} step 2", refused(array, wrong[name])
        else:
            yield f"{name} step 2", Comparison(array.shape, 0.0, 0.0, 0.0, 0.0, False, True)


def _by_name(subject: Subject, probe: Probe, names: Sequence[str], unchanged: Steps) -> dict[str, str]:
    """Of a rate under several names: a remark on which are read, where one that may be set is not, and what
    is wrong with arrays that read it at another name than the others do."""
    reads: dict[str, list[str]] = {}
    for name in names if len(names) > 1 else ():
        try:
            _, found, _ = _two_steps(subject, probe, name)
        except Raised:
            return {}
        reads[name] = [key for key, array in unchanged.items() if not _same(array, found.get(key))]
    apart = {name: keys for name, keys in reads.items() if 0 < len(keys) < len(unchanged)}
    if len(apart) > 1:
        fewest = min(apart, key=lambda name: len(apart[name]))
        rest = " and ".join(name for name in apart if name != fewest)
        return dict.fromkeys(apart[fewest], APART.format(fewest, rest))
    read = [name for name, keys in reads.items() if keys]
    unread = [name for name, keys in reads.items() if not keys and _may_be_set(name)]
    if read and unread:
        subject.remark(WITHOUT.format(" and ".join(read), " or ".join(unread)))
    return {}


def _may_be_set(name: str) -> bool:
    """Whether its name promises a rate for the steps to come: `.lr`, and neither `._lr` nor `.initial_lr`."""
    word = plain(name)
    private = name.startswith("._")
    return not (private or word.endswith("0") or any(part in word for part in OF_THE_START))


def _two_steps(subject: Subject, probe: Probe, at: str | None = None) -> tuple[Steps, Steps, list[str]]:
    """The arrays after a step, and after another one with the rate set at that name, and the names of the
    rate; nothing for the second step where no rate is shown."""
    first, second = probe.inputs["grads"][:2]
    arrays, optimizer = list(probe.inputs["params"]), subject.build(probe)
    found = optimizer.results({"params": probe.inputs["params"], "grads": [first]})
    one = {name: found.get(f"{name} step 1") for name in arrays}
    if not all(isinstance(array, np.ndarray) for array in one.values()):
        return {}, {}, []
    rate = probe.args["lr"]
    names = optimizer.rates(rate)
    if at is not None and not optimizer.set_rate(rate, TIMES * rate, at):
        return one, {}, names
    found = optimizer.results({"params": one, "grads": [second]})
    return one, {name: found.get(f"{name} step 1") for name in arrays}, names


def _same(a: Any, b: Any) -> bool:
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)
