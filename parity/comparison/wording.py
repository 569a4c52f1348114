"""The numbers of a comparison as people read them."""

from __future__ import annotations

import math

MOST_DIGITS = 17  # of a float64


def percent(margin: float) -> str:
    """0 %, 0.0003 %, 12 %, 530 %, 1e+07 %; near 100 % with as many digits as show on which side it lies."""
    share = 100 * margin
    if 99 < share < 101:
        texts = (f"{share:.{digits}g}" for digits in range(3, MOST_DIGITS + 1))
        return next((t for t in texts if (float(t) > 100) == (margin > 1)), repr(share)) + " %"
    return f"{share:.0f} %" if share == 0 or 101 <= share < 1e5 else f"{share:.2g} %"


def inconclusive(name: str) -> str:
    """Why agreement on a tensor means nothing."""
    return f"inconclusive: every comparison of {name} would also pass zeros or a slightly scaled tensor"


def excess(worst: float, allowed: float) -> str:
    """`off by 2.84e-05; at most 2.8e-05 is allowed`, with as many digits as make the two differ."""
    for digits in range(3, MOST_DIGITS + 1):
        off, limit = f"{worst:.{digits}g}", f"{allowed:.{digits}g}"
        if off != limit or worst == allowed or math.isnan(worst):
            break
    return f"off by {off}; at most {limit} is allowed"
