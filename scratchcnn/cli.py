"""The command line: `python -m scratchcnn train | predict | export | summary`.

Exit status 0 on success, 2 with one sentence on stderr if the request cannot be carried out, 130 after
Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from scratchcnn import __version__
from scratchcnn.export_command import export
from scratchcnn.predict_command import predict
from scratchcnn.summary_command import summary
from scratchcnn.train_command import train

app = typer.Typer(
    help="Convolutional networks in NumPy alone: train one, classify pictures, export it, show its layers.",
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        status = app(args=args or ["--help"], prog_name="scratchcnn", standalone_mode=False, obj=args)
    except (OSError, ValueError, TypeError, FloatingPointError, MemoryError, ImportError) as error:
        return _fail(str(error) or type(error).__name__)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except Exception as error:
        if not hasattr(error, "format_message"):  # what typer raises for wrong usage
            raise
        return _fail(f"{error.format_message()} (scratchcnn -h shows how it is used)")
    return status if isinstance(status, int) else 0


def _fail(sentence: str, status: int = 2) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return status


for command in (train, predict, export, summary):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"scratchcnn {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass
