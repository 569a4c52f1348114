"""From numbers to positions: linear and logarithmic axes with readable ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from parity.report.headline import power


@dataclass(frozen=True)
class Scale:
    """Maps `low`..`high` to 0..1."""

    low: float
    high: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The position of a value, clipped to the ends."""
        low, high = self._of(self.low), self._of(self.high)
        smallest = self.low if self.log else -math.inf
        place = (self._of(max(value, smallest)) - low) / (high - low)
        return min(1.0, max(0.0, place))

    def _of(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def ticks(self, most: int = 6) -> list[tuple[float, str]]:
        """(value, label) of at most about `most` ticks."""
        return self._log_ticks(most) if self.log else self._linear_ticks(most)

    def _log_ticks(self, most: int) -> list[tuple[float, str]]:
        first, last = math.ceil(self._of(self.low) - 1e-9), math.floor(self._of(self.high) + 1e-9)
        if last - first < 2:
            values = [m * 10.0**e for e in range(first - 1, last + 1) for m in (1, 2, 5)]
            return [(v, short(v)) for v in values if self.low * 0.999 <= v <= self.high * 1.001]
        step = max(1, math.ceil((last - first + 1) / most))
        return [(10.0**e, decade(e)) for e in range(first, last + 1) if e % step == 0]

    def _linear_ticks(self, most: int) -> list[tuple[float, str]]:
        span = self.high - self.low
        rough = span / max(1, most - 1)
        base = 10 ** math.floor(math.log10(rough))
        step = next(m * base for m in (1, 2, 2.5, 5, 10) if m * base >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        values = [k * step for k in range(first, math.floor(self.high / step + 1e-9) + 1)]
        return [(v, short(v)) for v in values]


def around(values: Sequence[float], log: bool = False, whole: bool = True) -> Scale:
    """A scale that holds all values; if logarithmic, it ends at whole decades unless `whole` is False."""
    found = [v for v in values if math.isfinite(v) and (v > 0 or not log)]
    low, high = (min(found), max(found)) if found else (0.1, 1.0)
    if log and whole:
        low, high = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))
        return Scale(low, high if high > low else low * 10, True)
    if log:
        return Scale(low / 1.15, high * 1.15, True)
    return Scale(low, high if high > low else low + 1)


def decade(exponent: int) -> str:
    """0.01, 0.1, 1, 10, ..., and powers of ten beyond."""
    if -2 <= exponent <= 3:
        return f"{10.0**exponent:g}"
    return power(10.0**exponent).split("·")[1]


def short(value: float) -> str:
    """1,200 or 0.75 or 2·10⁻⁷."""
    if value and abs(value) < 1e-3:
        return power(value).replace(".0·", "·")
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
