"""`python -m parity sweep`: thousands of checks, on this machine or on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.interruption import INTERRUPTED
from parity.cli.options import Misuse, console
from parity.cores import cores
from parity.sweep.cells import BATCH

if TYPE_CHECKING:
    from parity.sweep.plan import Plan
    from parity.sweep.summary import Summary

RESUMABLE = "what is finished is kept; run the same command again to continue"


def sweep(
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN.toml", help="What to check; README.md shows an example.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Output folder. If it already holds rows of this plan, the sweep resumes.",
            show_default="required, except for --dry-run",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Number of processes on this machine.", show_default="one per core", min=1),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler, tcp://host:port.", show_default="none"),
    ] = None,
    batch: Annotated[
        int, typer.Option(help="Cells per batch, run and written together; heavy cells count more.", min=1)
    ] = BATCH,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count the cells and estimate the run time.")
    ] = False,
) -> None:
    """Check networks x layers x geometries x dtypes x devices x seeds x faults, cell by cell.

    Exit status: 0 all match, 1 some do not, 2 misuse or what could not be run, 130 interrupted.
    """
    if scheduler and workers:
        raise Misuse("--workers counts processes here and --scheduler names a cluster; give only one of them")
    if out is None and not dry_run:
        raise Misuse("--out is missing: the folder to write the rows to")
    from parity.sweep.plan import load_plan

    asked = load_plan(plan)
    count = workers or cores()
    if dry_run:
        _print_estimate(asked, count, scheduler, batch)
    elif out is not None:
        _run(asked, out, count, scheduler, batch)


def _run(plan: Plan, out: Path, workers: int, scheduler: str | None, batch: int) -> None:
    from parity.sweep.cell import CannotRun
    from parity.sweep.cluster import ClusterError
    from parity.sweep.run import Tally, sweep
    from parity.sweep.store import Store
    from parity.sweep.summary import summarize

    tally = Tally()
    try:
        sweep(plan, out, workers, scheduler, console, tally, batch)
    except KeyboardInterrupt:
        console.print(f"stopped: {tally}\n{RESUMABLE}")
        raise typer.Exit(INTERRUPTED) from None
    except (CannotRun, ClusterError) as error:
        if tally.total:
            console.print(str(tally))
        raise Misuse(f"{error}; {RESUMABLE}" if tally.total else str(error)) from None
    console.print(f"{tally}\nwrote {Store(out).rows}", markup=False)
    finish(summarize(Store(out)))


def finish(summary: Summary) -> None:
    """Print the closing lines, and exit with the status that they mean."""
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
            raise Misuse(str(error)) from None
        where = f"the cluster's {workers} thread{'s' * (workers > 1)}, if they are as fast as this machine"
    with console.status("counting the cells and timing a few of every sort"):
        found = estimate(plan, batch)
    for text in found.lines():
        console.print(text, markup=False)
    untimed = ", without the cells that were not timed" if found.untimed else ""
    console.print(
        f"{found.total:,} cells, {found.work / 3600:.2f} core hours; about {_duration(found.taken(workers))} "
        f"with {where}{untimed}"
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 3600:.1f} h"
