"""What is written for a class: per student a page and a text, tables, a page of the class, exports."""

from __future__ import annotations

import difflib
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from parity.comparison.tables import write_tables
from parity.faults import FAULTS
from parity.grading.assignment import Assignment
from parity.grading.grade import Graded
from parity.grading.similar import nearly_the_same
from parity.grading.submissions import Submission, source_of, stage
from parity.report.page import templates_of
from scratchcnn.files import atomic_write

# How a cell begins that a spreadsheet would run: also with the wide signs that some keyboards type.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
MOST_PAIRS = 20  # side by side on the page of the class


def write_all(
    graded: Sequence[Graded], submissions: Sequence[Submission], assignment: Assignment, out: Path
) -> list[Path]:
    """Every file of the grades below `out`, and the paths of those that a teacher opens."""
    for one in graded:
        write_student(one, assignment, out)
    table = grades_table(graded, assignment)
    written = write_tables(out, {"grades": safe(table)})
    written += [_write(out / "class.html", class_page(graded, submissions, assignment))]
    return [*written, *_exports(graded, assignment, out)]


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


# -- a student --------------------------------------------------------------------------------------
def write_student(one: Graded, assignment: Assignment, out: Path) -> None:
    """The student's page and text."""
    page = templates_of("parity.grading").get_template("student.html.j2")
    _write(
        out / "students" / f"{one['student']}.html",
        page.render(one=one, assignment=assignment, verdict_of=verdict_of, late=late_text(one, assignment)),
    )
    _write(out / "students" / f"{one['student']}.txt", student_text(one, assignment))


def student_text(one: Graded, assignment: Assignment) -> str:
    """The grade in lines: points, the checks, the first thing that is wrong."""
    lines = [f"{assignment.title}: {one['student']}, {one['points']:g} of {one['most']:g} points"]
    lines += [late_text(one, assignment)] if late_text(one, assignment) else []
    lines += [one["problem"]] if one["problem"] else []
    for task in one["tasks"]:
        lines += [
            "",
            f"{task['title']} ({task['target'] or 'not found'}): {task['points']:g} of {task['most']:g}",
        ]
        for check, ok in task["checks"].items():
            lines.append(f"  {verdict_of(ok):10} {check} ({task['worth'][check]:g})")
        lines += [f"  {'speed':10} {task['speed']}"] if task["speed"] else []
        lines += [f"  {stage:10} {task[stage]}" for stage in ("which", "where", "what") if task[stage]]
    if one["findings"]:
        lines += ["", "noticed: " + "; ".join(one["findings"])]
    return "\n".join([*lines, "", f"protection: {one['protection']}", ""])


def verdict_of(ok: bool | None) -> str:
    """What a check came to; None is one that could not be judged, which costs nothing."""
    return "not judged" if ok is None else "right" if ok else "not right"


def late_text(one: Graded, assignment: Assignment) -> str:
    hours = hours_late(one, assignment)
    return f"late by {hours:.1f} hours" if hours else ""


def hours_late(one: Graded, assignment: Assignment) -> float:
    if assignment.due is None:
        return 0.0
    return max((float(one["submitted"]) - assignment.due.timestamp()) / 3600, 0.0)


# -- the class --------------------------------------------------------------------------------------
def grades_table(graded: Iterable[Graded], assignment: Assignment) -> pd.DataFrame:
    """One row per student: total, points per task and check, known bugs, and what was noticed."""
    rows = []
    for one in graded:
        row: dict[str, Any] = {"student": one["student"], "points": one["points"], "most": one["most"]}
        row["hours_late"] = round(hours_late(one, assignment), 2)
        for number, task in enumerate(one["tasks"], 1):
            name = f"{number} {task['title']}"
            row[name] = task["points"]
            row |= {f"{name} {c}": _points(task["worth"][c], ok) for c, ok in task["checks"].items()}
            row[f"{name} outcome"], row[f"{name} bug"] = task["outcome"], task["fault"]
        rows.append(row | {"noticed": "; ".join(one["findings"]), "problem": one["problem"]})
    return pd.DataFrame(rows)


def _points(worth: float, ok: bool | None) -> float:
    return float("nan") if ok is None else worth if ok else 0.0


def safe(table: pd.DataFrame) -> pd.DataFrame:
    """The table with texts that no spreadsheet takes for a formula."""
    return table.map(lambda cell: f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell)


def class_page(graded: Sequence[Graded], submissions: Sequence[Submission], assignment: Assignment) -> str:
    """Points, the most common mistakes, and what is nearly the same, side by side."""
    pairs = nearly_the_same({one["student"]: one["shingles"] for one in graded})
    sources = {one.student: one for one in submissions}
    bugs = Counter((t["kind"], t["fault"], t["says"]) for one in graded for t in one["tasks"] if t["fault"])
    other = Counter(
        (t["kind"], t["which"]) for one in graded for t in one["tasks"] if not t["fault"] and t["which"]
    )
    return (
        templates_of("parity.grading")
        .get_template("class.html.j2")
        .render(
            assignment=assignment,
            graded=sorted(graded, key=lambda one: one["student"]),
            bugs=[(kind, says, story_of(fault), count) for (kind, fault, says), count in bugs.most_common()],
            other=[(kind, which, count) for (kind, which), count in other.most_common(20)],
            pairs=[(a, b, share, _side_by_side(sources, a, b)) for a, b, share in pairs[:MOST_PAIRS]],
            left_out=max(len(pairs) - MOST_PAIRS, 0),
        )
    )


def story_of(fault: str) -> str:
    """How people come to write it; of two faults at once, both stories."""
    return " ".join(FAULTS[name].story for name in fault.split(" + ") if name in FAULTS)


def _side_by_side(sources: dict[str, Submission], a: str, b: str) -> list[tuple[str, str, bool]]:
    """Lines of both, and whether they differ."""
    left, right = (_lines(sources[name]) if name in sources else [] for name in (a, b))
    rows = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for n in range(max(j - i, m - k)):
            one = left[i + n] if i + n < j else ""
            other = right[k + n] if k + n < m else ""
            rows.append((one, other, tag != "equal"))
    return rows


def _lines(one: Submission) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="parity-grade-") as name:
        try:
            files = stage(one.path, Path(name), ()).files
            text = "\n".join(source_of(file) for file in files)
        except (OSError, ValueError, RecursionError):
            return []
    return ["".join(c if c.isprintable() else " " for c in line)[:200] for line in text.splitlines()][:400]


# -- exports ----------------------------------------------------------------------------------------
def _exports(graded: Sequence[Graded], assignment: Assignment, out: Path) -> list[Path]:
    folder = out / "exports"
    for one in graded:
        _write(folder / "gradescope" / one["student"] / "results.json", gradescope(one, assignment))
    nbgrader = pd.DataFrame(  # the columns of `nbgrader export`
        {
            "assignment": assignment.title,
            "duedate": "" if assignment.due is None else _moment(assignment.due.timestamp()),
            "timestamp": _moment(one["submitted"]),
            "student_id": one["student"],
            **dict.fromkeys(("last_name", "first_name", "email"), ""),  # of its own data base
            "raw_score": one["points"],
            "late_submission_penalty": 0.0,
            "score": one["points"],
            "max_score": one["most"],
        }
        for one in graded
    )
    otter = pd.DataFrame(
        {
            "file": one["student"],
            **{f"{n} {task['title']}": task["points"] for n, task in enumerate(one["tasks"], 1)},
            "total": one["points"],
            "percent_correct": one["points"] / one["most"] if one["most"] else 0.0,
        }
        for one in graded
    )
    plain = pd.DataFrame({"student": one["student"], "points": one["points"]} for one in graded)
    tables = {"nbgrader": nbgrader, "otter": otter, "plain": plain}
    return [_write(folder / f"{name}.csv", safe(table).to_csv(index=False)) for name, table in tables.items()]


def _moment(seconds: float) -> str:
    """As nbgrader writes it: in UTC, without the zone."""
    return datetime.fromtimestamp(int(seconds), UTC).replace(tzinfo=None).isoformat(" ")


def gradescope(one: Graded, assignment: Assignment) -> str:
    """`results.json` as Gradescope reads it: a test per check."""
    tests = [
        {
            "name": f"{task['title']}: {check}",
            "score": task["worth"][check] if ok else 0.0,
            "max_score": task["worth"][check],
            "status": "passed" if ok else "failed",
            "output": "" if ok else "\n".join(task[s] for s in ("which", "where", "what") if task[s]),
            "visibility": "visible",
        }
        for task in one["tasks"]
        for check, ok in task["checks"].items()
        if ok is not None
    ]
    found = {"score": one["points"], "output": student_text(one, assignment), "tests": tests}
    return json.dumps(found, indent=1)
