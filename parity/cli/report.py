"""`python -m parity report`: run everything, and write tables, pictures and one page."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

console = Console(highlight=False, soft_wrap=True)
COLUMNS = (TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(),
           TextColumn("{task.fields[works]}; {task.fields[then]}"))  # fmt: skip


class Device(StrEnum):
    cpu = "cpu"
    cuda = "cuda"


class Part(StrEnum):
    accuracy = "accuracy"
    faults = "faults"
    training = "training"
    speed = "speed"


def report(
    quick: Annotated[bool, typer.Option("--quick", help="The same parts with less of each.")] = False,
    skip: Annotated[
        list[Part] | None, typer.Option(help="Leave a part out; repeat it for several.", show_default="none")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the tables and the page.")] = Path("reports"),
    device: Annotated[Device, typer.Option(help="Where PyTorch runs.")] = Device.cpu,
    threads: Annotated[
        int | None, typer.Option(help="For both, PyTorch and NumPy.", show_default="all cores", min=1)
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws weights, images and probes.", min=0)] = 0,
) -> None:
    """Check, break on purpose, train and time; write tables, a README and index.html."""
    from parity.cli import options
    from parity.reference import machine
    from parity.report.collect import collect
    from parity.report.request import PARTS, QUICK, Request
    from parity.report.write import write

    options.set_device(options.Device(device.value))
    parts = tuple(part for part in PARTS if part not in (skip or []))
    if not parts:
        raise options.Misuse("--skip leaves nothing to do; leave at least one part")
    less = QUICK if quick else {}
    request = Request(parts=parts, seed=seed, device=device.value, threads=threads or machine.cores(), **less)
    machine.check_threads(request.threads)
    start = time.perf_counter()
    console.print(f"{', '.join(parts)}: {request.about}; Ctrl-C keeps what is done")
    with Progress(*COLUMNS, console=console, transient=True) as bar:
        found = collect(request, Shown(bar, len(parts)))
    if found.interrupted:
        out = beside(out)
    if not found.tables:
        print("interrupted before the first part was done; nothing was written", file=sys.stderr)
        raise typer.Exit(130)
    for path in write(found, out):
        console.print(f"wrote {path}")
    for part, failed in found.failures.items():
        console.print(f"{part:9} {'[red]FAIL[/red]' if failed else '[green]ok[/green]'}")
        for text in failed:
            console.print(f"  {text}", markup=False)
    console.print(f"{time.perf_counter() - start:.0f} s; open {out / 'index.html'}")
    if found.interrupted:
        print(f"interrupted during {found.interrupted}; {out} lacks {'; '.join(found.left)}", file=sys.stderr)
        raise typer.Exit(130)
    raise typer.Exit(0 if found.ok else 1)


class Shown:
    """Tells the run's progress (parity.report.findings.Told) on the terminal: the part and how much of it is
    done, what is being done, and a line a part that is over."""

    def __init__(self, bar: Progress, parts: int):
        self.bar, self.parts, self.number = bar, parts, 0
        self.task = bar.add_task("", total=None, works="starting", then="")

    def begins(self, part: str, then: tuple[str, ...]) -> None:
        self.number += 1
        said = f"then {', '.join(then)}" if then else "the last part"
        name = f"{self.number}/{self.parts} {part}"
        self.bar.reset(self.task, total=None, description=name, works="starting", then=said)

    def works(self, text: str, done: int, total: int) -> None:
        self.bar.update(self.task, completed=done, total=total or None, works=text)

    def over(self, part: str, seconds: float, failed: list[str]) -> None:
        said = "[red]FAIL[/red]" if failed else "[green]ok[/green]"
        self.bar.console.print(f"{self.number}/{self.parts} {part:9} {said}, {seconds:.0f} s")


def beside(out: Path) -> Path:
    """Where an interrupted report goes, so that it does not replace a whole one."""
    return out.with_name(f"{out.name}-interrupted") if (out / "index.html").exists() else out
