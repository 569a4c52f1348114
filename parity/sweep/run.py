"""Run a sweep, from its plan to its rows: what is left to do, on which machines, with progress."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from parity.sweep.cells import BATCH, Batch, batches, expand
from parity.sweep.cluster import Cluster
from parity.sweep.local import run_local
from parity.sweep.plan import Plan
from parity.sweep.store import Store
from parity.sweep.worker import Result

NOTE_EVERY = 1.0  # seconds after which the elapsed time is written to disk again


@dataclass
class Tally:
    """Progress of this run: cells and rows written, the cells of the plan, and the seconds taken."""

    total: int = 0
    before: int = 0
    cells: int = 0
    rows: int = 0
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        return self.before + self.cells == self.total

    def __str__(self) -> str:
        second = max(self.seconds, 1e-9)
        before = f", {self.before:,} finished before" if self.before else ""
        return (
            f"{self.cells:,} cells{before}, of {self.total:,}; {self.rows:,} rows in {self.seconds:.1f} s, "
            f"{self.cells / second:,.0f} cells and {self.rows / second:,.0f} rows per second"
        )


def sweep(
    plan: Plan,
    folder: Path,
    workers: int,
    scheduler: str | None = None,
    console: Console | None = None,
    tally: Tally | None = None,
    weight: int = BATCH,
    target: str = "",
) -> Tally:
    """Run every cell that has no rows yet. Finished batches are on disk, however this ends.

    Raises StoreError, CannotRun and ClusterError. If a `tally` is given, it is kept up to date.
    """
    tally = tally if tally is not None else Tally()
    with Store(folder).opened(plan.as_data()) as store:
        finished = store.finished()
        tally.total, tally.before = 0, 0
        for cell in expand(plan):
            tally.total += 1
            tally.before += bool(finished) and cell.id in finished
        from parity.reference.environment import write_environment

        write_environment(folder)
        store.note(plan=plan.as_data(), cells=tally.total, workers=_describe(workers, scheduler))
        spent, start = store.about().get("seconds", 0.0), time.perf_counter()
        noted = start
        left = batches((c for c in expand(plan) if not finished or c.id not in finished), weight)
        with _CellBar(console, tally) as advance:
            try:
                for batch, result in _results(left, plan, workers, scheduler, target):
                    store.write(batch, result.data)
                    tally.cells += len(batch.cells)
                    tally.rows += result.rows
                    tally.seconds = time.perf_counter() - start
                    advance(len(batch.cells))
                    if (
                        start + tally.seconds > noted + NOTE_EVERY
                    ):  # so a killed sweep leaves its elapsed time
                        store.note(seconds=spent + tally.seconds)
                        noted = start + tally.seconds
            finally:
                tally.seconds = time.perf_counter() - start
                if tally.cells:
                    store.note(seconds=spent + tally.seconds)
    return tally


def _describe(workers: int, scheduler: str | None) -> str:
    return f"a Dask cluster at {scheduler}" if scheduler else f"{workers} local process{'es' * (workers > 1)}"


def _results(
    left: Iterable[Batch], plan: Plan, workers: int, scheduler: str | None, target: str
) -> Iterator[tuple[Batch, Result]]:
    if scheduler is None:
        yield from run_local(left, workers, plan.timeout, plan.memory, target)
        return
    with Cluster(scheduler) as cluster:
        yield from cluster.run(left, plan.timeout, plan.memory, target)


class _CellBar:
    """A progress bar that counts cells; entering it returns the function that advances it."""

    def __init__(self, console: Console | None, tally: Tally):
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=console, disable=console is None, transient=True)
        self.task = self.progress.add_task("cells", total=tally.total, completed=tally.before)

    def __enter__(self) -> Any:
        self.progress.start()
        return lambda count: self.progress.advance(self.task, count)

    def __exit__(self, *_: Any) -> None:
        self.progress.stop()
