"""The commands of `python -m parity`, one file each."""

from __future__ import annotations

from typing import Annotated

import typer

import scratchcnn
from parity.cli import check, diff, faults, kinds, report, sweep, time, train, verify

app = typer.Typer(
    help="Check that scratchcnn's networks and layers are the same functions as PyTorch's, and time both.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command()(check.check)
app.command()(faults.faults)
app.command()(sweep.sweep)
app.command("sweep-report")(sweep.sweep_report)
app.command("sweep-speed")(sweep.sweep_speed)
app.command()(time.time)
app.command()(report.report)
app.command()(diff.diff)
app.command()(train.train)
app.command()(verify.verify)
app.command()(verify.compare)
app.command()(kinds.kinds)


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
