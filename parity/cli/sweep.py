"""`python -m parity sweep` and `sweep-report`: thousands of checks, here or on a cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from parity.sweep.cells import BATCH

if TYPE_CHECKING:
    from parity.sweep.plan import Plan
    from parity.sweep.summary import Summary

console = Console(highlight=False, soft_wrap=True)
STOPPED = 130  # what a shell says of a command that Ctrl-C ended


def sweep(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.toml", help="What to check; README shows one.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the rows; one that has some is gone on with.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes on this machine.", show_default="a core each", min=1)
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="A Dask scheduler, tcp://host:port.", show_default="none")
    ] = None,
    batch: Annotated[
        int, typer.Option(help="Cells that are run and written together; heavy ones count for more.", min=1)
    ] = BATCH,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count the cells, time a few, run no more.")
    ] = False,
) -> None:
    """Check networks x layers x geometries x dtypes x devices x seeds x faults, cell by cell."""
    from parity.sweep import run
    from parity.sweep.cell import CannotRun
    from parity.sweep.cluster import ClusterError
    from parity.sweep.plan import load_plan
    from parity.sweep.store import Store
    from parity.sweep.summary import summarize

    asked = load_plan(plan)
    if scheduler and workers:
        raise ValueError("--workers counts processes here and --scheduler names a cluster; give one of them")
    workers = workers or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else [1])
    if dry_run:
        _print_estimate(asked, workers, scheduler, batch)
        return
    if out is None:
        raise ValueError("--out is missing: the folder that the rows are written to")
    tally, again = run.Tally(), "what is finished is kept; the same command goes on from there"
    try:
        run.sweep(asked, out, workers, scheduler, console, tally, batch)
    except KeyboardInterrupt:
        console.print(f"stopped: {tally}\n{again}")
        raise typer.Exit(STOPPED) from None
    except (CannotRun, ClusterError) as error:
        if tally.total:
            console.print(f"{tally}")
        raise ValueError(f"{error}; {again}" if tally.total else str(error)) from None
    console.print(f"{tally}\nwrote {Store(out).rows}")
    _finish(summarize(Store(out)))


def sweep_report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a sweep, finished or not.")],
    out: Annotated[
        Path | None, typer.Option(help="The page to write.", show_default="DIR/report.html")
    ] = None,
) -> None:
    """Totals, the worst margins, failures by culprit and diagnosis, and throughput, as one page."""
    from parity.sweep.report import write_report
    from parity.sweep.store import Store
    from parity.sweep.summary import summarize

    store = Store(folder)
    if not store.files():
        raise ValueError(
            f"{folder} holds no rows of a sweep; python -m parity sweep PLAN.toml --out {folder}"
        )
    summary = summarize(store)
    path = write_report(summary, out or folder / "report.html")
    console.print(f"wrote {path}")
    _finish(summary)


def sweep_speed(
    seeds: Annotated[int, typer.Option(help="34 cells each.", min=30)] = 150,
    runs: Annotated[int, typer.Option(help="Of everything; the median is told.", min=1)] = 3,
    batch: Annotated[int, typer.Option(help="As of `sweep`.", min=1)] = BATCH,
) -> None:
    """Measure what a cell of a sweep costs besides its check, here and on a Dask cluster of this machine."""
    from parity.sweep.speed import measure

    with console.status("starting") as status:
        found = measure(seeds, runs, batch, status.update)
    for text in found.lines():
        console.print(text, markup=False)


def _finish(summary: Summary) -> None:
    """The closing lines, and the exit status that they mean."""
    for text in summary.lines():
        console.print(text, markup=False)
    raise typer.Exit(0 if summary.ok else 1)


def _print_estimate(plan: Plan, workers: int, scheduler: str | None, batch: int) -> None:
    from parity.sweep.cluster import Cluster, ClusterError
    from parity.sweep.estimate import estimate

    where = f"{workers} process{'es' * (workers > 1)} here"
    if scheduler:
        try:
            with Cluster(scheduler) as cluster:
                workers = cluster.threads()
        except ClusterError as error:
            raise ValueError(str(error)) from None
        where = f"the cluster's {workers} thread{'s' * (workers > 1)}, were they as fast as this machine"
    with console.status("counting the cells and timing a few of every sort"):
        found = estimate(plan, batch)
    for sort, count in found.cells.items():
        told = f"{1e3 * found.seconds[sort] / count:8.2f} ms each" if sort in found.seconds else "not timed: "
        text = f"{sort[0]:20} {sort[1]:24} {count:>9,} cells  {told}{found.untimed.get(sort, '')}"
        console.print(text, markup=False)
    untimed = " without those that were not timed" if found.untimed else ""
    console.print(
        f"{found.total:,} cells, {found.work / 3600:.2f} core hours; about {_span(found.taken(workers))} "
        f"with {where}{untimed}"
    )


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 3600:.1f} h"
