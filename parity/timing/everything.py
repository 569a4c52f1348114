"""What `parity time --all` times, in an order in which a run that ends early has some of everything.

first    every network at its smallest batch
then     each kind of layer alone; every convolution of the networks; how the time grows with the batch
last     the networks at their other batches, the small ones first
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from parity.timing.measure import ProgressCallback, Setup

GROWING = ("simple_conv_net", "lenet")
BATCHES = {
    **dict.fromkeys(GROWING, (1, 10, 100, 500)),
    "alexnet": (1, 8, 32),
    **dict.fromkeys(("vgg11", "vgg16"), (1, 4)),
    **dict.fromkeys(("resnet18", "resnet50", "googlenet", "googlenet_bn"), (1, 8)),
}
CONVOLUTIONS = {
    **dict.fromkeys(GROWING, 100),
    **dict.fromkeys(("alexnet", "vgg11", "resnet18", "resnet50", "googlenet"), 1),
}
KIND_IMAGES = 8
COMPILED = {("simple_conv_net", 100), ("lenet", 100), ("resnet18", 1)}  # each takes a minute
NETWORK_S, LAYER_S = 12.0, 0.8  # of the rounds of one race
MORE_S, RETRY_S = 240.0, 120.0  # of added rounds in all, and of turns repeated since they were disturbed


@dataclass(frozen=True)
class Cell:
    """What is timed at once: a network, its convolutions, a kind of layer, or growth with the batch."""

    what: str
    name: str
    batch_size: int = 0

    def __str__(self) -> str:
        texts = {
            "network": f"{self.name} N={self.batch_size}",
            "kind": f"{self.name} N={self.batch_size}",
            "convolutions": f"the convolutions of {self.name} N={self.batch_size}",
            "growth": f"{self.name} by number of images",
        }
        return texts[self.what]


def cells(kinds: tuple[str, ...]) -> list[Cell]:
    """All of them in order; `kinds` are the layers that can be timed alone."""
    later = sorted((n, name) for name, batches in BATCHES.items() for n in batches[1:])
    small = [(n, name) for n, name in later if name in GROWING]
    large = [(n, name) for n, name in later if name not in GROWING]
    return [
        *(Cell("network", name, batches[0]) for name, batches in BATCHES.items()),
        *(Cell("kind", kind, KIND_IMAGES) for kind in kinds),
        *(Cell("convolutions", name, n) for name, n in CONVOLUTIONS.items()),
        *(Cell("growth", name) for name in GROWING),
        *(Cell("network", name, n) for n, name in [*small, *large]),
    ]


def time_cell(cell: Cell, setup: Setup, progress: ProgressCallback) -> Iterator[tuple[str, pd.DataFrame]]:
    """(table, its rows): one of `speed`, or of `scaling`; of a network also one of `counts`."""
    from parity.timing import measure
    from parity.timing.scaling import ALL_BATCHES, scaling

    setup = replace(setup, as_timed=True, seconds=LAYER_S)
    if cell.what == "growth":
        yield "scaling", scaling(cell.name, setup, progress, ALL_BATCHES, sides=())
    elif cell.what == "network":
        compiling = setup.others is not None and (cell.name, cell.batch_size) in COMPILED
        setup = replace(setup, seconds=NETWORK_S, compiling=compiling)
        yield "speed", measure.time_network(cell.name, cell.batch_size, setup, progress)
        yield "counts", measure.count_network(cell.name, cell.batch_size, setup, progress)
    elif cell.what == "convolutions":
        yield "speed", measure.time_convolutions(cell.name, cell.batch_size, setup, progress)
    else:
        yield "speed", measure.time_layer(cell.name, cell.batch_size, setup, progress)
