"""How long a plan will take: its cells are counted, and a few of every sort are run.

They are run in the order of the sweep, since neighbouring cells share their references: for every layer and
network, the cells of the first seeds. The extra time of the first seed's cells is counted as overhead of the
batch, since a fresh process does everything for the first time.
"""

from __future__ import annotations

import io
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow.parquet as pq

from parity.sweep.cell import CannotRun
from parity.sweep.cells import BATCH, WEIGHT, Cell, expand
from parity.sweep.plan import Plan
from parity.sweep.worker import Runner

SAMPLES = {"fault": 3, "file": 6}  # cells of a sort that are run for one layer or network
OTHER_SAMPLES = 24
Sort = tuple[str, str]  # the part; probe, contracts, a network in a dtype, ...
Group = tuple[str, ...]  # cells that are run one after another to time them
SEEDS = 2


@dataclass
class Estimate:
    """How many cells there are of each sort, and how many seconds they take on one core.

    start    seconds until a process is ready to run cells; each worker needs them once
    untimed  why a sort could not be timed on this machine, such as a missing GPU
    """

    cells: Counter[Sort] = field(default_factory=Counter)
    seconds: Counter[Sort] = field(default_factory=Counter)
    start: float = 0.0
    untimed: dict[Sort, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.cells.total()

    @property
    def work(self) -> float:
        """Seconds on one core, for the sorts that could be timed."""
        return float(sum(self.seconds.values()))

    def taken(self, workers: int) -> float:
        """Seconds until that many workers are done."""
        return self.start + self.work / workers

    def lines(self) -> Iterator[str]:
        """One line per sort of cell: how many there are, and how long one takes."""
        for sort, count in self.cells.items():
            if sort in self.seconds:
                time = f"{1e3 * self.seconds[sort] / count:8.2f} ms each"
            else:
                time = f"not timed: {self.untimed.get(sort, '')}"
            yield f"{sort[0]:20} {sort[1]:24} {count:>9,} cells  {time}"


def estimate(plan: Plan, weight: int = BATCH) -> Estimate:
    """Count the cells and time the first few of every sort."""
    found, counts = Estimate(), Counter[tuple[Group, Sort]]()
    samples = defaultdict[Group, list[Cell]](list)
    taken = Counter[tuple[Group, Sort, str, int]]()
    first = {part.name: part.seeds[:SEEDS] for part in plan.parts}
    for cell in expand(plan):
        group, sort = _group(cell), _sort(cell)
        counts[group, sort] += 1
        like = (group, sort, cell.dtype, cell.seed)
        if cell.seed in first[cell.part] and taken[like] < SAMPLES.get(cell.what, OTHER_SAMPLES):
            taken[like] += 1
            samples[group].append(cell)
    for (_, sort), count in counts.items():
        found.cells[sort] += count
    with Runner(plan.timeout, plan.memory) as runner:
        found.start = _started(runner)
        for group, cells in samples.items():
            try:
                each = _timed(runner, cells, weight)
            except CannotRun as error:
                found.untimed |= dict.fromkeys(map(_sort, cells), str(error))
                continue
            for sort, seconds in each.items():
                found.seconds[sort] += counts[group, sort] * seconds  # type: ignore[assignment]
    return found


def _started(runner: Runner) -> float:
    """Seconds until a fresh process has run its first cell."""
    start = time.perf_counter()
    runner.run([Cell("", "probe", "relu", "2x3", "float64")])
    return time.perf_counter() - start


def _timed(runner: Runner, cells: list[Cell], weight: int) -> dict[Sort, float]:
    """Seconds per cell of each sort, with its share of a batch's overhead: a process, and the transport."""
    start = time.perf_counter()
    result = runner.run(cells)
    whole = time.perf_counter() - start
    rows = pq.ParquetFile(io.BytesIO(result.data)).read(columns=["cell", "seconds"])
    work = dict(zip(rows["cell"].to_pylist(), rows["seconds"].to_pylist(), strict=True))
    spent = defaultdict[Sort, list[float]](list)
    for cell in cells:
        if cell.seed == cells[-1].seed:
            spent[_sort(cell)].append(work[cell.id])
    each = {sort: sum(seconds) / len(seconds) for sort, seconds in spent.items()}
    batch = max(whole - sum(each[_sort(cell)] for cell in cells), 0.0)
    share = {_sort(cell): min(WEIGHT[cell.what] / weight, 1) for cell in cells}
    return {sort: seconds + batch * share[sort] for sort, seconds in each.items()}


def _group(cell: Cell) -> Group:
    own = {"network": cell.name + cell.dtype, "file": "file"}.get(cell.what, cell.name)
    return cell.part, cell.device, own, "fault" if cell.what == "fault" else ""


def _sort(cell: Cell) -> Sort:
    where = "" if cell.device == "cpu" else f" {cell.device}"
    return cell.part, (f"{cell.name} {cell.dtype}" if cell.what == "network" else cell.what) + where
