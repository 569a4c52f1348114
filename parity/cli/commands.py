"""The commands of `python -m parity`, one file each."""

from __future__ import annotations

from typing import Annotated

import typer

import scratchcnn
from parity.cli import (
    audit,
    check,
    compare,
    diff,
    faults,
    grade,
    kinds,
    report,
    settle,
    sweep,
    sweep_report,
    time,
    train,
    verify,
)

app = typer.Typer(
    help="Check that NumPy networks and layers, ours or yours, are the same functions as PyTorch's.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
# In the order of use, which is the order of `parity -h`.
app.command()(verify.verify)
app.command()(check.check)
app.command()(train.train)
app.command()(time.time)
app.command()(report.report)
app.command()(diff.diff)
app.command()(compare.compare)
app.command()(settle.settle)
app.command()(audit.audit)
app.command()(grade.grade)
app.command()(kinds.kinds)
app.command()(faults.faults)
app.command()(sweep.sweep)
app.command("sweep-report")(sweep_report.sweep_report)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"parity of scratchcnn {scratchcnn.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass
