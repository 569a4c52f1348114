"""Keep a worker process alive, and start another when it dies."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from parity.adapters.pickled import read_message, write_message
from parity.sweep.cell import CannotRun, ended, timed
from parity.sweep.cells import Cell
from parity.sweep.store import encode, join

TRIES = 2  # a process may be killed from outside; then its cells are tried individually, as often again


class Stopped(Exception):
    """The sweep is ending."""


@dataclass(frozen=True)
class Result:
    """A batch's rows, as the bytes of a Parquet file."""

    data: bytes
    rows: int


class Runner:
    """One worker process. `target` is run in place of `run_cell`, for tests of misbehaving cells."""

    def __init__(self, timeout: float = 60.0, memory: int = 2048, target: str = ""):
        self.timeout, self.memory, self.target = timeout, memory, target
        self.process: subprocess.Popen[bytes] | None = None
        self.stopped = False

    def run(self, cells: Sequence[Cell]) -> Result:
        """Run the cells. Raises CannotRun where this machine is at fault, Stopped after `stop`."""
        for _ in range(TRIES):
            if self.stopped:
                raise Stopped
            with suppress(EOFError, BrokenPipeError):
                return self._ask(cells)
            self.close()
        if self.stopped:
            raise Stopped
        if len(cells) == 1:
            rows = timed(ended(cells[0], f"crashed: the process that ran it died {TRIES} times"), 0.0)
            return Result(encode(rows), len(rows))
        parts = [self.run([cell]) for cell in cells]
        return Result(join(part.data for part in parts), sum(part.rows for part in parts))

    def _ask(self, cells: Sequence[Cell]) -> Result:
        process = self.process or self._start()
        assert process.stdin is not None and process.stdout is not None
        request = (cells, self.timeout, self.memory, self.target)
        write_message(process.stdin, request)  # type: ignore[arg-type]
        what, found, rows = read_message(process.stdout)  # type: ignore[arg-type]
        if what == "cannot":
            raise CannotRun(found)
        return Result(found, rows)

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "parity.sweep.worker_process"]
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **threads},
            start_new_session=True,
        )
        return self.process

    def stop(self) -> None:
        """Called from another thread: start nothing more, and end what is running."""
        self.stopped = True
        process = self.process
        if process is not None and process.poll() is None:
            process.terminate()

    def close(self) -> None:
        """End the process, whatever it is doing, and everything that it has started."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class Runners:
    """A pool of runners; each thread takes one and returns it."""

    def __init__(self) -> None:
        self.free: queue.SimpleQueue[Runner] = queue.SimpleQueue()
        self.all: list[Runner] = []

    def run(self, cells: Sequence[Cell], timeout: float, memory: int, target: str = "") -> Result:
        try:
            runner = self.free.get_nowait()
        except queue.Empty:
            runner = Runner()
            self.all.append(runner)
        runner.timeout, runner.memory, runner.target = timeout, memory, target
        try:
            return runner.run(cells)
        finally:
            self.free.put(runner)

    def stop(self) -> None:
        """End every process; a thread that waits for one gets `Stopped`."""
        for runner in list(self.all):
            runner.stop()

    def close(self) -> None:
        """Call after `stop`, when no thread waits any more."""
        for runner in self.all:
            runner.close()
