"""What `python -m parity check` does: run the cases, print a line a tensor, gather one frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from parity.adapters.book import OURS
from parity.checks.culprit import localize
from parity.checks.layer import check_kind
from parity.checks.network import Case, check_network
from parity.checks.training import Outcome, Plan, train_both
from parity.comparison.records import Record, frame, unproven
from parity.reference.trace import Trace

SECONDS = 10.0  # at most, of random geometry a kind
TRAINED = ("simple_conv_net", "lenet")


def check_networks(
    console: Console, cases: Iterable[Case], verbose: bool, mode: str | None = None
) -> list[Record]:
    """Check each case, printing as it goes; `mode` is what to call the device where it runs in several."""
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
    """Check each kind on its probes, a line a kind and dtype unless verbose."""
    records: list[Record] = []
    for dtype in dtypes if kinds else []:
        console.rule(f"layers by themselves  {dtype}  {mode or device}  seed {seed}", align="left")
        for kind in kinds:
            found = list(check_kind(kind, dtype, device, seed))
            found += wrong_geometry(console, kind) if dtype == "float64" else []
            rows = [replace(row, device=mode or device) for row in found]
            records += rows
            for row in rows if verbose else [r for r in rows if not r.ok]:
                console.print(line(row))
            probes = len({row.case for row in rows})
            console.print(summary(f"{kind:20} {probes:3} probes, {len(rows):3} tensors", rows))
    return records


def wrong_geometry(console: Console, kind: str) -> list[Record]:
    """The records of the smallest random geometry on which ours is wrong, with lines that show it."""
    from parity.checks.random_search import search
    from parity.kinds.random_geometry import WINDOWS
    from parity.verification.reproduction import reproduction

    probe = search(kind, OURS[kind], seconds=SECONDS) if kind in WINDOWS else None
    if probe is None:
        return []
    rows = list(check_kind(kind, cases=[probe], contracts=False))
    first = next(row for row in rows if not row.ok)
    console.print(f"wrong on a random geometry; reproduce {first.phase} {first.tensor}:")
    console.print(
        reproduction(OURS[kind], None, probe, "float64", first.phase, first.tensor, 0), markup=False
    )
    return rows


class Printer:
    """A line a tensor; the many tensors of a training step share one unless verbose."""

    def __init__(self, console: Console, verbose: bool):
        self.console, self.verbose = console, verbose
        self.step: list[Record] = []

    def add(self, row: Record) -> None:
        if not row.phase.startswith("step") or self.verbose:
            self.console.print(line(row))
            return
        if self.step and self.step[0].phase != row.phase:
            self.flush()
        self.step.append(row)

    def flush(self) -> None:
        if self.step:
            for row in self.step:
                if not row.ok:
                    self.console.print(line(row))
            label = f"{self.step[0].phase:9} {len(self.step):3} tensors (loss, parameters, optimizer state)"
            self.console.print(summary(label, self.step))
        self.step = []


def line(row: Record) -> str:
    """`forward   conv1    out   8x30x24x24   1.8e-15   1.2e-15 of scale   0.0 % used   ok`"""
    where = f"{row.phase:9} {row.layer:10} {row.tensor:7}" + (escape(f" [{row.case}]") if row.case else "")
    shape = "x".join(map(str, row.shape)) or "scalar"
    if row.why:
        return f"{where} {shape:14} [red]FAIL[/red] {escape(row.why)}"
    bits = "  same bits" if row.exact else ""
    return (
        f"{where} {shape:14} off by {row.max_abs:8.1e}, {row.max_rel:7.1e} of scale; "
        f"uses {percent(row.margin)} of what is allowed  {mark(row.ok)}{bits}"
    )


def summary(label: str, rows: list[Record]) -> str:
    worst = max(rows, key=lambda row: row.margin)
    return (
        f"{label}; worst {worst.layer} {worst.tensor}: {worst.max_rel:.1e} of scale, "
        f"uses {percent(worst.margin)} of what is allowed  {mark(all(row.ok for row in rows))}"
    )


def mark(ok: bool) -> str:
    return "[green]ok[/green]" if ok else "[red]FAIL[/red]"


def percent(margin: float) -> str:
    """A share as people read it: 0 %, 0.0003 %, 12 %, 1e+07 %."""
    if margin == 0:
        return "0 %"
    return f"{100 * margin:.2g} %"


def train_pairs(console: Console, plans: Iterable[Plan]) -> list[Outcome]:
    """Train each pair with a progress bar and say how it ended."""
    outcomes = []
    for plan in plans:
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task(f"training {plan.network} {plan.dtype} in both", total=None)

            def progress(done: int, total: int, bar: Progress = bar, task: int = task) -> None:
                bar.update(task, completed=done, total=total)  # type: ignore[arg-type]

            outcomes.append(train_both(plan, progress))
        console.print(f"{outcomes[-1].sentence()}  {mark(outcomes[-1].ok)}")
    return outcomes


def verdict(records: list[Record], outcomes: list[Outcome]) -> tuple[bool, Iterator[str]]:
    """Whether everything matched, and the closing lines that say so."""
    wrong = [row for row in records if not row.ok]
    empty = unproven(records)
    ok = bool(records or outcomes) and not wrong and not empty and all(outcome.ok for outcome in outcomes)

    def lines() -> Iterator[str]:
        table = frame(records)
        groups = table.assign(name=table["network"].astype(str).replace("", "layers"))
        for (name, dtype, device), rows in groups.groupby(
            ["name", "dtype", "device"], observed=True, sort=False
        ):
            worst = rows.iloc[int(rows["margin"].argmax())]
            place = f"{worst['layer']} {worst['phase']} {worst['tensor']}"
            where = "" if device == "cpu" else f" {device}"
            yield (
                f"{name:16} {dtype:8}{where} {len(rows):4} tensors, {int((~rows['ok']).sum())} wrong, "
                f"{int(rows['exact'].sum())} bit-equal, {int((~rows['proves']).sum())} prove nothing; "
                f"worst: {place}, {percent(worst['margin'])} of what is allowed  "
                f"{mark(bool(rows['ok'].all()))}"
            )
        for outcome in outcomes:
            yield f"{outcome.sentence()}  {mark(outcome.ok)}"
        for name in empty:
            yield f"[red]proves nothing[/red]: all comparisons of {name} would pass zeros or a scaled twin"
        if ok:
            yield "[bold green]MATCH[/bold green]: the same functions as PyTorch's on everything compared"
        elif wrong:
            first = wrong[0]
            at = " ".join(
                filter(None, [first.network, first.layer, first.case, first.phase, first.tensor, first.dtype])
            )
            yield f"[bold red]MISMATCH[/bold red]: {len(wrong)} of {len(records)} tensors; the first: {at}"
        elif empty:
            yield "[bold red]MISMATCH[/bold red]: nothing differed, but not everything was really compared"
        else:
            yield "[bold red]MISMATCH[/bold red]: training did not end alike"

    return ok, lines()
