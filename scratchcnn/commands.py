"""The commands of `python -m scratchcnn`, one file each."""

from __future__ import annotations

from typing import Annotated

import typer

from scratchcnn import __version__
from scratchcnn.book_command import book
from scratchcnn.export_command import export
from scratchcnn.learn_command import learn
from scratchcnn.predict_command import predict
from scratchcnn.summary_command import summary
from scratchcnn.train_command import train

app = typer.Typer(
    help="Convolutional networks in NumPy alone: train one, classify pictures, export it, show its layers.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
for command in (train, predict, export, summary, learn):
    app.command()(command)
app.command(context_settings={"allow_extra_args": True, "allow_interspersed_args": False})(book)


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
