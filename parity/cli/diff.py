"""`python -m parity diff OLD NEW`: exit status 0 nothing worse, 1 a regression, 2 misuse."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from parity.report.diff_rules import Change

console = Console(highlight=False, soft_wrap=True)
SHOWN = 40


class Part(StrEnum):
    accuracy = "accuracy"
    faults = "faults"
    speed = "speed"


def diff(
    old: Annotated[Path, typer.Argument(help="Folder of the earlier report.")],
    new: Annotated[Path, typer.Argument(help="Folder of the later report.")],
    only: Annotated[
        list[Part] | None, typer.Option(help="Compare this part; repeat it for several.", show_default="all")
    ] = None,
) -> None:
    """Say what got worse or better between two reports, in accuracy, kills and speed."""
    from parity.report.diff import PARTS, compare, read

    parts = tuple(part.value for part in only) if only else tuple(PARTS)
    found = compare(read(old), read(new), parts, wanted=bool(only))
    for name, changes in (("worse", found.worse), ("better", found.better)):
        if changes:
            console.rule(name, align="left")
            for change in changes[:SHOWN]:
                console.print(line(change), markup=False)
            if len(changes) > SHOWN:
                console.print(f"... and {len(changes) - SHOWN:,} more")
    for note in found.notes:
        console.print(note, markup=False)
    compared = ", ".join(f"{count:,} rows of {part}" for part, count in found.compared.items())
    console.print(f"{len(found.worse)} worse, {len(found.better)} better; compared {compared}")
    raise typer.Exit(1 if found.worse else 0)


def line(change: Change) -> str:
    """`speed     lenet step N=100   0.90 (0.88 to 0.92) -> 1.30 (1.25 to 1.33)`"""
    return f"{change.part:9} {change.what}   {change.old} -> {change.new}"
