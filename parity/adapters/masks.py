"""A layer that draws its own dropout mask, held to a mask that was drawn elsewhere. Needs NumPy alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

DRAWS = 400  # masks looked at until each number has been dropped or kept as it is wanted


def as_if_drawn(
    out: NDArray[Any],
    mask: NDArray[Any],
    wanted: NDArray[Any],
    again: Callable[[], tuple[NDArray[Any], NDArray[Any]]],
) -> tuple[NDArray[Any], Any]:
    """The output as if the mask `wanted` had been drawn, and what a number that is kept is multiplied by.

    `out` and `mask` are those of one call, `again` makes another. From each call come the numbers that it
    dropped or kept as they are wanted.
    """
    found, scale = out.copy(), mask.max()
    missing = (mask != 0) != wanted
    for _ in range(DRAWS):
        if not missing.any():
            break
        out, mask = again()
        seen = missing & ((mask != 0) == wanted)
        found[seen], missing, scale = out[seen], missing & ~seen, max(scale, mask.max())
    return found, scale
