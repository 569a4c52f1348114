"""`python -m parity sweep-report`: what a sweep found, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from parity.cli.options import Misuse, print_written


def sweep_report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of a sweep, whether finished or not.")
    ],
    out: Annotated[Path | None, typer.Option(help="Page to write.", show_default="DIR/report.html")] = None,
) -> None:
    """Summarize a sweep on one page: totals, worst margins, failures by culprit, throughput.

    Exit status: 0 all match, 1 some do not or the sweep is not finished, 2 misuse.
    """
    from parity.cli.sweep import finish
    from parity.sweep.report import write_report
    from parity.sweep.store import Store
    from parity.sweep.summary import summarize

    store = Store(folder)
    if not store.files():
        raise Misuse(
            f"{folder} holds no rows of a sweep; to make some, run "
            f"python -m parity sweep PLAN.toml --out {folder}"
        )
    summary = summarize(store)
    print_written(write_report(summary, out or folder / "report.html"))
    finish(summary)
