"""What the commands share: arguments, printing, and looking up names."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Annotated, TypeVar

import rich.console
import typer

from scratchcnn.networks import NETWORKS

T = TypeVar("T")
NetworkName = Annotated[
    str, typer.Argument(metavar="NETWORK", help=f"One of {', '.join(NETWORKS)}.", show_default=False)
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


def lookup(what: str, name: str, among: Mapping[str, T]) -> T:
    """The entry of that name; hyphens and capitals are allowed.

    Raises ValueError, listing the names, if there is none.
    """
    key = key_of(name)
    if key not in among:
        raise ValueError(f"there is no {what} {name!r}; there are {', '.join(among)}")
    return among[key]


def key_of(name: str) -> str:
    """A name as the tables have it: "ResNet-18" is not among them, "VGG11-BN" becomes "vgg11_bn"."""
    return name.replace("-", "_").lower()
