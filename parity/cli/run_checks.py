"""Run the checks of `python -m parity check`, printing each result as it comes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rich.console import Console
from rich.progress import Progress, TaskID

from parity.adapters.subject import subject_here
from parity.checks.culprit import localize
from parity.checks.layer import check_kind, check_sizes
from parity.checks.network import Case, check_network
from parity.checks.training import Outcome, Plan, train_both
from parity.cli.printing import Printer, line, mark, summary
from parity.comparison.records import Record
from parity.kinds import kind_of
from parity.kinds.real_sizes import real_sizes
from parity.reference.trace import Trace

TRAINED = ("simple_conv_net", "lenet")


def check_networks(
    console: Console, cases: Iterable[Case], verbose: bool, mode: str | None = None
) -> list[Record]:
    """Check each case; `mode` names the device in the records where it runs in several modes."""
    records: list[Record] = []
    for case in cases:
        name = mode or case.device
        console.rule(f"{case.network}  {case.dtype}  {name}  seed {case.seed}", align="left")
        printer = Printer(console, verbose)
        rows: list[Record] = []
        traces: dict[str, Trace] = {}
        for row in check_network(case, traces):
            row = replace(row, device=name)
            rows.append(row)
            printer.add(row)
        printer.flush()
        if culprit := localize(rows, traces.get("ours"), traces.get("exact")):
            console.print(f"[red]culprit[/red]: {culprit}. {culprit.sentence}.")
        records += rows
    return records


def check_kinds(
    console: Console,
    kinds: list[str],
    dtypes: list[str],
    device: str,
    seed: int,
    verbose: bool,
    mode: str | None = None,
) -> list[Record]:
    """Check each kind on its probes; one line per kind and dtype unless verbose."""
    records: list[Record] = []
    for dtype in dtypes:
        checked = [kind for kind in kinds if dtype in kind_of(kind).dtypes]
        if checked:
            console.rule(f"individual layers  {dtype}  {mode or device}  seed {seed}", align="left")
        for kind in checked:
            found = list(check_kind(kind, dtype, device, seed, lives=True))
            if dtype == "float64" and mode in (None, device):  # it runs on the CPU: once is enough
                found += check_sizes(kind, subject_here(kind_of(kind).ours, kind), real_sizes(kind, seed))
                found += wrong_geometry(console, kind)
            rows = [replace(row, device=mode or device) for row in found]
            records += rows
            for row in rows if verbose else [r for r in rows if not r.ok]:
                console.print(line(row))
            probes = len({row.case for row in rows})
            console.print(summary(f"{kind:20} {probes:3} probes, {len(rows):3} tensors", rows))
    return records


def wrong_geometry(console: Console, kind: str) -> list[Record]:
    """The records of the smallest random geometry on which ours is wrong, if there is one; prints the lines
    that reproduce it."""
    from parity.checks.random_search import search
    from parity.kinds.random_geometry import WINDOWS
    from parity.verification.reproduction import reproduction

    probe = search(kind, kind_of(kind).ours).probe if kind in WINDOWS else None
    if probe is None:
        return []
    rows = list(check_kind(kind, cases=[probe], contracts=False))
    first = next(row for row in rows if not row.ok)
    console.print(f"wrong on a random geometry; to reproduce {first.phase} {first.tensor}:")
    code = reproduction(kind_of(kind).ours, None, probe, "float64", first.phase, first.tensor, 0)
    console.print(code, markup=False)
    return rows


def train_pairs(console: Console, plans: Iterable[Plan]) -> list[Outcome]:
    """Train both sides of each plan and print the outcome."""
    outcomes = []
    for plan in plans:
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task(f"training {plan.network} {plan.dtype} in both", total=None)

            def progress(done: int, total: int, bar: Progress = bar, task: TaskID = task) -> None:
                bar.update(task, completed=done, total=total)

            outcomes.append(train_both(plan, progress))
        console.print(f"{outcomes[-1].sentence()}  {mark(outcomes[-1].ok)}")
    return outcomes
