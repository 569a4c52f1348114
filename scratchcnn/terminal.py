"""What the commands of the command line share: how they print, and how they look names up."""

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


def console() -> rich.console.Console:
    """Text as it is, its lines not broken; a table has 140 columns where there is no terminal."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 140
    return rich.console.Console(width=width, highlight=False, markup=False, emoji=False, soft_wrap=True)


def lookup(what: str, name: str, among: Mapping[str, T]) -> T:
    """The entry of that name, hyphens and capitals allowed.

    Raises ValueError, listing the names, when there is none.
    """
    key = name.replace("-", "_").lower()
    if key not in among:
        raise ValueError(f"there is no {what} {name!r}; there are {', '.join(among)}")
    return among[key]
