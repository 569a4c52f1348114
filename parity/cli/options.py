"""What several commands share: the console, options and their types, and the refusal of a request."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console(highlight=False, soft_wrap=True)


class Dtype(StrEnum):
    float64 = "float64"
    float32 = "float32"
    both = "both"

    @property
    def names(self) -> list[str]:
        return ["float64", "float32"] if self is Dtype.both else [self.value]


class Rule(StrEnum):
    sgd = "sgd"
    momentum = "momentum"
    nesterov = "nesterov"
    adagrad = "adagrad"
    rmsprop = "rmsprop"
    adam = "adam"
    adamw = "adamw"


class Device(StrEnum):
    cpu = "cpu"
    cuda = "cuda"


class Misuse(Exception):
    """A request that cannot be carried out; the message is for the user."""


Seed = Annotated[int, typer.Option(help="Draws weights, batches and probes.", min=0)]
Out = Annotated[
    Path | None, typer.Option(help="Folder for the tables, CSV and Parquet.", show_default="none")
]
DeviceOption = Annotated[Device, typer.Option(help="Where PyTorch runs.")]


def split_names(names: list[str]) -> tuple[list[str], list[str]]:
    """Networks and kinds among the names; the chapter's networks and every kind when there are none."""
    from parity.kinds.registry import ALL_KINDS
    from parity.reference.networks import TORCH_NETWORKS
    from scratchcnn.networks import CHAPTER

    names = [name.replace("-", "_").lower() for name in names]
    unknown = [name for name in names if name not in TORCH_NETWORKS and name not in ALL_KINDS]
    if unknown:
        raise Misuse(
            f"nothing named {', '.join(unknown)}; networks: {', '.join(TORCH_NETWORKS)}; "
            f"layers: {', '.join(ALL_KINDS)}"
        )
    if not names:
        return list(CHAPTER), list(ALL_KINDS)
    return [n for n in names if n in TORCH_NETWORKS], [n for n in names if n in ALL_KINDS]


def set_device(device: Device) -> None:
    """Refuse CUDA where there is none; where there is, fix the modes that would change its results."""
    from parity.reference.devices import prepare

    try:
        prepare(device.value)
    except RuntimeError as error:
        raise Misuse(str(error)) from None
