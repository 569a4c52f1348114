"""`python -m parity`: the command line, one file per command.

Exit status 0 for success, 1 for a mismatch, 2 for misuse or what could not be checked.
"""

from __future__ import annotations

import sys

import typer

from parity.cli import check, diff, faults, kinds, report, sweep, time, train, verify
from parity.cli.options import Misuse

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


def main(arguments: list[str] | None = None) -> None:
    """The console script: misuse is one sentence on stderr and status 2, never a traceback."""
    try:
        app(arguments)
    except (Misuse, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
