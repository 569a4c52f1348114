"""What a run of the parts found, and who is told while it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd
from numpy.typing import NDArray


@dataclass
class Pictures:
    """What of a trained network is looked at: LeNet, and PyTorch's twin, on the test images."""

    network: str
    filters_before: NDArray  # (FN, FH, FW), the first channel of the first layer
    filters_after: NDArray
    torch_filters_after: NDArray
    image: NDArray  # (H, W), the test image whose way through the network is shown
    maps: dict[str, NDArray]  # layer -> (C, H, W)
    images: NDArray  # (n, H, W) bytes, the test images that `mistakes` speaks of
    class_names: tuple[str, ...]


@dataclass
class Findings:
    """Frames by name (their columns: parity.report.schema), the machine, pictures, and what failed.

    A part that Ctrl-C ended is `interrupted`; it is not among the `parts`, though tables may hold what it
    had measured. `left` is what it had still to do, and the parts behind it.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    pictures: Pictures | None = None
    failures: dict[str, list[str]] = field(default_factory=dict)  # by part that was done
    interrupted: str = ""
    left: list[str] = field(default_factory=list)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.failures)

    @property
    def ok(self) -> bool:
        return bool(self.failures) and not any(self.failures.values())


class Told(Protocol):
    """Who is told how a run goes on."""

    def begins(self, part: str, then: tuple[str, ...]) -> None:
        """A part begins; those are to come."""

    def works(self, text: str, done: int, total: int) -> None:
        """What is being done, and how much of the part is done; total 0 where nobody can say."""

    def over(self, part: str, seconds: float, failed: list[str]) -> None:
        """A part is over."""


class Nobody:
    """Does not listen."""

    def begins(self, part: str, then: tuple[str, ...]) -> None:
        pass

    def works(self, text: str, done: int, total: int) -> None:
        pass

    def over(self, part: str, seconds: float, failed: list[str]) -> None:
        pass
