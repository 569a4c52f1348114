"""Which voice is the outlier? Every voice, ours among them, is compared with every other, tensor by tensor.

    float64   two answers agree when they pass the logic gate of parity.comparison.gates
    float32   the first of two is compared with the second one's float64 result, and may be off by what the
              precision gate grants for the second one's own float32 error. A referee without float64 is
              compared with all others in this way

The outlier is the voice that differs from a majority: more than half of the voices, all agreeing with each
other. With two voices, or without such a majority, the tensor is undecided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import pandas as pd

from parity.comparison.gates import Comparison
from parity.referees.base import OURS

UNDECIDED = "undecided"


@dataclass(frozen=True)
class Pair:
    """Two voices on one tensor: `left` compared with `right`."""

    left: str
    right: str
    dtype: str
    comparison: Comparison


@dataclass(frozen=True)
class TensorOutcome:
    """How every pair of voices compared on one tensor of one network."""

    network: str
    case: str  # "inference" or "training"
    dtype: str
    tensor: str
    pairs: Sequence[Pair]

    @property
    def voices(self) -> list[str]:
        """The voices that were compared, ours first."""
        names = dict.fromkeys(name for pair in self.pairs for name in (pair.left, pair.right))
        return sorted(names, key=lambda name: name != OURS)

    @property
    def ok(self) -> bool:
        """Whether at least two voices answered and all agree."""
        return bool(self.pairs) and all(pair.comparison.ok for pair in self.pairs)

    @property
    def outliers(self) -> list[str]:
        """The outliers: none where all agree, and [UNDECIDED] where there is no majority."""
        return [] if self.ok else find_outliers(self.voices, self.pairs)

    @property
    def worst(self) -> Pair:
        return max(self.pairs, key=lambda pair: pair.comparison.margin)


def find_outliers(voices: Sequence[str], pairs: Sequence[Pair]) -> list[str]:
    """The voices outside the one majority that agrees with itself; [UNDECIDED] where there is none."""
    agree = {frozenset((pair.left, pair.right)) for pair in pairs if pair.comparison.ok}
    for size in range(len(voices), len(voices) // 2, -1):
        groups = [
            group
            for group in combinations(voices, size)
            if all(frozenset(two) in agree for two in combinations(group, 2))
        ]
        if len(groups) == 1 and size > 1:
            return [name for name in voices if name not in groups[0]]
        if groups:  # two majorities that share a voice: agreement within rounding is not transitive
            break
    return [UNDECIDED]


@dataclass(frozen=True)
class NotCompared:
    """What a voice did not answer, and why. `fails` means that it should have been able to."""

    network: str
    case: str
    dtype: str
    voice: str
    what: str
    why: str
    fails: bool = False

    def __str__(self) -> str:
        return f"{self.voice}: {self.what} ({self.why})"


@dataclass
class RefereeOutcome:
    """All comparisons of all networks, and what was not compared."""

    tensors: list[TensorOutcome]
    not_compared: list[NotCompared]

    @property
    def ok(self) -> bool:
        """Whether all agree on something, any comparison could have failed, and no answer is missing."""
        return (
            bool(self.tensors)
            and all(tensor.ok for tensor in self.tensors)
            and not any(entry.fails for entry in self.not_compared)
            and not self.unproven
        )

    @property
    def unproven(self) -> list[str]:
        """Tensors of which no comparison could have failed a wrong one: their agreement means nothing."""
        proven: dict[str, bool] = {}
        for entry in self.tensors:
            name = f"{entry.network} {entry.tensor} {entry.dtype}"
            proves = not entry.ok or any(pair.comparison.proves for pair in entry.pairs)
            proven[name] = proven.get(name, False) or proves
        return [name for name, proves in proven.items() if not proves]

    @property
    def outliers(self) -> dict[str, list[TensorOutcome]]:
        """Voice (or UNDECIDED) -> the tensors in which it is the outlier."""
        found: dict[str, list[TensorOutcome]] = {}
        for entry in self.tensors:
            for name in entry.outliers:
                found.setdefault(name, []).append(entry)
        return found


PAIR_COLUMNS = [
    *("network", "case", "dtype", "tensor", "left", "right", "compared_in", "shape", "max_abs", "max_rel"),
    *("allowed", "margin", "exact", "ok", "proves", "why", "outlier"),
]


def pairs_frame(outcome: RefereeOutcome) -> pd.DataFrame:
    """One row per tensor and pair; `outlier` is the tensor's outlier."""
    rows = [
        {
            **{key: getattr(entry, key) for key in ("network", "case", "dtype", "tensor")},
            "left": pair.left,
            "right": pair.right,
            "compared_in": pair.dtype,
            **asdict(pair.comparison),
            "shape": "x".join(map(str, pair.comparison.shape)) or "scalar",
            "outlier": ", ".join(entry.outliers),
        }
        for entry in outcome.tensors
        for pair in entry.pairs
    ]
    return pd.DataFrame(rows, columns=PAIR_COLUMNS)


def not_compared_frame(outcome: RefereeOutcome) -> pd.DataFrame:
    """One row for everything that a voice did not answer."""
    columns = ["network", "case", "dtype", "voice", "what", "why", "fails"]
    return pd.DataFrame([asdict(entry) for entry in outcome.not_compared], columns=columns)
