"""`python -m parity faults`: the checker checked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

console = Console(highlight=False, soft_wrap=True)
BETWEEN = ("weights", "wiring")
SHORT = ("sum", "ones", "close", "mean", "diff", "loss")  # the practices, in a table of 80 columns


def faults(
    kinds: Annotated[
        list[str] | None, typer.Argument(help="Only the faults of these kinds: convolution, adam, ...")
    ] = None,
    seeds: Annotated[
        int, typer.Option(help="Seeds on which correct implementations must pass.", min=0)
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Draws the probes of the kill matrix.", min=0)] = 0,
    workers: Annotated[int, typer.Option(help="Processes, one thread each.", min=1)] = 2,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="A line a fault.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables, CSV and Parquet.", show_default="none")
    ] = None,
) -> None:
    """Put every known bug in and see it caught, placed and named; see correct code left alone."""
    from parity.adapters.process_pool import processes
    from parity.comparison.tables import write_tables
    from parity.faults import kill_matrix as kill
    from parity.faults.inject import all_injections

    start, only = time.perf_counter(), kill.known_kinds(kinds or ())
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as bar, processes(workers) as spread:
        task = bar.add_task("starting", total=None)

        def progress(text: str) -> None:
            bar.update(task, description=text)

        matrix = kill.kill_matrix(progress, seed, only, spread)
        injections = kill.injection_frame(all_injections(progress, seed, only, spread))
        alarms, compared = kill.false_alarms(seeds, progress, only, spread)
    if out is not None:
        summary = kill.totals(matrix, injections, alarms, compared, seeds)
        tables = {"faults": matrix, "injections": injections, "alarms": alarms, "faults_summary": summary}
        for path in write_tables(out, tables):
            console.print(f"wrote {path}")
    if verbose:
        for text in fault_lines(matrix):
            console.print(text)
    console.print(kind_table(kill.by_kind(matrix, injections)))
    console.print("sum ... loss: how many each common practice would have noticed (- cannot look)\n")
    for text in kill.figures(matrix, injections, alarms, compared, seeds):
        console.print(text)
    failures = kill.failures(matrix, injections, alarms)
    for text in failures:
        console.print(f"[red]{text}[/red]")
    console.print(f"{'FAILED' if failures else 'PASSED'} in {time.perf_counter() - start:.0f} s")
    raise typer.Exit(1 if failures else 0)


def kind_table(kinds: pd.DataFrame) -> Table:
    """A row a kind, within 80 columns."""
    from parity.faults.common_practices import PRACTICES

    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("kind", no_wrap=True)
    for name in ("killed", "named", "placed", *SHORT):
        table.add_column(name, justify="right", no_wrap=True)
    for row in kinds.to_dict("records"):
        placed = f"{row['placed']}/{row['injected']}" if row["injected"] else "-"
        named = "-" if row["kind"] in BETWEEN else str(row["named"])  # between layers, the place is the name
        noticed = ["-" if row[p] < 0 else str(row[p]) for p in PRACTICES]
        table.add_row(row["kind"], f"{row['killed']}/{row['faults']}", named, placed, *noticed)
    return table


def fault_lines(matrix: pd.DataFrame) -> list[str]:
    """A line a fault: its name, what killed it first, on which input, and the diagnosis."""
    lines = []
    for row in matrix.to_dict("records"):
        killed = row["killed_by"] or ("equivalent" if row["equivalent"] else "SURVIVED")
        where = " ".join(filter(None, [killed, row["tensor"]])) + (f" [{row['case']}]" if row["case"] else "")
        named = "named" if row["named"] else f"named {row['diagnosis']}" if row["misnamed"] else "unknown"
        lines.append(f"{row['fault']:44} {where}, {named}".replace("[", "\\["))
    return lines
