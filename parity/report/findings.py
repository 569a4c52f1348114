"""Results of a report run, and the listener that follows its progress."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd
from numpy.typing import NDArray


@dataclass
class Pictures:
    """What the page shows of a trained network: LeNet, and PyTorch's twin, on the test images."""

    network: str
    filters_before: NDArray[Any]  # (FN, FH, FW), the first channel of the first layer
    filters_after: NDArray[Any]
    torch_filters_after: NDArray[Any]
    image: NDArray[Any]  # (H, W), the test image whose feature maps are shown
    maps: dict[str, NDArray[Any]]  # layer -> (C, H, W)
    images: NDArray[Any]  # (n, H, W) bytes, the test images that the mistakes are taken from
    class_names: tuple[str, ...]


@dataclass
class Findings:
    """Frames by name (their columns: parity.report.schema), the machine, pictures, and what failed.

    A part that Ctrl-C ended is `interrupted`; it is not among the `parts`, though tables may hold what it
    had measured. `left` is what that part still had to do, followed by the parts after it. `skipped` is what
    could not be run there, and why.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    pictures: Pictures | None = None
    failures: dict[str, list[str]] = field(default_factory=dict)  # by completed part
    interrupted: str = ""
    left: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.failures)

    @property
    def ok(self) -> bool:
        return bool(self.failures) and not any(self.failures.values())


class Progress(Protocol):
    """Listener to the progress of a run."""

    def part_started(self, part: str, remaining: tuple[str, ...]) -> None:
        """A part starts; `remaining` are the parts after it."""

    def update(self, text: str, done: int, total: int) -> None:
        """What is being done, and how much of the part is done; total 0 where that is unknown."""

    def part_finished(self, part: str, seconds: float, failed: list[str]) -> None:
        """A part has ended; `failed` is empty if it passed."""


class NoProgress:
    """Listener that ignores everything."""

    def part_started(self, part: str, remaining: tuple[str, ...]) -> None:
        pass

    def update(self, text: str, done: int, total: int) -> None:
        pass

    def part_finished(self, part: str, seconds: float, failed: list[str]) -> None:
        pass
