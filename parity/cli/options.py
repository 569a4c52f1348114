"""What several commands share: the console, their options, and what they do with names and devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from scratchcnn.cli import printable
from scratchcnn.lookup import nearest

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

console = Console(highlight=False, soft_wrap=True, emoji=False)
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object, with a version of its schema, and nothing else."),
]
WIDTH = 200  # of a table that is not printed to a terminal


class Misuse(Exception):
    """A request that cannot be carried out; the message is for the user."""


class Dtype(StrEnum):
    float64 = "float64"
    float32 = "float32"


class Dtypes(StrEnum):
    float64 = "float64"
    float32 = "float32"
    both = "both"

    @property
    def names(self) -> list[str]:
        return ["float64", "float32"] if self is Dtypes.both else [self.value]


class Optimizer(StrEnum):
    sgd = "sgd"
    momentum = "momentum"
    nesterov = "nesterov"
    adagrad = "adagrad"
    rmsprop = "rmsprop"
    adadelta = "adadelta"
    adam = "adam"
    adamw = "adamw"
    adamax = "adamax"
    nadam = "nadam"


class Device(StrEnum):
    cpu = "cpu"
    cuda = "cuda"


class DataSet(StrEnum):
    fashion_mnist_sample = "fashion-mnist-sample"
    fashion_mnist = "fashion-mnist"
    mnist = "mnist"


DeviceOption = Annotated[Device, typer.Option(help="Device that PyTorch runs on.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random: weights, images, probes, masks.", min=0)]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder to write the tables to, as CSV and Parquet.", show_default="none"),
]
Threads = Annotated[
    int | None,
    typer.Option(help="Number of threads, the same for PyTorch and NumPy.", show_default="all cores", min=1),
]

Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Print every comparison on a line of its own.")
]


def split_names(names: list[str]) -> tuple[list[str], list[str]]:
    """Networks and kinds among the names; the chapter's networks and every kind when there are none."""
    from parity.kinds import ALL_KINDS
    from scratchcnn.networks import CHAPTER, NETWORKS

    names = [name.replace("-", "_").lower() for name in names]
    unknown = [name for name in names if name not in NETWORKS and name not in ALL_KINDS]
    if unknown:
        raise Misuse(
            f"nothing is named {', '.join(unknown)}; networks: {', '.join(NETWORKS)}; "
            f"layers: {', '.join(ALL_KINDS)}{nearest(unknown[0], [*NETWORKS, *ALL_KINDS])}"
        )
    if not names:
        return list(CHAPTER), list(ALL_KINDS)
    return [n for n in names if n in NETWORKS], [n for n in names if n in ALL_KINDS]


def set_device(device: Device) -> None:
    """Refuse CUDA where there is none; where there is, fix the modes that would change its results."""
    from parity.reference.devices import prepare

    try:
        prepare(device.value)
    except RuntimeError as error:
        raise Misuse(str(error)) from None


@contextmanager
def only_json(wanted: bool) -> Iterator[None]:
    """Nothing but what `print_json` prints reaches the output while this lasts, where it is wanted."""
    before, console.quiet = console.quiet, wanted
    try:
        yield
    finally:
        console.quiet = before


def print_json(found: object) -> None:
    from parity.verification.as_json import as_text

    print(as_text(found))


def save(folder: Path | None, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write the tables and print each file's name; nothing without a folder."""
    if folder is not None:
        from parity.comparison.tables import write_tables

        print_written(*write_tables(folder, tables))


def print_written(*paths: Path) -> None:
    for path in paths:
        console.print(f"wrote {path}", markup=False)


def print_table(table: Table) -> None:
    """Print a wide table; where the output is no terminal, Rich would cut it at 80 columns."""
    Console(highlight=False, soft_wrap=True, width=None if console.is_terminal else WIDTH).print(table)


@contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Show at the terminal, until this is over, what is being done; what it yields changes the text.

    It is written to standard error, and only where that is a terminal.
    """
    shown = Console(stderr=True, highlight=False, emoji=False)
    if not shown.is_terminal:
        yield lambda text: None
        return
    with shown.status(escape(printable(text))) as status:
        yield lambda text: status.update(escape(printable(text)))
