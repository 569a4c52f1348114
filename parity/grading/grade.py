"""One submission graded: points per check, the first thing that is wrong, and what it tried to do."""

from __future__ import annotations

import codecs
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parity.adapters.load import TargetError, only_definitions
from parity.adapters.wire import clean
from parity.checks.long_life import CHANGED
from parity.faults.diagnose import PLAIN
from parity.grading.assignment import CONTRACTS, NUMBERS, SPEED, Assignment, Task
from parity.grading.speed import PENDING, count
from parity.grading.submissions import UNREADABLE, Submission, files_in, room_in, stage
from parity.sandbox.policy import Policy, sandboxed
from parity.sandbox.protection import OPEN, protection
from parity.verification.listed_names import Listed
from parity.verification.listing import listed
from parity.verification.unchecked import FORWARD_IS_RIGHT
from parity.verification.verdict import Verdict
from parity.verification.verify import verify

VERSION = 3  # of what is kept of a graded submission
# What a verdict says of code that does more than compute, and the name of the finding.
CAUGHT = {
    "which is not allowed here": "imports what is not allowed",
    "PermissionError": "tries what the sandbox forbids",
    "Operation not permitted": "tries what the sandbox forbids",
    "sent something that is not an answer": "forges an answer",
    "closed its connection": "closes its connection to the checker",
    "left the process": "ends its process",
    "called sys.exit": "ends its process",
    "printed more than": "prints without end",
    "of memory": "uses too much memory",
    "MemoryError": "uses too much memory",
    "expected a plain array": "returns arrays of another type than NumPy's own",
    "can't start new thread": "starts more threads than it may",
    "hung": "does not come to an end",
    "crashed": "crashes its process",
}

LATER = "answers otherwise at a later call"  # than at the same call before

Graded = dict[str, Any]  # plain data, which is kept as JSON


@dataclass(frozen=True)
class Job:
    """One submission and what it is graded by; it travels to another process."""

    submission: Submission
    assignment: Assignment
    trust: bool = False


def grade(job: Job) -> Graded:
    """The grade of a submission, as plain data; whatever the submission is, this raises nothing."""
    student, assignment = job.submission.student, job.assignment
    found: Graded = {
        "version": VERSION,
        "assignment": assignment.digest,
        "student": student,
        "submitted": modified(job.submission.path),
        "findings": [],
        "tasks": [],
        "problem": "",
        "shingles": [],
        "protection": OPEN if job.trust else str(protection()),
    }
    with tempfile.TemporaryDirectory(prefix="parity-grade-") as name:
        folder = room_in(name)
        try:
            staged = stage(job.submission.path, folder, assignment.allowed)
            found |= {"findings": staged.refused, "shingles": sorted(staged.shingles)}
            there = [(path, one) for path in staged.files for one in _listed(path, found)]
            if not staged.files:
                found["problem"] = "it holds no Python file and no notebook"
        except (TargetError, *UNREADABLE) as error:
            found["problem"], there = clean(f"could not be read: {_unread(error)}"), []
        policy = Policy(str(folder.parent), assignment.allowed, memory=assignment.memory)
        with sandboxed(None if job.trust else policy):
            found["tasks"] = [
                _graded(task, there, assignment, folder, found["findings"]) for task in assignment.tasks
            ]
    count(found)
    return found


def modified(path: Path) -> float:
    """When it was last changed; of a folder the newest file in it."""
    return max((p.lstat().st_mtime for p in files_in(path)), default=path.lstat().st_mtime)


def _listed(path: Path, found: Graded) -> list[Listed]:
    try:
        return listed(path)
    except UNREADABLE as error:
        why = _unread(error)
        if path.read_bytes()[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            why = "it is UTF-16, which Python does not read; save it as UTF-8"
        found["findings"].append(clean(f"{path.name} cannot be read: {why}"))
        return []


def _unread(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is no notebook, since it is no JSON ({error})"
    return str(error) if isinstance(error, TargetError) else f"{type(error).__name__}: {error}"


def _graded(
    task: Task, there: list[tuple[Path, Listed]], assignment: Assignment, folder: Path, findings: list[str]
) -> Graded:
    by_name = [(p, one) for p, one in there if task.names and {*one.name.split(",")} & {*task.names}]
    by_kind = [(p, one) for p, one in there if one.kind == task.kind]
    by_kind.sort(key=lambda found: "." in found[1].name)  # a layer by itself before what a class holds
    chosen = (by_name or by_kind)[:1]
    nothing: Graded = {check: False for check in task.points}
    row: Graded = {"kind": task.kind, "title": task.title, "most": task.most, "points": 0.0, "target": ""}
    row |= {"checks": nothing, "worth": dict(task.points), "fault": "", "says": "", "outcome": "not found"}
    row |= {"file": "", "name": "", "speed": ""}
    row |= {"which": f"nothing in it is a {task.kind}", "where": "", "what": ""}
    if task.names:
        row["which"] = f"nothing in it is named {' or '.join(task.names)}"
    for path, one in chosen:
        target = f"{path}:{one.name}"
        try:
            verdict = verify(
                only_definitions(target) if assignment.definitions_only else target,
                task.kind,
                timeout=assignment.timeout,
                memory=assignment.memory,
            )
        except (TargetError, ValueError, OSError, RecursionError, MemoryError) as error:
            return row | {"target": one.name, "outcome": "not_checked", "which": clean(error)}
        caught = _caught(verdict)
        findings += [text for text in caught if text not in findings]
        checks: Graded = {
            check: LATER not in caught and _earned(check, verdict) for check in task.points if check != SPEED
        }
        row["checks"] = {check: checks.get(check) for check in task.points}
        if SPEED in task.points and LATER not in caught and _earned(NUMBERS, verdict):
            row |= {"file": str(path.relative_to(folder)), "name": one.name, "speed": PENDING}
        elif SPEED in task.points:
            row["checks"][SPEED], row["speed"] = False, "not measured: its numbers are not all right"
        row |= {"target": clean(one.name, 80), "outcome": verdict.outcome} | _stages(
            verdict, assignment, folder=path.parent
        )
    return row


def _earned(check: str, verdict: Verdict) -> bool:
    """Whether that check holds: something was compared for it, and all of it is right."""
    if verdict.unchecked.endswith(FORWARD_IS_RIGHT) and not verdict.ending and not _caught(verdict):
        return check == "forward"
    if verdict.outcome == "not_checked" or verdict.ending or verdict.unfinished:
        return False
    plain = [row for row in verdict.records if row.phase in PLAIN]
    if check == CONTRACTS:
        rest = [row for row in verdict.records if row.phase not in PLAIN]
        return bool(rest) and all(row.ok for row in rest) and verdict.outcome in ("right", "wrong")
    rows = {
        "forward": [row for row in plain if row.phase == "forward"],
        NUMBERS: plain,
    }.get(check, [row for row in plain if row.tensor == check])
    numbers = verdict.outcome == "right_but"  # what is not right there is no number
    return bool(rows) and (numbers or all(row.ok for row in rows))


def _caught(verdict: Verdict) -> list[str]:
    """The names of what it does besides computing, or instead."""
    plain = all(row.ok for row in verdict.records if row.phase in PLAIN)
    later = any(row.why.startswith(CHANGED) for row in verdict.records)
    texts = [verdict.ending, verdict.unchecked, *(row.why for row in verdict.records if not row.ok)]
    names = [name for part, name in CAUGHT.items() if any(part in text for text in texts)]
    return list(dict.fromkeys([*names, *([LATER] if plain and later else [])]))


def _stages(verdict: Verdict, assignment: Assignment, folder: Path) -> Graded:
    """What a student is shown: which result, where, and what it may be; only the stages that are allowed."""
    shown: Graded = {"which": "", "where": "", "what": "", "fault": "", "says": ""}
    shown["fault"], shown["says"] = verdict.diagnosis.fault, verdict.diagnosis.says  # the teacher's
    if verdict.outcome == "right" and not verdict.not_checked:
        return shown
    text = clean(verdict.headline.replace(str(folder), "."))
    first = verdict.first
    if "which" in assignment.hints:
        culprit = verdict.culprit
        named = f"first wrong: {culprit.phase}, {culprit.tensor}" if culprit and text == "WRONG" else text
        shown["which"] = named
    if "where" in assignment.hints and verdict.culprit is not None:
        shown["where"] = clean(verdict.culprit.sentence)
        if first is not None and first.inputs:
            shown["where"] += f"; on {clean(first.inputs)}"
        raised = clean(first.record.why.replace(str(folder), ".")) if first is not None else ""
        if raised.startswith("raised") and raised not in f"{text} {shown['where']}":
            shown["where"] += f": it {raised}"
    if "what" in assignment.hints:
        shown["what"] = clean(verdict.diagnosis.says)
    if assignment.reference_numbers:
        lines = [line for line in str(verdict).splitlines() if line.startswith(("ours ", "PyTorch's "))]
        shown["what"] = "; ".join(filter(None, [shown["what"], *map(clean, lines)]))
    return shown
