"""What the commands share: arguments and printing."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import rich.console
import typer

from scratchcnn.networks import NETWORKS


def _network_names(incomplete: str) -> list[str]:
    """For tab completion."""
    return [name for name in NETWORKS if name.startswith(incomplete)]


NetworkName = Annotated[
    str,
    typer.Argument(
        metavar="NETWORK",
        help=f"One of {', '.join(NETWORKS)}.",
        show_default=False,
        autocompletion=_network_names,
    ),
]

WEIGHTS = typer.Option(
    "--weights",
    help="The network's weights: written by train --out, or PyTorch's (.pth, .safetensors).",
    metavar="FILE",
    show_default=False,
)


def console() -> rich.console.Console:
    """A console that prints text unchanged and unwrapped; tables get 140 columns without a terminal."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 140
    return rich.console.Console(width=width, highlight=False, markup=False, emoji=False, soft_wrap=True)
