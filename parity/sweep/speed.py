"""`python -m parity.sweep.speed`: what a cell costs in addition to its check.

It is measured with one and two workers, on this machine's processes and on a local Dask cluster. Some
thousands of cells of three sorts are run, several times: empty cells (a row and no check), the probes of one
layer (the cheapest there are), and the same probes called directly, in one process without a sweep. The
clock starts when every worker has returned its first batches, so the seconds in which their processes import
PyTorch do not count.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from parity.sweep.cell import Row, ended, run_cell, timed, warm_up
from parity.sweep.cells import BATCH, Batch, Cell, batches, expand
from parity.sweep.cluster import Cluster
from parity.sweep.local import run_local
from parity.sweep.plan import Plan, make_plan
from parity.sweep.store import Store
from parity.sweep.worker import Result

NOTHING = f"{Path(__file__).resolve()}:nothing"
WORKERS = (1, 2)
FEWEST_SEEDS = 30  # for enough batches after the first ones of each worker


def nothing(cell: Cell) -> list[Row]:
    """Run in place of a cell: its row, and no check."""
    return timed(ended(cell, ""), 0.0)


def cheap_plan(seeds: int) -> Plan:
    """34 cells per seed, about half a millisecond each."""
    part = {"name": "cheap", "layers": ["relu", "tanh", "softmax"], "contracts": False, "seeds": seeds}
    return make_plan({"part": [part]})


@dataclass(frozen=True)
class Speed:
    """The median of several runs.

    where     how the cells were run
    cells     cells per second
    rows      rows written per second
    overhead  microseconds per cell and worker that are not spent in the check itself
    """

    where: str
    cells: float
    rows: float
    overhead: float


@dataclass(frozen=True)
class Measured:
    """The speeds, and what the costs of a larger plan are computed from.

    direct   seconds per cell without a sweep
    writing  rows per second that the store can write
    cells    cells per batch, on average
    """

    speeds: list[Speed]
    direct: float
    writing: float
    rows_per_cell: float
    bytes_per_row: float
    cells: float

    def lines(self, million: int = 1_000_000) -> Iterator[str]:
        """Markdown tables: what was measured, and what a million cells cost at that speed."""
        yield "| run by | cells per second | rows per second | overhead per cell, µs |"
        yield "|---|---|---|---|"
        yield f"| `run_cell` called directly | {1 / self.direct:,.0f} | | |"
        for s in self.speeds:
            yield f"| {s.where} | {s.cells:,.0f} | {s.rows:,.0f} | {s.overhead:,.0f} |"
        yield f"| writing alone | | {self.writing:,.0f} | |"
        yield ""
        slowest = max(s.overhead for s in self.speeds if s.where.startswith("Dask"))
        rows, hours = million * self.rows_per_cell, million * (self.direct + slowest / 1e6) / 3600
        size, files = rows * self.bytes_per_row, million / self.cells
        feeds = self.writing / self.rows_per_cell * (self.direct + slowest / 1e6)
        yield f"| {million:,} such cells on a cluster | |"
        yield "|---|---|"
        yield f"| core hours, of which overhead | {hours:.2f}, {million * slowest / 3.6e9:.2f} |"
        yield f"| rows | {rows:,.0f} |"
        yield f"| on disk | {size / 1e6:,.0f} MB in {files:,.0f} files of {size / files / 1e3:,.0f} kB |"
        yield f"| tasks of the scheduler | {files:,.0f}, two per thread at a time |"
        yield f"| threads that one writer keeps up with | {feeds:,.0f} |"


def measure(
    seeds: int, runs: int, weight: int, progress: Callable[[str], None] = lambda text: None
) -> Measured:
    """Run everything `runs` times in turns; `progress` is called with what comes next."""
    cells = list(expand(cheap_plan(seeds)))
    parts = list(batches(cells, weight))
    found: dict[str, list[tuple[float, float, float]]] = {}
    direct, writing = [], []
    sample: list[tuple[Batch, Result]] = []
    for turn in range(runs):
        progress(f"turn {turn + 1} of {runs}: directly")
        direct.append(_direct(cells))
        for where, workers, run in _ways(parts):
            for target in ("", NOTHING):
                progress(f"turn {turn + 1} of {runs}: {where}")
                name = f"{where}, {'nothing' if target else 'cheap cells'}"
                rate, rows, results = _rate(run(target), 2 * workers)
                work = 0.0 if target else direct[-1]
                found.setdefault(name, []).append((rate, rows, 1e6 * (workers / rate - work)))
                sample = sample if target else results
        writing.append(_writing(sample))
    speeds = [Speed(name, *map(median, zip(*measured, strict=True))) for name, measured in found.items()]
    size, rows = sum(len(r.data) for _, r in sample), sum(r.rows for _, r in sample)
    return Measured(
        speeds, median(direct), median(writing), rows / len(cells), size / rows, len(cells) / len(parts)
    )


def _direct(cells: list[Cell]) -> float:
    """Seconds per cell, one after another in this process."""
    import torch
    from threadpoolctl import threadpool_limits

    warm_up("probe", False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            start = time.perf_counter()
            for cell in cells:
                run_cell(cell)
            return (time.perf_counter() - start) / len(cells)
    finally:
        torch.set_num_threads(threads)


RunTarget = Callable[[str], Iterator[tuple[Batch, Result]]]


def _ways(parts: list[Batch]) -> Iterator[tuple[str, int, RunTarget]]:
    """(name, workers, run): run(target) yields the batches with their results."""
    for workers in WORKERS:
        some = f"{workers} worker{'s' * (workers > 1)}"
        yield f"here, {some}", workers, lambda target, n=workers: run_local(parts, n, target=target)  # type: ignore[misc]
        with started(workers) as address, Cluster(address) as cluster:
            cluster.client.wait_for_workers(workers)
            yield f"Dask, {some}", workers, lambda target, c=cluster: c.run(parts, target=target)  # type: ignore[misc]


@contextmanager
def started(workers: int) -> Iterator[str]:
    """The scheduler's address of a cluster of worker processes on this machine."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as cluster:
        yield cluster.scheduler_address


def _rate(
    results: Iterator[tuple[Batch, Result]], first: int
) -> tuple[float, float, list[tuple[Batch, Result]]]:
    """Cells run and rows written per second after the `first` batches; and the batches."""
    done: list[tuple[Batch, Result]] = []
    with tempfile.TemporaryDirectory() as folder:
        store, start = Store(Path(folder)), 0.0
        for batch, result in results:
            store.write(batch, result.data)
            done.append((batch, result))
            if len(done) == first:
                start = time.perf_counter()
        seconds = time.perf_counter() - start
    later = done[first:]
    cells, rows = sum(len(batch.cells) for batch, _ in later), sum(result.rows for _, result in later)
    return cells / seconds, rows / seconds, done


def _writing(done: list[tuple[Batch, Result]]) -> float:
    """Rows per second that the store writes when it never has to wait."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        start = time.perf_counter()
        for batch, result in done:
            store.write(batch, result.data)
        return sum(result.rows for _, result in done) / (time.perf_counter() - start)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m parity.sweep.speed",
        description="Measure what a cell of a sweep costs in addition to its check.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=150, help="number of seeds (34 cells per seed)")
    parser.add_argument("--runs", type=int, default=3, help="repetitions; the median is reported")
    parser.add_argument("--batch", type=int, default=BATCH, help="same as `parity sweep --batch`")
    options = parser.parse_args(arguments)
    if options.seeds < FEWEST_SEEDS or options.runs < 1 or options.batch < 1:
        parser.error(f"expected --seeds of at least {FEWEST_SEEDS}, --runs and --batch of at least 1")
    for text in measure(options.seeds, options.runs, options.batch, _to_stderr).lines():
        print(text)


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
