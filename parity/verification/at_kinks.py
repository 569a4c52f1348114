"""Which slope a dx takes where the function has a kink: it is read off, and must give every dx."""

from __future__ import annotations

from collections.abc import Iterable

from parity.kinds import Probe
from parity.kinds.kinks import Kink, kinks_of
from scratchcnn.typing import Array


def other_slopes(results: Iterable[tuple[Probe, Array]]) -> str:
    """The slopes other than PyTorch's that all of these dx have, in words; "" where there is none."""
    left: dict[float, tuple[Kink, list[str]]] = {}
    for probe, dx in results:
        for kink in kinks_of(probe):
            known = left.get(kink.x, (kink, list(kink.slopes)))[1]
            left[kink.x] = kink, [name for name in kink.taken(probe, dx) if name in known]
    if not all(names for _, names in left.values()):
        return ""
    return "; ".join(
        f"at x = {kink.x:g}, where the function has a kink, dx takes {names[0]} and PyTorch {kink.pytorch}"
        for kink, names in left.values()
        if kink.pytorch not in names
    )
