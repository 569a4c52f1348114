"""Submissions on the Dask cluster of `sweep`: their files travel, and only this process writes grades.

A worker of Dask keeps a process for its submissions, as it does for the cells of a sweep. A submission
that was graded twice, because a worker died, is kept once.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from parity.adapters.pickled import read_message, write_message
from parity.grading.assignment import Assignment
from parity.grading.grade import Graded, Job, grade, modified
from parity.grading.submissions import Submission, too_large
from parity.sweep.cluster import AHEAD, RETRIES, Cluster, ClusterError
from parity.verification.listing import files_of

TRIES = 2  # a worker's process may be killed from outside


@dataclass(frozen=True)
class Parcel:
    """A submission with its files, to be graded where its folder is not."""

    student: str
    name: str  # of the file or folder
    folder: bool
    files: tuple[tuple[str, bytes], ...]
    submitted: float
    assignment: Assignment
    trust: bool


def parcel(job: Job) -> Parcel | None:
    """None for one that is too large to be sent: it is refused here."""
    path = job.submission.path
    paths = [p for p in files_of(path) if not p.is_symlink()] if path.is_dir() else [path]
    if path.is_symlink() or too_large(paths):
        return None
    names = [p.relative_to(path).as_posix() if path.is_dir() else "" for p in paths]
    files = tuple((name, p.read_bytes()) for name, p in zip(names, paths, strict=True))
    about = (job.submission.student, path.name, path.is_dir(), files, modified(path))
    return Parcel(*about, job.assignment, job.trust)


def grade_parcel(sent: Parcel) -> Graded:
    """The grade, as `grade` gives it where the submission lies."""
    with tempfile.TemporaryDirectory(prefix="parity-parcel-") as name:
        path = Path(name).resolve() / Path(sent.name).name
        if sent.folder:
            path.mkdir()
        for inside, data in sent.files:
            place = path / inside if sent.folder else path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        found = grade(Job(Submission(sent.student, path), sent.assignment, sent.trust))
    return found | {"submitted": sent.submitted}


def grade_on(cluster: Cluster, jobs: Sequence[Job]) -> Iterator[tuple[Job, Graded]]:
    """Each job with its grade, as they finish. Raises ClusterError when the scheduler or a job was lost."""
    from distributed import wait

    client: Any = cluster.client
    finished: Any = wait

    coming, running = iter(jobs), dict[Any, Job]()
    try:
        while True:
            for job in islice(coming, max(AHEAD * cluster.threads() - len(running), 0)):
                sent = parcel(job)
                if sent is None:
                    yield job, grade(job)
                    continue
                key = f"grade-{job.submission.student}-{time.time_ns()}"
                future = client.submit(on_worker, sent, key=key, pure=False, retries=RETRIES)
                running[future] = job
            if not running:
                return
            with suppress(TimeoutError), client.as_current():
                for future in list(finished(list(running), timeout=1, return_when="FIRST_COMPLETED").done):
                    yield running.pop(future), future.result(timeout=cluster.patience)
            if client.status != "running":
                raise ClusterError(f"the scheduler at {cluster.address} is gone")
    except (ClusterError, GeneratorExit):
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ClusterError(f"the cluster at {cluster.address} abandoned a submission: {why}") from None
    finally:
        if client.status == "running":
            client.cancel(list(running))


# -- on the worker --------------------------------------------------------------------------------------
class Graders:
    """Processes that grade, of one worker; each thread takes one and returns it."""

    def __init__(self) -> None:
        self.free: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()

    def run(self, sent: Parcel) -> Graded:
        for _ in range(TRIES):
            try:
                process = self.free.get_nowait()
            except queue.Empty:
                process = self._start()
            with suppress(EOFError, BrokenPipeError):
                write_message(process.stdin, sent)  # type: ignore[arg-type]
                found: Graded = read_message(process.stdout)  # type: ignore[arg-type]
                self.free.put(process)
                return found
            process.kill()
            process.wait()
        raise RuntimeError(f"the process that graded {sent.student} died {TRIES} times")

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "parity.grading.cluster"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True)

    def close(self) -> None:
        """End the processes that wait."""
        with suppress(queue.Empty):
            while True:
                process = self.free.get_nowait()
                process.kill()
                process.wait()
                for end in (process.stdin, process.stdout):
                    with suppress(BrokenPipeError):
                        end.close()  # type: ignore[union-attr]


_graders = Graders()  # their processes end when their stdin is closed, with the worker


def on_worker(sent: Parcel) -> Graded:
    return _graders.run(sent)


def main() -> None:
    """Grade what comes through stdin until it ends."""
    from parity.adapters.process_pool import single_thread

    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that prints do not mix with the answers
    single_thread()
    with suppress(EOFError):
        while True:
            write_message(answers, grade_parcel(read_message(requests)))


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        main()
