"""What a wrong gradient of a network is instead: the right one times a number, plus a decay, or zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parity.verification.own_slopes import Slopes
from scratchcnn.typing import Array

SAME = 1e-5  # of the size of a gradient


def factor_of(slopes: Slopes, values: Array | None = None) -> float | None:
    """The number that a gradient is times the right one, where it is one."""
    if slopes.given is None or not slopes.sure.any():
        return None
    given, numeric = slopes.given[slopes.sure], slopes.numeric[slopes.sure]
    scale = float((numeric * numeric).sum())
    if not scale or not np.isfinite(given).all():
        return None
    times = float((given * numeric).sum()) / scale
    size = max(abs(times), SAME) * float(np.abs(numeric).max())
    return times if float(np.abs(given - times * numeric).max()) <= SAME * size else None


def common_factor(slopes: Sequence[Slopes]) -> float | None:
    """The number that all gradients are times the right ones, in all cases."""
    found = [factor_of(one) for one in slopes if np.abs(one.numeric[one.sure]).max(initial=0.0) > 0]
    known = [times for times in found if times is not None]
    if not known or len(known) < len(found) or np.ptp(known) > SAME * abs(known[0]):
        return None
    return known[0]


def of_times(times: float, rows: int, outputs: int) -> str:
    """`7 times`, with what the number is where it is known."""
    known = {
        rows * outputs: "that of all outputs",
        outputs: "the number of outputs",
        rows: "the number of rows",
    }
    for number, what in known.items():
        for part, shown in (
            (number, f"{number}"),
            (2 * number, f"{2 * number}"),
            (number / 2, f"{number / 2:g}"),
        ):
            if number > 1 and abs(times - part) <= SAME * part:
                return f"{shown} times ({number} is {what})"
            if number > 1 and abs(times * part - 1) <= SAME:
                return f"1 / {shown} times ({number} is {what})"
    return f"{times:.6g} times"


def is_of_rows(times: float, rows: int) -> bool:
    """Whether it is the number of rows, or twice or half of it, or one divided by that."""
    known = [rows * part for part in (0.5, 1, 2)]
    return rows > 1 and any(abs(one - part) <= SAME * part for part in known for one in (times, 1 / times))


def relation(slopes: Slopes, weights: Array | None, rows: int, outputs: int) -> str:
    """`-1 times that of its loss`; "" where nothing simple is found."""
    if slopes.given is None:
        return slopes.comparison.why
    if not np.any(slopes.given):
        return "zero everywhere"
    times = factor_of(slopes)
    if times is not None:
        return f"{of_times(times, rows, outputs)} that of its loss"
    if weights is not None and slopes.sure.any():
        own = weights.ravel()[slopes.at][slopes.sure]
        rest = slopes.given[slopes.sure] - slopes.numeric[slopes.sure]
        scale = float((own * own).sum())
        share = float((rest * own).sum()) / scale if scale else 0.0
        if share and np.abs(rest - share * own).max() <= SAME * np.abs(slopes.numeric).max():
            return f"that of its loss {'plus' if share > 0 else 'minus'} {abs(share):.6g} times the weights"
    return ""
