"""`python -m parity faults`: the checker checked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

console = Console(highlight=False, soft_wrap=True)


def faults(
    seeds: Annotated[
        int, typer.Option(help="Seeds on which correct implementations must pass.", min=0)
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Draws the probes of the kill matrix.", min=0)] = 0,
    workers: Annotated[int, typer.Option(help="Processes that look for false alarms.", min=1)] = 2,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables, CSV and Parquet.", show_default="none")
    ] = None,
) -> None:
    """Put every known bug in and see it caught, placed and named; see correct code left alone."""
    from parity import kill
    from parity.injection import all_injections
    from parity.tables import write_tables

    start = time.perf_counter()
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("kill matrix", total=None)

        def progress(text: str) -> None:
            bar.update(task, description=text)

        matrix = kill.kill_matrix(progress, seed)
        injections = kill.injection_frame(all_injections(progress, seed))
        alarms, compared = kill.false_alarms(seeds, progress, workers) if seeds else (pd.DataFrame(), 0)
    if out is not None:
        summary = kill.totals(matrix, injections, alarms, compared, seeds)
        tables = {"faults": matrix, "injections": injections, "alarms": alarms, "faults_summary": summary}
        for path in write_tables(out, tables):
            console.print(f"wrote {path}")
    console.print(matrix_table(matrix))
    failures = kill.failures(matrix, injections, alarms)
    for text in kill.figures(matrix, injections, alarms, compared, seeds):
        console.print(text)
    for text in failures:
        console.print(f"[red]{text}[/red]")
    console.print(f"{time.perf_counter() - start:.0f} s")
    raise typer.Exit(1 if failures else 0)


def matrix_table(matrix: pd.DataFrame) -> Table:
    """The kill matrix as people read it."""
    from parity.practices import PRACTICES

    table = Table("fault", "kind", "killed by", "on", "diagnosed", *PRACTICES, box=None, header_style="bold")
    marks = {True: "x", False: ".", None: " "}
    for row in matrix.to_dict("records"):
        said = [marks[None if pd.isna(row[p]) else bool(row[p])] for p in PRACTICES]
        killed = row["killed_by"] or ("equivalent" if row["equivalent"] else "[red]SURVIVED[/red]")
        named = "yes" if row["named"] else ("[red]wrong[/red]" if row["misnamed"] else "")
        table.add_row(row["fault"], row["kind"], killed, row["case"], named, *said)
    return table
