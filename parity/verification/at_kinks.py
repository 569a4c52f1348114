"""Which slope a dx takes where the function has a kink: it is read off, and must give every dx."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from parity.kinds import Probe
from parity.kinds.kinks import Kink, kinks_of
from scratchcnn.typing import Array


def other_slopes(results: Iterable[tuple[Probe, Array]]) -> str:
    """The slopes other than PyTorch's that all of these dx have, in words; "" where there is none."""
    left: dict[float, list[str]] = {}
    kinks: dict[float, set[Kink]] = {}
    for probe, dx in results:
        for kink in kinks_of(probe):
            known = left.get(kink.x, list(kink.slopes))
            left[kink.x] = [name for name in kink.taken(probe, dx) if name in known]
            kinks.setdefault(kink.x, set()).add(kink)
    if not all(left.values()):
        return ""
    return "; ".join(
        _in_words(x, names[0], kinks[x], pytorch)
        for x, names in left.items()
        if (pytorch := next(iter(kinks[x])).pytorch) not in names
    )


def _in_words(x: float, slope: str, kinks: Collection[Kink], pytorch: str) -> str:
    if next(iter(kinks)).jumps:
        return f"at x = {x:g}, where the function jumps and has no derivative, dx takes one of 1 for 0"
    theirs = _named(pytorch, kinks)
    return (
        f"at x = {x:g}, where the function has a kink, dx takes {_named(slope, kinks)} and PyTorch {theirs}"
    )


def _named(slope: str, kinks: Collection[Kink]) -> str:
    """The slope with its number, where it is one number on all inputs."""
    numbers = {kink.slopes[slope] for kink in kinks}
    return f"{slope} ({numbers.pop():.4g})" if len(numbers) == 1 else slope
