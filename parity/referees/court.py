"""Who stands apart? Every voice, ours among them, is compared with every other one, tensor by tensor.

    float64   two answers agree when they pass the logic gate of parity.comparison.gates
    float32   the first of two is held against the second one's float64 result, and may be off by what the
              precision gate grants for the second one's own float32 error. A referee that has no float64
              is compared so with all others

The one that differs from a majority, more than half of the voices, all of which agree with each other, stands
apart. With two voices, or where no such majority exists, nobody can tell, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import pandas as pd

from parity.comparison.gates import Comparison
from parity.referees.base import OURS

UNKNOWN = "cannot be told"


@dataclass(frozen=True)
class Pair:
    """Two voices on one tensor: `left` held against `right`."""

    left: str
    right: str
    dtype: str
    comparison: Comparison


@dataclass(frozen=True)
class Finding:
    """One tensor of one network: how every pair compared."""

    network: str
    case: str  # "inference" or "training"
    dtype: str
    tensor: str
    pairs: Sequence[Pair]

    @property
    def voices(self) -> list[str]:
        names = dict.fromkeys(name for pair in self.pairs for name in (pair.left, pair.right))
        return sorted(names, key=lambda name: name != OURS)

    @property
    def ok(self) -> bool:
        """Whether at least two spoke and all agree."""
        return bool(self.pairs) and all(pair.comparison.ok for pair in self.pairs)

    @property
    def apart(self) -> list[str]:
        """Who stands apart: nobody where all agree, and [UNKNOWN] where it cannot be told."""
        return [] if self.ok else standing_apart(self.voices, self.pairs)

    @property
    def worst(self) -> Pair:
        return max(self.pairs, key=lambda pair: pair.comparison.margin)


def standing_apart(voices: Sequence[str], pairs: Sequence[Pair]) -> list[str]:
    """The voices outside the one majority that agrees among itself; [UNKNOWN] where there is none."""
    agree = {frozenset((pair.left, pair.right)) for pair in pairs if pair.comparison.ok}
    for size in range(len(voices), len(voices) // 2, -1):
        groups = [
            group for group in combinations(voices, size)
            if all(frozenset(two) in agree for two in combinations(group, 2))
        ]  # fmt: skip
        if len(groups) == 1 and size > 1:
            return [name for name in voices if name not in groups[0]]
        if groups:  # two majorities that share a voice: agreement within rounding is not transitive
            break
    return [UNKNOWN]


@dataclass(frozen=True)
class Gap:
    """What a voice did not answer, and why. `fails`: it was asked for and should have been there."""

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
class Ruling:
    """Everything that was found, over all networks."""

    findings: list[Finding]
    gaps: list[Gap]

    @property
    def ok(self) -> bool:
        """All agree on something, every comparison could have failed, and nobody failed to speak."""
        return (
            bool(self.findings)
            and all(finding.ok for finding in self.findings)
            and not any(gap.fails for gap in self.gaps)
            and not self.unproven
        )

    @property
    def unproven(self) -> list[str]:
        """Tensors of which no comparison could have failed a wrong one: their agreement means nothing."""
        proven: dict[str, bool] = {}
        for finding in self.findings:
            name = f"{finding.network} {finding.tensor} {finding.dtype}"
            shown = not finding.ok or any(pair.comparison.proves for pair in finding.pairs)
            proven[name] = proven.get(name, False) or shown
        return [name for name, shown in proven.items() if not shown]

    @property
    def accused(self) -> dict[str, list[Finding]]:
        """Voice (or UNKNOWN) -> the tensors in which it stands apart."""
        found: dict[str, list[Finding]] = {}
        for finding in self.findings:
            for name in finding.apart:
                found.setdefault(name, []).append(finding)
        return found


COLUMNS = ["network", "case", "dtype", "tensor", "left", "right", "compared_in", "shape", "max_abs",
           "max_rel", "allowed", "margin", "exact", "ok", "proves", "why", "apart"]  # fmt: skip


def pairs_frame(ruling: Ruling) -> pd.DataFrame:
    """A row a pair and tensor; `apart` says of the tensor who stands apart in it."""
    rows = [
        {
            **{key: getattr(finding, key) for key in ("network", "case", "dtype", "tensor")},
            "left": pair.left, "right": pair.right, "compared_in": pair.dtype,
            **asdict(pair.comparison),
            "shape": "x".join(map(str, pair.comparison.shape)) or "scalar",
            "apart": ", ".join(finding.apart),
        }
        for finding in ruling.findings
        for pair in finding.pairs
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def gaps_frame(ruling: Ruling) -> pd.DataFrame:
    """A row for all that a voice did not answer."""
    columns = ["network", "case", "dtype", "voice", "what", "why", "fails"]
    return pd.DataFrame([asdict(gap) for gap in ruling.gaps], columns=columns)
