"""What a report is to contain, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from parity.kinds import ALL_KINDS

PARTS = ("accuracy", "faults", "training", "speed")
# The networks of every report, smallest first; others are checked by `parity check`.
CHECKED = ("simple_conv_net", "lenet", "lenet5", "alexnet")
# Epochs of training. LeNet's sigmoids need ten before they learn anything; simple_conv_net needs three, and
# after ten, two correct float32 runs of it differ by half a point of accuracy through rounding alone.
TRAINED = (("simple_conv_net", 3), ("lenet", 10))
TRAINED_QUICK = (("simple_conv_net", 3), ("lenet", 3))
DTYPES = ("float64", "float32")
# Seconds that each part takes on two quiet cores, shown at the start.
ABOUT = {
    False: {"accuracy": 80, "faults": 220, "training": 15, "speed": 700},
    True: {"accuracy": 30, "faults": 40, "training": 15, "speed": 15},
}


@dataclass(frozen=True)
class Timed:
    """One network at one batch size: how often it is timed, and what else is timed with it.

    baselines  also the book's style, plain loops and torch.compile
    layers     also every layer individually
    memory     the peak memory of some steps, each framework in a process of its own
    """

    network: str
    batch_size: int
    rounds: int = 11
    baselines: bool = True
    layers: bool = False
    memory: bool = True

    def __str__(self) -> str:
        return f"{self.network} N={self.batch_size}"


# AlexNet's baselines are left out: a step of 32 images in the book's style takes half a minute. So are those
# of the networks of the book's section 8.2, each timed once.
TIMED = (
    Timed("simple_conv_net", 100, layers=True),
    Timed("simple_conv_net", 1),
    Timed("lenet", 100, layers=True),
    Timed("lenet", 1),
    Timed("alexnet", 32, rounds=5, baselines=False, layers=True),
    Timed("alexnet", 1, baselines=False),
    *(
        Timed(network, n, rounds=5, baselines=False, memory=False)
        for network, n in (("vgg11", 1), ("resnet18", 1), ("resnet18", 8), ("resnet50", 1), ("googlenet", 1))
    ),
)
TIMED_QUICK = tuple(
    Timed(name, n, rounds=3, baselines=False, memory=False)
    for name in ("simple_conv_net", "lenet")
    for n in (100, 1)
)


@dataclass(frozen=True)
class ReportRequest:
    """What to run, and how much of it; the defaults are those of a full report."""

    quick: bool = False
    parts: tuple[str, ...] = PARTS
    networks: tuple[str, ...] = CHECKED
    kinds: tuple[str, ...] = tuple(ALL_KINDS)
    seeds: int = 1000  # on which correct code must pass
    trained: tuple[tuple[str, int], ...] = TRAINED  # network, epochs
    timed: tuple[Timed, ...] = TIMED
    batches: tuple[int, ...] = (1, 4, 16, 64, 256)
    sides: tuple[int, ...] = (14, 28, 56, 112)
    seed: int = 0
    device: str = "cpu"
    threads: int = 1

    @property
    def about(self) -> str:
        """How long it takes, in words."""
        seconds = sum(ABOUT[self.quick][part] for part in self.parts)
        minutes = max(1, round(seconds / 60))
        return f"about {minutes} minute{'s' * (minutes > 1)} on two quiet cores"


# The smaller sizes of `--quick`.
QUICK: dict[str, Any] = {
    "quick": True,
    "seeds": 10,
    "trained": TRAINED_QUICK,
    "timed": TIMED_QUICK,
    "batches": (1, 10, 100),
    "sides": (14, 28, 56),
}
