"""A whole class: every submission on all cores, what is graded already kept, nothing half written."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from parity.adapters.process_pool import processes
from parity.grading.assignment import Assignment
from parity.grading.cluster import grade_on
from parity.grading.grade import VERSION, Graded, Job, grade
from parity.grading.gradebook import write_all
from parity.grading.speed import judge_speed, pending
from parity.grading.submissions import LARGEST, Submission, files_in
from parity.sandbox.cell import remove
from parity.sweep.cluster import Cluster
from scratchcnn.files import atomic_write

RESULTS = "results"  # the folder of what is kept of each submission


@dataclass(frozen=True)
class _Kept:
    """Grades a job unless the folder has its grade already."""

    folder: Path

    def __call__(self, job: Job) -> Graded:
        found = self.there(job)
        return self.keep(job, grade(job)) if found is None else found

    def there(self, job: Job) -> Graded | None:
        """The grade that the folder has of this job."""
        kept = read_grade(self._path(job))
        return kept if kept is not None and kept.get("key") == _key(job) else None

    def keep(self, job: Job, found: Graded) -> Graded:
        found = found | {"key": _key(job)}
        with atomic_write(self._path(job)) as temporary:
            temporary.write_text(json.dumps(found), encoding="utf-8")
        return found

    def _path(self, job: Job) -> Path:
        return self.folder / f"{job.submission.student}.json"


def read_grade(path: Path) -> Graded | None:
    """What is kept of a submission; None where there is nothing that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("version") == VERSION else None


def _key(job: Job) -> str:
    """The same for the same files under the same assignment."""
    found = hashlib.sha256(f"{job.assignment.digest} {job.trust}".encode())
    for file in files_in(job.submission.path):
        size = file.lstat()
        found.update(f"{file} {size.st_size} {size.st_mtime_ns}".encode("utf-8", "replace"))
        if stat.S_ISREG(size.st_mode) and size.st_size <= LARGEST:  # handed in anew in the same moment
            with suppress(OSError):
                found.update(file.read_bytes())
    return found.hexdigest()


def grade_all(
    submissions: Sequence[Submission],
    assignment: Assignment,
    out: Path,
    workers: int = 1,
    trust: bool = False,
    each: Callable[[Graded], None] = lambda graded: None,
    scheduler: str | None = None,
) -> tuple[list[Graded], list[Path]]:
    """The grades in the order of the submissions, and the files that were written for them.

    A submission whose grade lies in `out` already, for these files and this assignment, is not graded anew.
    scheduler: of a Dask cluster, which then grades instead of this machine's `workers`; speed is
    measured here in any case, after the rest and one submission at a time. Raises ClusterError.
    """
    folder = out / RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [Job(one, assignment, trust) for one in submissions]
    kept, done = _Kept(folder), dict[str, Graded]()
    found = _on_cluster(jobs, kept, scheduler) if scheduler else _here(jobs, kept, workers)
    for job, one in found:
        done[job.submission.student] = one
        if not pending(one):
            each(one)
    for job in jobs:
        one = done[job.submission.student]
        if pending(one):
            judge_speed(job.submission, assignment, trust, one)
            done[job.submission.student] = kept.keep(job, one)
            each(one)
    graded = [done[one.student] for one in submissions]
    return graded, write_all(graded, submissions, assignment, out)


def _here(jobs: Sequence[Job], kept: _Kept, workers: int) -> Iterator[tuple[Job, Graded]]:
    with _own_temporary_folder(), processes(min(workers, len(jobs))) as spread:
        yield from zip(jobs, spread(kept, jobs), strict=True)


@contextmanager
def _own_temporary_folder() -> Iterator[None]:
    """One folder for the temporary files of all processes, which is removed however they end."""
    before, folder = (os.environ.get("TMPDIR"), tempfile.tempdir), tempfile.mkdtemp(prefix="parity-grades-")
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    try:
        yield
    finally:
        tempfile.tempdir = before[1]
        os.environ.pop("TMPDIR")
        os.environ |= {} if before[0] is None else {"TMPDIR": before[0]}
        remove(folder)


def _on_cluster(jobs: Sequence[Job], kept: _Kept, scheduler: str) -> Iterator[tuple[Job, Graded]]:
    left = []
    for job in jobs:
        if (found := kept.there(job)) is None:
            left.append(job)
        else:
            yield job, found
    if left:
        with Cluster(scheduler) as cluster:
            for job, found in grade_on(cluster, left):
                yield job, kept.keep(job, found)
