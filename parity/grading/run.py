"""A whole class: every submission on all cores, what is graded already kept, nothing half written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from parity.adapters.process_pool import processes
from parity.grading.assignment import Assignment
from parity.grading.grade import VERSION, Graded, Job, grade
from parity.grading.gradebook import write_all
from parity.grading.submissions import Submission
from scratchcnn.files import atomic_write

RESULTS = "results"  # the folder of what is kept of each submission


@dataclass(frozen=True)
class _Kept:
    """Grades a job unless the folder has its grade already."""

    folder: Path

    def __call__(self, job: Job) -> Graded:
        key = _key(job)
        path = self.folder / f"{job.submission.student}.json"
        if (kept := read_grade(path)) is not None and kept.get("key") == key:
            return kept
        found = grade(job) | {"key": key}
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(found), encoding="utf-8")
        return found


def read_grade(path: Path) -> Graded | None:
    """What is kept of a submission; None where there is nothing that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("version") == VERSION else None


def _key(job: Job) -> str:
    """The same for the same files under the same assignment."""
    path = job.submission.path
    files = (
        sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink()) if path.is_dir() else [path]
    )
    found = hashlib.sha256(f"{job.assignment.digest} {job.trust}".encode())
    for file in files:
        size = file.stat()
        found.update(f"{file} {size.st_size} {size.st_mtime_ns}".encode("utf-8", "replace"))
    return found.hexdigest()


def grade_all(
    submissions: Sequence[Submission],
    assignment: Assignment,
    out: Path,
    workers: int = 1,
    trust: bool = False,
    each: Callable[[Graded], None] = lambda graded: None,
) -> tuple[list[Graded], list[Path]]:
    """The grades in the order of the submissions, and the files that were written for them.

    A submission whose grade lies in `out` already, for these files and this assignment, is not graded anew.
    """
    folder = out / RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [Job(one, assignment, trust) for one in submissions]
    graded: list[Graded] = []
    with processes(min(workers, len(jobs))) as spread:
        found: Iterator[Graded] = spread(_Kept(folder), jobs)
        for one in found:
            graded.append(one)
            each(one)
    return graded, write_all(graded, submissions, assignment, out)
