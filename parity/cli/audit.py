"""`python -m parity audit`: would these tests have noticed?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from parity.cli.options import JsonOption, Misuse, console, only_json, print_json, print_table, save
from parity.kinds.names import kind_by_name

if TYPE_CHECKING:
    from parity.audit.audit import Audit


OF_A_NETWORK = (
    "no test is suggested: the tests do not show how the network is built from plain values, or it does not "
    "take new values in its params; two tests notice such bugs: one that compares gradient(x, t) with "
    "differences of loss(x, t) for every parameter, and one that compares predict(x) with the same sums "
    "written out"
)


def audit(
    tests: Annotated[
        Path,
        typer.Argument(
            help="The tests: a file for pytest or unittest (or file.py::test), a script, a notebook."
        ),
    ],
    of: Annotated[
        str, typer.Option("--of", help="What is under test: path/to/layers.py:Name, or :forward,backward.")
    ],
    kind: Annotated[
        str | None, typer.Option("--as", help="What it is meant to be.", show_default="by its name")
    ] = None,
    source: Annotated[
        bool, typer.Option(help="Also try small changes of its own source (swapped axes, = for +=, ...).")
    ] = True,
    only: Annotated[str, typer.Option("-k", help="Only these tests: an expression as pytest takes.")] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the table of audits: a row per file of tests, replaced when it is audited again. "
            "A report shows that of its folder audit/.",
            show_default="none",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put known bugs into a class, run its tests on each, and print the test that is missing.

    The tests run once as they are, when they must pass, and once per bug, each time in a process of its own.

    Exit status: 0 every bug was noticed; 1 some were not; 2 misuse, or the tests do not pass as they are.
    """
    meant = kind or kind_by_name(of)
    if meant is None:
        raise Misuse(f"the name of {of} does not say what it is; add --as convolution, or another kind")
    from parity.audit.audit import SURVIVED
    from parity.audit.audit import audit as run

    with only_json(as_json), console.status("the tests as they are") as shown:
        found = run(tests, of, meant.replace("-", "_").lower(), shown.update, source, only=only)
    if as_json:
        print_json(found.data())
    else:
        _print(found)
    if out is not None:
        with only_json(as_json):
            _keep(out, found.row(f"{tests.name} of {of.rpartition(':')[2]}"))
    raise typer.Exit(1 if found.of(SURVIVED) else 0)


def _keep(folder: Path, row: dict[str, Any]) -> None:
    """Put the row into the folder's table, for the row of the same tests if there is one."""
    import pandas as pd

    path = folder / "audit.parquet"
    rows = pd.read_parquet(path).to_dict("records") if path.is_file() else []
    rows = [old for old in rows if old["tests"] != row["tests"]]
    save(folder, {"audit": pd.DataFrame([*rows, row])})


def _print(found: Audit) -> None:
    from rich.table import Table

    from parity.adapters.wire import clean
    from parity.audit.audit import CATALOGUE, EQUIVALENT, KILLED, NOT_APPLIED, SOURCE, SURVIVED

    table = Table("", KILLED, SURVIVED, EQUIVALENT, NOT_APPLIED)
    for of in (CATALOGUE, SOURCE):
        counts = [sum(m.of == of for m in found.of(o)) for o in (KILLED, SURVIVED, EQUIVALENT, NOT_APPLIED)]
        table.add_row(of, *map(str, counts))
    print_table(table)
    for mutant in found.of(SURVIVED):
        console.print(f"survived: {clean(mutant.name)}: {clean(mutant.story)}", markup=False)
    for why in sorted({m.why for m in found.of(NOT_APPLIED)}):
        count = sum(m.why == why for m in found.of(NOT_APPLIED))
        console.print(f"could not be applied ({count}): {why}", markup=False)
    if found.idle:
        names = ", ".join(clean(name, 120) for name in found.idle)
        console.print(f"tests that noticed nothing: {names}", markup=False)
    if found.suggestion:
        console.print(f"this test would notice {len(found.killed_by_it)} of the survivors:\n", markup=False)
        console.print(found.suggestion, markup=False)
    if found.kind == "network" and found.of(SURVIVED) and not found.suggestion:
        console.print(OF_A_NETWORK, markup=False)
    after = f"; {found.rate_after:.0%} with the test above" if found.suggestion else ""
    console.print(f"noticed: {found.rate:.0%} of the bugs{after} ({found.seconds:g} s)", markup=False)
