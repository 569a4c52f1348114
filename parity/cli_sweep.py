"""`python -m parity sweep` and `sweep-report`: thousands of checks, here or on a cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

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
        _print_estimate(asked, workers)
        return
    if out is None:
        raise ValueError("--out is missing: the folder that the rows are written to")
    tally, again = run.Tally(), "what is finished is kept; the same command goes on from there"
    try:
        run.sweep(asked, out, workers, scheduler, console, tally)
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


def _finish(summary: Summary) -> None:
    """The closing lines, and the exit status that they mean."""
    for text in summary.lines():
        console.print(text, markup=False)
    raise typer.Exit(0 if summary.ok else 1)


def _print_estimate(plan: Plan, workers: int) -> None:
    from parity.sweep.run import estimate

    found = estimate(plan)
    for (part, sort), count in found.cells.items():
        seconds = found.seconds[part, sort]
        console.print(f"{part:20} {sort:24} {count:>9,} cells  {1e3 * seconds:8.1f} ms each", markup=False)
    hours = found.work / 3600
    taken = f"{found.work / workers:.0f} s" if found.work < 3600 else f"{hours / workers:.1f} h"
    console.print(
        f"{found.total:,} cells, {hours:.2f} core hours; about {taken} with {workers} processes here"
    )
