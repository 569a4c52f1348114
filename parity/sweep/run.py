"""A sweep from its plan to its rows: what is left to do, on which machines, with progress; and estimates."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from parity.sweep.cluster import Cluster
from parity.sweep.expand import BATCH, Batch, Cell, batches, expand
from parity.sweep.local import run_local
from parity.sweep.plan import Plan
from parity.sweep.runner import Result, Runner
from parity.sweep.store import Store


@dataclass
class Tally:
    """What this run has done: cells and rows written, of how many cells in the plan, in how long."""

    total: int = 0
    before: int = 0
    cells: int = 0
    rows: int = 0
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        return self.before + self.cells == self.total

    def __str__(self) -> str:
        rate = self.cells / self.seconds if self.seconds and self.cells else 0.0
        again = f", {self.before:,} finished before" if self.before else ""
        return (
            f"{self.cells:,} cells{again}, of {self.total:,}; {self.rows:,} rows in {self.seconds:.1f} s, "
            f"{rate:.0f} cells a second"
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
    """Run every cell that has no rows yet. What is finished is on disk, however this ends.

    Raises StoreError, CannotRun and ClusterError; `tally`, where one is given, is kept up to date.
    """
    tally = tally if tally is not None else Tally()
    with Store(folder).opened(plan.as_data()) as store:
        finished = store.finished()
        tally.total, tally.before = 0, 0
        for cell in expand(plan):
            tally.total += 1
            tally.before += bool(finished) and cell.id in finished
        from parity.environment import write_environment

        write_environment(folder)
        store.note(plan=plan.as_data(), cells=tally.total)
        spent, start = store.about().get("seconds", 0.0), time.perf_counter()
        left = batches((c for c in expand(plan) if not finished or c.id not in finished), weight)
        with _bar(console, tally) as advance:
            try:
                for batch, result in _results(left, plan, workers, scheduler, target):
                    store.write(batch, result.data)
                    tally.cells += len(batch.cells)
                    tally.rows += result.rows
                    tally.seconds = time.perf_counter() - start
                    advance(len(batch.cells))
            finally:
                tally.seconds = time.perf_counter() - start
                if tally.cells:
                    store.note(seconds=spent + tally.seconds, workers=_said(workers, scheduler))
    return tally


def _said(workers: int, scheduler: str | None) -> str:
    return f"a Dask cluster at {scheduler}" if scheduler else f"{workers} local process{'es' * (workers > 1)}"


def _results(
    left: Iterable[Batch], plan: Plan, workers: int, scheduler: str | None, target: str
) -> Iterator[tuple[Batch, Result]]:
    if scheduler is None:
        yield from run_local(left, workers, plan.timeout, plan.memory, target)
        return
    with Cluster(scheduler) as cluster:
        yield from cluster.run(left, plan.timeout, plan.memory, target)


class _bar:
    """A progress bar that counts cells; `with` it gives the function that moves it on."""

    def __init__(self, console: Console | None, tally: Tally):
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=console, disable=console is None, transient=True)
        self.task = self.progress.add_task("cells", total=tally.total, completed=tally.before)

    def __enter__(self) -> Any:
        self.progress.start()
        return lambda count: self.progress.advance(self.task, count)

    def __exit__(self, *_: Any) -> None:
        self.progress.stop()


# -- on paper -------------------------------------------------------------------------------------
@dataclass
class Estimate:
    """How many cells there are of each sort, and what one takes, measured on a few of each."""

    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: dict[tuple[str, str], float] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.cells.total()

    @property
    def work(self) -> float:
        """Seconds on one core."""
        return sum(count * self.seconds[sort] for sort, count in self.cells.items())


def estimate(plan: Plan, each: int = 6) -> Estimate:
    """Count the cells, and run `each` of every sort (a part's layers, its faults, each network, ...)."""
    found, samples = Estimate(), defaultdict[tuple[str, str], list[Cell]](list)
    for cell in expand(plan):
        sort = _sort(cell)
        found.cells[sort] += 1
        place, count = len(samples[sort]), found.cells[sort]
        if place < each:
            samples[sort].append(cell)
        elif (drawn := int(cell.id, 16) % count) < each:  # every cell has the same chance
            samples[sort][drawn] = cell
    with Runner(plan.timeout, plan.memory) as runner:
        runner.run(next(iter(samples.values()))[:1])  # starts the process
        for sort, cells in samples.items():
            start = time.perf_counter()
            runner.run(cells)
            found.seconds[sort] = (time.perf_counter() - start) / len(cells)
    return found


def _sort(cell: Cell) -> tuple[str, str]:
    return cell.part, {"network": f"{cell.name} {cell.dtype}", "file": "file"}.get(cell.what, cell.what)
