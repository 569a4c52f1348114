"""Numbers of x that lie on a kink of a function, such as a Relu's 0: the slopes to its two sides differ.

A gradient is right there if it lies between the two slopes. That holds for each number individually, not
along a direction that moves several of them, whose kinks add up with different signs. So the numbers are
halved into blocks, until each block has the slope of the gradient or is one number on a kink.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scratchcnn.slopes import Direction, Function, along, number
from scratchcnn.typing import Array


@dataclass(frozen=True)
class Kink:
    """One number of x on a kink: its gradient and the slopes to its two sides.

    The slopes are known up to `margin`.
    """

    index: tuple[int, ...]
    flat: int
    analytic: float
    left: float
    right: float
    margin: float

    @property
    def error(self) -> float:
        """How far the gradient lies outside the two slopes, relative to the largest of the three."""
        low, high = sorted((self.left, self.right))
        outside = max(low - self.analytic, self.analytic - high) - self.margin
        return max(outside, 0.0) / max(abs(low), abs(high), abs(self.analytic))


@dataclass
class Findings:
    """What the numbers of a direction turned out to be, apart from those with the gradient's slope."""

    kinks: list[Kink] = field(default_factory=list)
    suspects: list[Array] = field(default_factory=list)  # directions that no kink excuses
    unchecked: list[int] = field(default_factory=list)  # flat indices that the calls did not suffice for


class KinkSearch:
    """Finds the numbers on kinks, by about `calls` calls of f at most.

    h, tolerance   the step to begin with and the error allowed, as in `check_gradient`
    """

    def __init__(self, f: Function, x: Array, analytic: Array, h: float, tolerance: float, calls: int):
        self.f, self.x, self.analytic = f, x, analytic
        self.tolerance, self.calls = tolerance, calls
        smallest = 1000 * np.finfo(x.dtype).eps * np.abs(x).max()
        self.steps = [h, *(step for share in (0.1, 0.01, 0.001) if (step := h * share) >= smallest)]

    def find(self, v: Array) -> Findings | None:
        """What a step along v meets; None if it meets no kink or no calls are left."""
        if self.calls <= 0:
            return None
        at_x, _ = number(self.f(self.x), self.x)
        if not self._look(v, at_x)[1]:
            return None
        findings, blocks = Findings(), [np.flatnonzero(v)]
        while blocks:
            block = blocks.pop()
            if self.calls <= 0:
                findings.unchecked += block.tolist()
                continue
            w = np.zeros_like(v)
            w.flat[block] = v.flat[block]
            passes, kinks = self._look(w, at_x)
            if passes:
                continue
            if not kinks:
                findings.suspects.append(w)
            elif len(block) > 1:
                blocks += [block[::2], block[1::2]]
            else:
                findings.kinks.append(min(kinks, key=lambda kink: kink.error))
        return findings

    def _look(self, w: Array, at_x: float) -> tuple[bool, list[Kink]]:
        """Whether f has the gradient's slope along w over some step; else the kink, by pairs of steps.

        As other kinks may lie nearby, any step may acquit. Where w moves several numbers, the first pair
        is enough, and the Kink stands for no number.
        """
        kinks: list[Kink] = []
        wide: Direction | None = None
        several, first = np.count_nonzero(w) > 1, int(np.flatnonzero(w)[0])
        for h in self.steps:
            self.calls -= 2
            narrow = along(self.f, self.x, self.analytic, w, h, at_x)
            if narrow.passes(self.tolerance):
                return True, []
            if wide is not None and _on_kink(wide, narrow, self.tolerance):
                kinks.append(_kink(first, self.x, float(w.flat[first]), wide, narrow))
                if several or not kinks[-1].error:
                    break
            wide = narrow
        return False, kinks


def _on_kink(wide: Direction, narrow: Direction, tolerance: float) -> bool:
    """Whether the two one-sided slopes stay apart as the step shrinks; curvature would shrink with it."""
    gap = abs(narrow.right - narrow.left)
    visible = max(narrow.allowed(tolerance) * narrow.scale, 8 * narrow.rounding)
    return gap > visible and gap > abs(wide.right - wide.left) / 2


def _kink(flat: int, x: Array, step: float, wide: Direction, narrow: Direction) -> Kink:
    """The slopes at x, extrapolated from those over h and h/10, for a step of one up or down."""
    left, right = ((10 * n - w) / 9 / step for n, w in ((narrow.left, wide.left), (narrow.right, wide.right)))
    if step < 0:
        left, right = right, left
    index = tuple(int(i) for i in np.unravel_index(flat, x.shape))
    return Kink(index, flat, narrow.analytic / step, left, right, 4 * narrow.rounding / abs(step))
