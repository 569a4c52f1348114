"""Submissions that are nearly the same, whatever they call their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

ALIKE = 0.85  # of the runs of tokens that either has
FEWEST = 40  # runs: below, any two are alike


def nearly_the_same(shingles: Mapping[str, Sequence[int]]) -> list[tuple[str, str, float]]:
    """Pairs of students and the share of their code that is the same, the largest first."""
    sets = {name: frozenset(found) for name, found in shingles.items() if len(found) >= FEWEST}
    pairs = []
    for a, b in combinations(sets, 2):
        small, large = sorted((len(sets[a]), len(sets[b])))
        if small < ALIKE * large:
            continue
        both = len(sets[a] & sets[b])
        share = both / (small + large - both)
        if share >= ALIKE:
            pairs.append((a, b, share))
    return sorted(pairs, key=lambda pair: -pair[2])
