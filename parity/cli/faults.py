"""`python -m parity faults`: the checker checked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from parity.cli.options import Out, Verbose, console, save

if TYPE_CHECKING:
    import pandas as pd

PRACTICE_COLUMNS = ("sum", "ones", "close", "mean", "diff", "loss")  # short, for a table of 80 columns


def faults(
    kinds: Annotated[
        list[str] | None,
        typer.Argument(help="Kinds whose faults to inject: convolution, adam, ...", show_default="all"),
    ] = None,
    seeds: Annotated[
        int, typer.Option(help="Number of seeds on which correct code must pass.", min=0)
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the kill matrix's probes.", min=0)] = 0,
    workers: Annotated[int, typer.Option(help="Number of processes, one thread each.", min=1)] = 2,
    verbose: Verbose = False,
    out: Out = None,
) -> None:
    """Inject every known bug: each must be caught, located and named, and correct code must pass.

    Exit status: 0 all of that holds, 1 it does not, 2 misuse.
    """
    from parity.adapters.process_pool import processes
    from parity.explain import leave_one_out as unaided
    from parity.faults import condition_sweep as sweep
    from parity.faults import kill_matrix as kill
    from parity.faults.inject import all_injections

    start, only = time.perf_counter(), kill.known_kinds(kinds or ())
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as bar, processes(workers) as pool:
        task = bar.add_task("starting", total=None)

        def progress(text: str) -> None:
            bar.update(task, description=text)

        matrix = kill.kill_matrix(progress, seed, only, pool)
        injections = kill.injection_frame(all_injections(progress, seed, only, pool))
        conditions = sweep.condition_frame(progress, seed, only, pool)
        explanations = unaided.leave_one_out(progress, seed, only, pool)
        alarms, compared = kill.false_alarms(seeds, progress, only, pool)
    summary = kill.totals(matrix, injections, alarms, compared, seeds)
    tables = {"faults": matrix, "injections": injections, "conditions": conditions, "alarms": alarms}
    tables |= {"explanations": explanations}
    save(out, {**tables, "faults_summary": summary})
    if verbose:
        for text in fault_lines(matrix):
            console.print(text, markup=False)
    why = unaided.shares(explanations).set_index("kind")["explained"]
    console.print(
        kind_table(kill.by_kind(matrix, injections), {str(kind): int(n) for kind, n in why.items()})
    )
    console.print("why: how many are explained without the catalogue, of those that change values")
    console.print("sum ... loss: how many each common practice would have noticed (- where it cannot look)\n")
    for text in kill.figures(matrix, injections, alarms, compared, seeds):
        console.print(text)
    console.print(sweep.condition_figure(conditions))
    console.print(unaided.figure(explanations))
    failures = kill.failures(matrix, injections, alarms) + sweep.surviving_conditions(conditions)
    failures += unaided.failures(explanations, complete=not only)
    for text in failures:
        console.print(f"[red]{text}[/red]")
    console.print(f"{'FAILED' if failures else 'PASSED'} in {time.perf_counter() - start:.0f} s")
    raise typer.Exit(1 if failures else 0)


def kind_table(kinds: pd.DataFrame, explained: Mapping[str, int]) -> Table:
    """One row per kind, within 80 columns; `explained` counts the faults explained without the catalogue."""
    from parity.faults.common_practices import PRACTICES
    from parity.faults.fault import OF_NETWORKS

    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("kind", no_wrap=True)
    for name in ("killed", "named", "why", "placed", *PRACTICE_COLUMNS):
        table.add_column(name, justify="right", no_wrap=True)
    for row in kinds.to_dict("records"):
        placed = f"{row['placed']}/{row['injected']}" if row["injected"] else "-"
        named = "-" if row["kind"] in OF_NETWORKS else str(row["named"])
        why = str(explained.get(row["kind"], "-"))
        noticed = ["-" if row[p] < 0 else str(row[p]) for p in PRACTICES]
        table.add_row(row["kind"], f"{row['killed']}/{row['faults']}", named, why, placed, *noticed)
    return table


def fault_lines(matrix: pd.DataFrame) -> list[str]:
    """One line per fault: its name, what killed it first, on which input, and the diagnosis."""
    lines = []
    for row in matrix.to_dict("records"):
        killed = row["killed_by"] or ("equivalent" if row["equivalent"] else "SURVIVED")
        where = " ".join(filter(None, [killed, row["tensor"]])) + (f" [{row['case']}]" if row["case"] else "")
        named = "named" if row["named"] else f"named {row['diagnosis']}" if row["misnamed"] else "unknown"
        lines.append(f"{row['fault']:44} {where}, {named}")
    return lines
