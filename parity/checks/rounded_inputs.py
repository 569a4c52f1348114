"""Code that rounds what it is handed to float32, `np.asarray(x, dtype=np.float32)`, and goes on in float64.

The probes are numbers that float32 holds exactly, so that single calls do not show it; the contracts compute
numbers from them that it does not hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from parity.comparison.gates import Comparison
from parity.kinds import Probe

Judge = Callable[[Probe, dict[str, Any]], dict[str, Comparison]]
ROUNDED = "is that of inputs rounded to float32"
NEAR = 2.0**-18  # of the largest number; rounding of inputs moves no result of theirs by more


def naming_rounded(judge: Judge) -> Judge:
    """A judge in float64 that names a result which is right for inputs rounded to float32 alone."""

    def judged(probe: Probe, found: dict[str, Any]) -> dict[str, Comparison]:
        comparisons = judge(probe, found)
        for turn in _rounded(probe) if any(map(_is_near, comparisons.values())) else ():
            near = {name: found[name] for name, c in comparisons.items() if _is_near(c)}
            again = judge(turn, near)
            for name in near:
                if again[name].ok:
                    comparisons[name] = replace(comparisons[name], why=ROUNDED)
        return comparisons

    return judged


def _is_near(found: Comparison) -> bool:
    return not found.ok and not found.why and found.max_rel <= NEAR


def _rounded(probe: Probe) -> list[Probe]:
    """The probe with its inputs, its weights, or both in numbers of float32."""
    inputs, args = _in_float32(probe.inputs), _in_float32(probe.args)
    return [
        replace(probe, inputs=inputs),
        replace(probe, args=args),
        replace(probe, inputs=inputs, args=args),
    ]


def _in_float32(arrays: dict[str, Any]) -> dict[str, Any]:
    def rounded(a: Any) -> Any:
        with np.errstate(over="ignore"):
            return a.astype(np.float32).astype(np.float64)

    return {
        name: rounded(a) if isinstance(a, np.ndarray) and a.dtype == np.float64 else a
        for name, a in arrays.items()
    }
