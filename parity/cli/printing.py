"""What `check`, `train` and `compare` print of a comparison: a line per tensor, a summary, the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from parity.comparison.records import AS_CALLED, GRADIENT_PHASES, Record, crosses_kinks, frame, unproven
from parity.comparison.wording import inconclusive, percent
from scratchcnn.cli import printable

if TYPE_CHECKING:
    import pandas as pd

    from parity.checks.training import Outcome

INCONCLUSIVE = (
    "inconclusive: in some float32 gradients and steps PyTorch's own runs differ so much that a wrong tensor "
    "could pass; the verdict rests on the other comparisons, which cover every layer's output and gradients"
)


class Printer:
    """Prints a line per tensor; unless verbose, the many of a training step, or of a call whose tensors were
    compared layer by layer before, share one."""

    def __init__(self, console: Console, verbose: bool):
        self.console, self.verbose = console, verbose
        self.step: list[Record] = []

    def add(self, row: Record) -> None:
        if self.verbose or not row.phase.startswith(("step", *AS_CALLED)):
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
            self.console.print(summary(self._label(), self.step))
        self.step = []

    def _label(self) -> str:
        phase = self.step[0].phase
        if phase.startswith("step"):
            return f"{phase:9} {len(self.step):3} tensors (loss, parameters, optimizer state)"
        parts = next((row.shape[0] for row in self.step if row.tensor == "parts"), 0)
        split = f" (the batch in {parts} parts)" if parts else ""
        return f"{phase:18} {len(self.step):3} tensors{split}"


def line(row: Record, reference: str = "PyTorch") -> str:
    """`forward conv1 out 8x6x28x28 off by 1.8e-15 from PyTorch, 1.2e-15 of scale; 3 % of what is allowed  ok`

    A float32 tensor is compared with the float64 result, and its bits with the reference's float32.
    """
    case = f" [{row.case}]" if row.case else ""
    where = escape(printable(f"{row.phase:9} {row.layer:10} {row.tensor:7}{case}"))
    shape = "x".join(map(str, row.shape)) or "scalar"
    if row.why:
        return f"{where} {shape:14} [red]FAIL[/red] {escape(row.why)}"
    if equal_exactly(row):
        return f"{where} {shape:14} equal, exactly  {mark(row.ok)}"
    origin = "the float64 result" if row.dtype == "float32" else reference
    same_bits = f"  same bits as {reference}" if row.exact else ""
    return (
        f"{where} {shape:14} off by {row.max_abs:8.1e} from {origin}, {row.max_rel:7.1e} of scale; "
        f"{percent(row.margin)} of what is allowed  {mark(row.ok)}{same_bits}"
    )


def equal_exactly(row: Record) -> bool:
    """Whether these are whole numbers or truth values, which no tolerance judges, and the same."""
    return row.ok and not row.dtype.startswith(("float", "complex"))


def summary(label: str, rows: list[Record]) -> str:
    """The label, the worst of the records and whether all passed."""
    worst = max(rows, key=lambda row: row.margin)
    return (
        f"{label}; worst {escape(f'{worst.layer} {worst.tensor}')}: {worst.max_rel:.1e} of scale, "
        f"{percent(worst.margin)} of what is allowed  {mark(all(row.ok for row in rows))}"
    )


def mark(ok: bool) -> str:
    return "[green]ok[/green]" if ok else "[red]FAIL[/red]"


def undecided(records: list[Record], outcomes: list[Outcome]) -> bool:
    """Whether nothing differs and all that is missing is a training that has learnt something."""
    same = all(row.ok for row in records) and all(outcome.alike for outcome in outcomes)
    return same and not unproven(records) and not all(outcome.learnt for outcome in outcomes)


def verdict(records: list[Record], outcomes: list[Outcome]) -> tuple[bool, Iterator[str]]:
    """Whether everything matched, and the closing lines."""
    wrong = [row for row in records if not row.ok]
    empty = unproven(records)
    ok = bool(records or outcomes) and not wrong and not empty and all(outcome.ok for outcome in outcomes)

    def lines() -> Iterator[str]:
        yield from group_lines(frame(records))
        for outcome in outcomes:
            yield f"{outcome.sentence()}  {mark(outcome.ok)}"
        if any(crosses_kinks(row.dtype, row.phase) and not row.proves for row in records):
            yield INCONCLUSIVE
        for name in empty:
            yield f"[red]{escape(inconclusive(name))}[/red]"
        if ok:
            yield "[bold green]MATCH[/bold green]: the same functions as PyTorch's on everything compared"
        elif wrong:
            first = wrong[0]
            place = [first.network, first.layer, first.case, first.phase, first.tensor, first.dtype]
            yield (
                f"[bold red]MISMATCH[/bold red]: {len(wrong)} of {len(records)} tensors; the first: "
                + escape(" ".join(filter(None, place)))
            )
        elif empty:
            yield "[bold red]MISMATCH[/bold red]: nothing differed, but some tensors were never really tested"
        elif undecided(records, outcomes):
            yield "[bold yellow]UNDECIDED[/bold yellow]: " + (
                "nothing differed, but the networks have not learnt; train for more epochs (--epochs)"
            )
        else:
            yield "[bold red]MISMATCH[/bold red]: the two trainings did not end with the same result"

    return ok, lines()


def group_lines(table: pd.DataFrame) -> Iterator[str]:
    """A line per network (or all layers), dtype and device: how many tensors, how they fared, the worst.

    How many float32 gradients and training steps are inconclusive depends on how the machine rounds, so they
    are not counted.
    """
    groups = table.assign(name=table["network"].astype(str).replace("", "layers"))
    for (name, dtype, device), rows in groups.groupby(["name", "dtype", "device"], observed=True, sort=False):
        worst = rows.iloc[int(rows["margin"].argmax())]
        place = escape(f"{worst['layer']} {worst['phase']} {worst['tensor']}")
        where = "" if device == "cpu" else f" {device}"
        steps = rows["phase"].astype(str).str.startswith(GRADIENT_PHASES) & (dtype == "float32")
        few = " (plus some gradients)" if (steps & ~rows["proves"]).any() else ""
        unsure = int((~rows["proves"] & ~steps).sum())
        yield (
            f"{name:16} {dtype:8}{where} {len(rows):4} tensors, {int((~rows['ok']).sum())} wrong, "
            f"{int(rows['exact'].sum())} bit-equal, {unsure} inconclusive{few}; "
            f"worst: {place}, {percent(worst['margin'])} of what is allowed  "
            f"{mark(bool(rows['ok'].all()))}"
        )
