"""`python -m parity report`: run everything, and write tables, figures and one page."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from parity.cli.interruption import INTERRUPTED
from parity.cli.options import (
    Device,
    DeviceOption,
    Misuse,
    Seed,
    Threads,
    console,
    print_written,
    set_device,
)

COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(24),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TextColumn("{task.fields[current]}; {task.fields[next]}"),
)


class Part(StrEnum):
    accuracy = "accuracy"
    faults = "faults"
    training = "training"
    speed = "speed"


def report(
    quick: Annotated[bool, typer.Option("--quick", help="A shorter run of the same parts.")] = False,
    skip: Annotated[
        list[Part] | None,
        typer.Option(help="Part to leave out; repeat the option for several.", show_default="none"),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the tables and the page.")] = Path("build/report"),
    device: DeviceOption = Device.cpu,
    threads: Threads = None,
    seed: Seed = 0,
) -> None:
    """Check, inject bugs, train and time; write tables, a README and a self-contained index.html.

    Exit status: 0 all parts passed, 1 one failed, 2 misuse, 130 interrupted.
    """
    parts = tuple(part.value for part in Part if part not in (skip or []))
    if not parts:
        raise Misuse("--skip leaves nothing to do; keep at least one part")
    if out.exists() and not out.is_dir():
        raise Misuse(f"{out} is a file; --out names the folder to write to")
    from parity.cores import cores
    from parity.reference import machine
    from parity.report.collect import collect
    from parity.report.request import QUICK, ReportRequest
    from parity.report.write import write

    set_device(device)
    size = QUICK if quick else {}
    request = ReportRequest(parts=parts, seed=seed, device=device.value, threads=threads or cores(), **size)
    machine.check_threads(request.threads)
    start = time.perf_counter()
    console.print(f"{', '.join(parts)}: {request.about}; Ctrl-C keeps what is done")
    with Progress(*COLUMNS, console=console, transient=True) as bar:
        found = collect(request, TerminalProgress(bar, len(parts)))
    if found.interrupted:
        out = not_replacing(out)
    if not found.tables:
        print("interrupted before the first part was done; nothing was written", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)
    print_written(*write(found, out))
    for part, failed in found.failures.items():
        console.print(f"{part:9} {'[red]FAIL[/red]' if failed else '[green]ok[/green]'}")
        for text in failed:
            console.print(f"  {text}", markup=False)
    console.print(f"{time.perf_counter() - start:.0f} s; open {out / 'index.html'}", markup=False)
    if found.interrupted:
        print(f"interrupted during {found.interrupted}; {out} lacks {'; '.join(found.left)}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(0 if found.ok else 1)


class TerminalProgress:
    """Shows a run's progress on the terminal: a bar for the current part, and a line per finished one."""

    def __init__(self, bar: Progress, parts: int):
        self.bar, self.parts, self.number = bar, parts, 0
        self.task = bar.add_task("", total=None, current="starting", next="")

    def part_started(self, part: str, remaining: tuple[str, ...]) -> None:
        self.number += 1
        coming = f"then {', '.join(remaining)}" if remaining else "the last part"
        name = f"{self.number}/{self.parts} {part}"
        self.bar.reset(self.task, total=None, description=name, current="starting", next=coming)

    def update(self, text: str, done: int, total: int) -> None:
        self.bar.update(self.task, completed=done, total=total or None, current=escape(text))

    def part_finished(self, part: str, seconds: float, failed: list[str]) -> None:
        result = "[red]FAIL[/red]" if failed else "[green]ok[/green]"
        self.bar.console.print(f"{self.number}/{self.parts} {part:9} {result}, {seconds:.0f} s")


def not_replacing(out: Path) -> Path:
    """The folder for an interrupted report, which must not replace a complete one."""
    return out.with_name(f"{out.name}-interrupted") if (out / "index.html").exists() else out
