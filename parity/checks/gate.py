"""One tensor through the gate that fits it: by its dtype, and by whether it is 0 by construction."""

from __future__ import annotations

from collections.abc import Sequence

from parity.adapters.wire import Odd
from parity.checks.zero_gradients import Sum, zero_gate
from parity.comparison.gates import Comparison, difference, logic_gate, precision_gate, refused
from scratchcnn.typing import Array


def gate(
    ours: object,
    exact: Array,
    dtype: str,
    runs: Sequence[Array] = (),
    error: float = 0.0,
    floor: float = 0.0,
    zero: Sum | None = None,
) -> Comparison:
    """How ours (an array, None, or an `Odd`, which says what stands in its place) compares with PyTorch's.

    exact   PyTorch's float64 result
    runs    PyTorch's results in `dtype`, the plain one first; float32 needs that one at least
    error   how far another run of PyTorch's was from the exact result, where it is not among `runs`
    floor   a rounding floor that is granted in any case (in float32, see `precision_gate`)
    zero    of a gradient that is 0 by construction: the size of its terms

    In float64 several times the error of `runs` is granted, where that is more than the logic gate.
    """
    if isinstance(ours, Odd):
        return refused(exact, ours.why)
    if zero is not None:
        return zero_gate(ours, exact.shape, dtype, zero)
    if dtype == "float64":
        errors = [error, *(difference(run, exact) for run in runs)]
        return logic_gate(ours, exact, floor=max(floor, largest_error(errors)))
    plain, *others = runs  # the gate measures the plain run's error
    errors = [error, *(difference(run, exact) for run in others)]
    return precision_gate(ours, plain, exact, floor, largest_error(errors))


def largest_error(errors: Sequence[float]) -> float:
    """The largest; NaN where one is."""
    return next((e for e in errors if e != e), max(errors, default=0.0))
