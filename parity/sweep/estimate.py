"""What a plan will take: its cells are counted, and a few of every sort are run."""

from __future__ import annotations

import io
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pyarrow.parquet as pq

from parity.sweep.cell import CannotRun
from parity.sweep.expand import BATCH, WEIGHT, Cell, expand
from parity.sweep.plan import Plan
from parity.sweep.runner import Runner

EACH = 40  # cells of a sort that are timed; of those that are heavy, as many as fill a batch, but a few
FEW = 4
Sort = tuple[str, str]  # the part; probe, contracts, a network in a dtype, ...


@dataclass
class Estimate:
    """How many cells there are of each sort, and the seconds that one takes on one core.

    start    seconds until a process is ready to run cells; every worker takes them once
    untimed  why a sort could not be timed on this machine: a GPU is missing
    """

    cells: Counter[Sort] = field(default_factory=Counter)
    seconds: dict[Sort, float] = field(default_factory=dict)
    start: float = 0.0
    untimed: dict[Sort, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.cells.total()

    @property
    def work(self) -> float:
        """Seconds on one core, of the sorts that could be timed."""
        return sum(self.cells[sort] * seconds for sort, seconds in self.seconds.items())

    def taken(self, workers: int) -> float:
        """Seconds of waiting, by so many workers."""
        return self.start + self.work / workers


def estimate(plan: Plan, weight: int = BATCH) -> Estimate:
    """Count the cells and time a random few of every sort."""
    found, samples = Estimate(), defaultdict[Sort, list[Cell]](list)
    for cell in expand(plan):
        sort, most = _sort(cell), max(FEW, min(EACH, BATCH // WEIGHT[cell.what]))
        found.cells[sort] += 1
        if len(samples[sort]) < most:
            samples[sort].append(cell)
        elif (drawn := int(cell.id, 16) % found.cells[sort]) < most:  # every cell has the same chance
            samples[sort][drawn] = cell
    with Runner(plan.timeout, plan.memory) as runner:
        found.start = _started(runner)
        for sort, cells in samples.items():
            try:
                each, batch = _timed(runner, cells)
            except CannotRun as error:
                found.untimed[sort] = str(error)
                continue
            found.seconds[sort] = each + batch * min(WEIGHT[cells[0].what] / weight, 1)
    return found


def _started(runner: Runner) -> float:
    """Seconds until a fresh process has run its first cell."""
    start = time.perf_counter()
    runner.run([Cell("", "probe", "relu", "2x3", "float64")])
    return time.perf_counter() - start


def _timed(runner: Runner, cells: list[Cell]) -> tuple[float, float]:
    """Seconds a cell, and what a batch costs besides: a process, the way there and back.

    What a cell does for the first time takes longer, so that the first run is not the one that counts,
    unless the cells are long enough for that to be no matter.
    """
    for _ in range(2):
        start = time.perf_counter()
        result = runner.run(cells)
        whole = time.perf_counter() - start
        rows = pq.ParquetFile(io.BytesIO(result.data)).read(columns=["cell", "seconds"]).to_pandas()
        work = float(rows.drop_duplicates("cell")["seconds"].sum())
        if whole > 1:
            break
    return work / len(cells), max(whole - work, 0.0)


def _sort(cell: Cell) -> Sort:
    where = "" if cell.device == "cpu" else f" {cell.device}"
    return cell.part, (f"{cell.name} {cell.dtype}" if cell.what == "network" else cell.what) + where
