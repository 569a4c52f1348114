"""Points for speed: a submission's forward and backward beside the textbook's, each in a process of its own.

The clock is this process's. Both are handed the same arrays in the same way, in turns and on new numbers each
round, and both answers are compared: what is timed is what is right. What counts is the median of the rounds'
ratios. Where other processes disturb, the race is repeated; where they never stop, it is not judged, which
costs nobody a point.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from parity.adapters.bench import Raised
from parity.adapters.connection import Ended
from parity.adapters.isolate import Limits
from parity.adapters.load import TargetError, only_definitions
from parity.adapters.subject import AUTO, Instance, Subject, place_apart
from parity.adapters.trial import NotCallable
from parity.adapters.wire import clean
from parity.grading.assignment import SPEED, Assignment
from parity.grading.submissions import UNREADABLE, Submission, room_in, stage
from parity.kinds import Probe, kind_of
from parity.sandbox.policy import Policy, sandboxed
from parity.timing.clock import FOREIGN, Watch, others_seconds, ratio
from parity.timing.layer_sizes import layer_probe
from scratchcnn.fast.dispatch import textbook

BATCH, SIDE = 4, 20  # images, and their height and width
ROUNDS, TRIES, REST_S = 7, 3, 0.5
PENDING = "not measured yet"
CLOSE = 1e-3  # of the largest number: float32, in whatever order it is added up
Graded = dict[str, Any]


@dataclass(frozen=True)
class Speed:
    """The times its time is of the textbook's; `unjudged` says why nothing was measured, `wrong` why it
    has no points whatever the time."""

    ratio: float = float("nan")
    unjudged: str = ""
    wrong: str = ""


def pending(found: Graded) -> list[Graded]:
    """The tasks whose speed is still to be measured."""
    return [task for task in found["tasks"] if task.get("speed") == PENDING]


def judge_speed(submission: Submission, assignment: Assignment, trust: bool, found: Graded) -> None:
    """Measure what is pending, one after another, and enter it into what was found."""
    with tempfile.TemporaryDirectory(prefix="parity-grade-") as name:
        folder = room_in(name)
        for task in pending(found):
            try:
                if not any(folder.iterdir()):
                    stage(submission.path, folder, assignment.allowed)
                policy = Policy(str(folder.parent), assignment.allowed, memory=assignment.memory)
                target = f"{folder / task['file']}:{task['name']}"
                target = only_definitions(target) if assignment.definitions_only else target
                limits = Limits(silence=assignment.timeout, memory=assignment.memory)
                speed = beside_the_textbook(target, task["kind"], limits, None if trust else policy)
            except (TargetError, *UNREADABLE) as error:
                speed = Speed(unjudged=clean(f"could not be read: {error}", 200))
            _enter(task, speed, assignment.speed_factor)
    count(found)


def _enter(task: Graded, speed: Speed, most: float) -> None:
    task["checks"][SPEED] = None if speed.unjudged else not speed.wrong and speed.ratio <= most
    if speed.unjudged or speed.wrong:
        task["speed"] = f"not judged: {speed.unjudged}" if speed.unjudged else speed.wrong
    else:
        task["speed"] = f"{speed.ratio:.2g} times the textbook's time; up to {most:g} times has the points"


def count(found: Graded) -> None:
    """The points of each task and of all; a check that is not judged counts in neither sum."""
    for task in found["tasks"]:
        judged = {check: worth for check, worth in task["worth"].items() if task["checks"][check] is not None}
        task["most"] = sum(judged.values())
        task["points"] = sum(worth for check, worth in judged.items() if task["checks"][check])
    found["points"] = sum(task["points"] for task in found["tasks"])
    found["most"] = sum(task["most"] for task in found["tasks"])


# -- the race ----------------------------------------------------------------------------------------
def beside_the_textbook(target: str, kind: str, limits: Limits, policy: Policy | None) -> Speed:
    """Both in processes of their own, the submission's under the policy."""
    probe = layer_probe(kind, BATCH, 0, SIDE)
    with sandboxed(policy):
        person = place_apart(target, AUTO, limits)
    with threadpool_limits(1), textbook():  # the copy of this process keeps both
        book = place_apart(kind_of(kind).ours, "book", limits)
    try:
        person.open(kind), book.open(kind)
        if not person.takes(probe):
            return Speed(unjudged="it does not take what the textbook's is timed on")
        return _raced(person, book, probe)
    except Raised as error:
        return Speed(wrong=f"raised {clean(error, 200)} while it was timed")
    except Ended as error:
        return Speed(wrong=f"{clean(error, 200)} while it was timed")
    except (NotCallable, NotImplementedError) as error:
        return Speed(unjudged=clean(error, 200))
    finally:
        person.close(), book.close()


def _raced(person: Subject, book: Subject, probe: Probe) -> Speed:
    for number in range(TRIES):
        time.sleep(REST_S if number else 0.0)
        watch = Watch(lambda: others(person, book))
        speed = race([person.build(probe), book.build(probe)], probe)
        share = watch.share()
        if speed.wrong or share <= FOREIGN:
            return speed
    return Speed(unjudged=f"other processes used {share:.0%} of the cores, {TRIES} times in a row")


def others(*subjects: Subject) -> float:
    """Seconds of processor time of processes that take no part."""
    return others_seconds() - sum(subject.busy() for subject in subjects)


def race(pair: Sequence[Instance], probe: Probe) -> Speed:
    """The submission's and the textbook's, in turns; the first round warms both up."""
    rng = np.random.default_rng(1)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS + 1):
        inputs = _inputs(probe, rng)
        answers: dict[int, list[Any]] = {}
        for which in (0, 1) if number % 2 else (1, 0):
            seconds, answers[which] = lap(pair[which], inputs)
            if number:
                times[which].append(seconds)
        for own, right in zip(*(answers[which] for which in (0, 1)), strict=True):
            if own is not None and not _alike(own, right):
                return Speed(wrong="what it computed while it was timed is not right")
    return Speed(ratio(*times).median)


def lap(instance: Instance, inputs: dict[str, Any]) -> tuple[float, list[Any]]:
    """One forward and one backward: seconds, and both answers."""
    start = time.perf_counter()
    out = instance.forward(inputs)
    dx = instance.backward(inputs) if instance.subject.backward_too else None
    return time.perf_counter() - start, [out, dx]


def _inputs(probe: Probe, rng: np.random.Generator) -> dict[str, Any]:
    """New numbers of the same shapes, so that no answer can be kept from the round before."""
    found = {}
    for name, value in probe.inputs.items():
        fresh = name in ("x", "dout") and isinstance(value, np.ndarray)
        found[name] = rng.standard_normal(value.shape).astype(value.dtype) if fresh else value
    return found


def _alike(own: Any, right: Any) -> bool:
    own, right = np.asarray(own, float), np.asarray(right, float)
    if own.shape != right.shape:
        return False
    return bool(np.allclose(own, right, rtol=CLOSE, atol=CLOSE * float(np.abs(right).max(initial=0))))
