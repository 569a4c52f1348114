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
    from parity import cli, machine
    from parity.report.collect import PARTS, QUICK, Request, collect
    from parity.report.write import write

    cli.set_device(cli.Device(device.value))
    parts = tuple(part for part in PARTS if part not in (skip or []))
    if not parts:
        raise cli.Misuse("--skip leaves nothing to do; leave at least one part")
    less = QUICK if quick else {}
    request = Request(parts=parts, seed=seed, device=device.value, threads=threads or machine.cores(), **less)
    start = time.perf_counter()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        found = collect(request, lambda text, done, total: bar.update(
            task, description=text, completed=done, total=total or None))  # fmt: skip
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
        print(f"interrupted during {found.interrupted}; {', '.join(found.parts)} are kept", file=sys.stderr)
        raise typer.Exit(130)
    raise typer.Exit(0 if found.ok else 1)


def beside(out: Path) -> Path:
    """Where an interrupted report goes, so that it does not replace a whole one."""
    return out.with_name(f"{out.name}-interrupted") if (out / "index.html").exists() else out
