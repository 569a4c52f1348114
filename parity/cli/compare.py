"""`python -m parity compare`: arrays that two programs saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from parity.cli.options import JsonOption, Misuse, Out, console, only_json, print_json, save

if TYPE_CHECKING:
    from parity.comparison.records import Record

STATUS = {"match": 0, "mismatch": 1, "undecided": 2}


def compare(
    ours: Annotated[
        Path, typer.Argument(help="The arrays to check: .npz, .npy, .csv, .pth, .safetensors, or a folder.")
    ],
    theirs: Annotated[
        Path,
        typer.Argument(help="The reference's arrays, in any of the same formats, in float64 if possible."),
    ],
    names: Annotated[
        Path | None,
        typer.Option(
            "--map", help='A TOML file of lines our-name = "their-name".', show_default="equal names"
        ),
    ] = None,
    exact: Annotated[
        Path | None,
        typer.Option(help="The reference in float64, if both files hold float32.", show_default="none"),
    ] = None,
    out: Out = None,
    as_json: JsonOption = False,
) -> None:
    """Compare arrays that two programs saved, judged like everything else here.

    With --json: {"schema": 1, "outcome": "match", "mismatch" or "undecided", "arrays": [a row per array]}.

    Exit status: 0 all match, 1 one differs, 2 misuse, or the files do not suffice to decide.
    """
    with only_json(as_json):
        rows = _compare(ours, theirs, names, exact, out)
    from parity.verification.files import is_undecided

    wrong = any(not row.ok and not is_undecided(row) for row in rows)
    outcome = "mismatch" if wrong else "undecided" if any(map(is_undecided, rows)) else "match"
    if as_json:
        from parity.verification.as_json import SCHEMA
        from parity.verification.as_json import rows as plain_rows

        print_json({"schema": SCHEMA, "outcome": outcome, "arrays": plain_rows(rows)})
    raise typer.Exit(STATUS[outcome])


def _compare(
    ours: Path, theirs: Path, names: Path | None, exact: Path | None, out: Path | None
) -> list[Record]:
    """The records, after they were printed and written."""
    for path in filter(None, (ours, theirs, names, exact)):
        if not path.exists():
            raise Misuse(f"there is no file or folder {path}")
    from parity.cli.printing import line
    from parity.comparison.records import frame
    from parity.verification.files import ASK, TERMS, compare_files, granted_as_sums, is_undecided
    from scratchcnn.cli import printable

    rows = compare_files(ours, theirs, names, exact)
    if not rows:
        raise Misuse(f"{ours} and {theirs} hold no arrays")
    for row in rows:
        if is_undecided(row):
            console.print(escape(printable(f"{row.phase:9} {row.tensor:18} {row.why}")), style="yellow")
        else:
            console.print(line(row, "theirs"))
    save(out, {"findings": frame(rows)})
    if exact is None and (sums := [row.tensor for row in rows if granted_as_sums(row)]):
        console.print(
            f"{printable(', '.join(sums))}: passed with the rounding of sums of up to {TERMS:,} terms, since "
            f"the files do not show how long the sums are. To judge them more closely, {ASK}",
            markup=False,
        )
    undecided = [row for row in rows if is_undecided(row)]
    wrong = [row for row in rows if not row.ok and not is_undecided(row)]
    if wrong:
        text = f"MISMATCH: {len(wrong)} of {len(rows)} arrays; the first: {wrong[0].tensor}"
    elif undecided:
        text = f"UNDECIDED: {len(undecided)} of {len(rows)} arrays; the first: {undecided[0].tensor}"
    else:
        text = f"MATCH: {len(rows)} arrays"
    console.print(printable(text), markup=False)
    return rows
