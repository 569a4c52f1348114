"""`book SCRIPT [ARGUMENT...]`: run one of the book's scripts unchanged."""

from __future__ import annotations

import importlib
import runpy
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from scratchcnn.data import NAMES


def book(
    context: typer.Context,
    script: Annotated[
        Path,
        typer.Argument(metavar="SCRIPT", help="A script, such as ch07/train_convnet.py.", show_default=False),
    ],
    data: Annotated[
        str,
        typer.Option(
            help=f"What load_mnist returns: {', '.join(NAMES)}.",
            metavar="NAME",
            show_default="mnist; the bundled sample where it is not to be had",
        ),
    ] = "",
) -> None:
    """Run a script of the book unchanged: its `common`, `dataset` and `simple_convnet` are ours.

    What stands after SCRIPT is passed to the script.
    """
    if not script.is_file():
        raise FileNotFoundError(
            f"there is no file {script}; start it in the folder of the book's code (ch07/, ...)"
        )
    importlib.import_module("scratchcnn.book.dataset.mnist").use(data)
    sys.path.insert(0, str(script.resolve().parent))
    sys.argv = [str(script), *context.args]
    try:
        runpy.run_path(str(script), run_name="__main__")
    except Exception as error:
        _print_error(error, script)
        raise typer.Exit(1) from None


def _print_error(error: Exception, script: Path) -> None:
    """The traceback, from the script's first line on, as Python prints it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [i for i, frame in enumerate(frames) if frame.filename == str(script)]
    shown = traceback.TracebackException.from_exception(error)
    shown.stack = traceback.StackSummary.from_list(frames[own[0] if own else 0 :])
    print("".join(shown.format()), end="", file=sys.stderr)
    if isinstance(error, ModuleNotFoundError) and error.name == "matplotlib":
        print("the script draws with matplotlib: pip install matplotlib", file=sys.stderr)
