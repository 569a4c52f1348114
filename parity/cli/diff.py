"""`python -m parity diff OLD NEW`: what got worse or better between two reports."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.options import console

if TYPE_CHECKING:
    from parity.report.diff_rules import Change

MOST_LINES = 40  # of changes that are printed, for each of worse and better


class ComparedPart(StrEnum):
    accuracy = "accuracy"
    faults = "faults"
    speed = "speed"
    counts = "counts"


def diff(
    old: Annotated[Path, typer.Argument(help="Folder of the earlier report.")],
    new: Annotated[Path, typer.Argument(help="Folder of the later report.")],
    only: Annotated[
        list[ComparedPart] | None,
        typer.Option(help="Part to compare; repeat the option for several.", show_default="all"),
    ] = None,
) -> None:
    """List what got worse or better between two reports: accuracy, caught bugs, speed, counts of NumPy calls.

    What OLD holds and NEW lacks is worse too; --only leaves out a part that NEW was made without.

    Exit status: 0 nothing is worse, 1 something is, 2 misuse.
    """
    from parity.report.diff import PARTS, compare, read

    parts = tuple(part.value for part in only) if only else tuple(PARTS)
    found = compare(read(old), read(new), parts)
    for name, changes in (("worse", found.worse), ("better", found.better)):
        if changes:
            console.rule(name, align="left")
            for change in changes[:MOST_LINES]:
                console.print(line(change), markup=False)
            if len(changes) > MOST_LINES:
                console.print(f"... and {len(changes) - MOST_LINES:,} more")
    for note in found.notes:
        console.print(note, markup=False)
    compared = ", ".join(f"{count:,} rows of {part}" for part, count in found.compared.items())
    console.print(f"{len(found.worse)} worse, {len(found.better)} better; compared {compared}")
    raise typer.Exit(1 if found.worse else 0)


def line(change: Change) -> str:
    """`speed     lenet step N=100   0.90 (0.88 to 0.92) -> 1.30 (1.25 to 1.33)`"""
    return f"{change.part:9} {change.what}   {change.old} -> {change.new}"
