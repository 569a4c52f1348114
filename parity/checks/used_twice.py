"""A number that is used twice gets the gradients of both uses: `x + x` has the gradient 2.

An autograd engine whose backward writes a gradient where it should add to it gives half of it; one that goes
on from a result before all of its gradient is there gives too much or too little; and a row that NumPy
stretches over several is used by each of them. It is asked where code is called through an engine: by
expressions of its operators, and by the code itself called twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.engine_methods import OUT_TWICE
from parity.adapters.engine_operators import BACK, BY_HAND, COLUMNS, FLAT, ROWS, W_TWICE
from parity.adapters.features import MARK
from parity.adapters.subject import Subject
from parity.adapters.wire import Odd
from parity.checks.engine_gate import engine_gate
from parity.comparison.gates import Comparison, refused
from parity.kinds import ELEMENTWISE, Probe, kind_of
from scratchcnn.typing import Array

USED_TWICE = "a number used twice"
UNASKED = "numbers that are used twice in an expression"
BROADCASTING = "broadcasting in"
MOST = 12  # numbers of an engine of single numbers
WRITTEN_OVER = "the gradient of one use alone: it is written where it is to be added"
PASSED_ON = "a result y that is used twice passes on the whole of its gradient, once; here it does not"
STRETCHED = "the gradient of what is broadcast is the sum over all its copies"
RIGHT: dict[str, Callable[[Array, Array], Array]] = {
    "x + x": lambda x, slope: 2 * slope,
    "x * x": lambda x, slope: 2 * x * slope,
    "x * x + x": lambda x, slope: (2 * x + 1) * slope,
    "x - x": lambda x, slope: 0 * slope,
    OUT_TWICE: lambda x, dx: 2 * dx,
    W_TWICE: lambda x, dW: 2 * dW,
}
OF_ONE_USE: dict[str, Callable[[Array, Array], list[Array]]] = {
    "x + x": lambda x, slope: [slope],
    "x * x": lambda x, slope: [x * slope],
    "x * x + x": lambda x, slope: [2 * x * slope, (x + 1) * slope, x * slope, slope],
    "x - x": lambda x, slope: [slope, -slope],
    OUT_TWICE: lambda x, dx: [dx],
    W_TWICE: lambda x, dW: [dW],
}
# Of a result y = x + x, where the operators are right: the expressions that show that, and the gradient.
OF_RESULTS: dict[str, tuple[tuple[str, ...], Callable[[Array, Array], Array]]] = {
    "y + y, y = x + x": (("x + x",), lambda x, slope: 4 * slope),
    "y * y, y = x + x": (("x + x", "x * x"), lambda x, slope: 8 * x * slope),
    "y + y * y, y = x + x": (("x + x", "x * x", "x * x + x"), lambda x, slope: (8 * x + 2) * slope),
    "y * y + y, y = x + x": (("x + x", "x * x", "x * x + x"), lambda x, slope: (8 * x + 2) * slope),
}
CRASHES = "its forward gives a result, and its backward"
Slopes = dict[str, Callable[[Array], Any]]


def _of_copies(what: str, others: Array) -> Slopes:
    """The gradient at x of its sum over all copies, each of which meets one of the others."""
    count, total, inverses = len(others), others.sum(), (1 / others).sum()
    return {
        f"{what} + x": lambda x: count,
        f"x + {what}": lambda x: count,
        f"{what} - x": lambda x: -count,
        f"x - {what}": lambda x: count,
        f"{what} * x": lambda x: total,
        f"x * {what}": lambda x: total,
        f"{what} / x": lambda x: -total / x**2,
        f"x / {what}": lambda x: inverses,
    }


OF_COPIES: Slopes = _of_copies(ROWS, np.array([1.0, 2, 3])) | _of_copies(COLUMNS, np.array([1.0, 2]))


def used_twice(subject: Subject, probe: Probe, judge: Any) -> Iterator[tuple[str, Comparison]]:
    """In an autograd engine a number that is used twice gets the sum of both gradients."""
    of_tensors = subject.convention is not None and bool(subject.convention.tensor)
    kind = kind_of(probe.kind)
    if kind.role != "layer" or "x" not in probe.inputs or "dout" not in probe.inputs:
        return
    turn = probe if of_tensors else _numbers(probe) if probe.kind in ELEMENTWISE else _of_ones(probe)
    x = turn.inputs["x"]
    slope = np.ones_like(x) if not of_tensors else np.roll(x, 1).reshape(x.shape) + x.dtype.type(0.5)
    found = subject.build(probe).used_twice({**turn.inputs, "slope": slope})
    whole = kind.reference(turn) if found.keys() & {OUT_TWICE, W_TWICE} else {}
    sound = set()
    for says in [says for says in RIGHT if says in found]:
        gradient = found[says]
        if isinstance(gradient, Odd):
            subject.leave_unasked(f"{UNASKED} ({gradient.why})")
            continue
        by = whole["dx"] if says == OUT_TWICE else whole["dW"] if says == W_TWICE else slope
        comparison = engine_gate(gradient, RIGHT[says](x, by), kind.rtol)
        if comparison.ok:
            sound.add(says)
            yield _of(says), comparison
        elif any(engine_gate(gradient, one, kind.rtol).ok for one in OF_ONE_USE[says](x, by)):
            yield _of(says), replace(comparison, why=WRITTEN_OVER)
        else:  # an operator that is made for something else, as for a bias
            subject.leave_unasked(UNASKED)
    for says, (needed, right) in OF_RESULTS.items():
        if isinstance(crash := found.get(says), Odd):
            if sound.issuperset(needed) and not MARK.search(crash.why):
                yield _of(says), refused(x, f"{CRASHES} {crash.why}; {PASSED_ON}")
        elif says in found and sound.issuperset(found.keys() & needed):
            comparison = engine_gate(found[says], right(x, slope), kind.rtol)
            yield _of(says), comparison if comparison.ok else replace(comparison, why=PASSED_ON)
    yield from _stretched(subject, found, x, kind.rtol)


def _stretched(
    subject: Subject, found: dict[str, Any], x: Array, rtol: float
) -> Iterator[tuple[str, Comparison]]:
    """Of an array that is stretched over more rows or columns, where the engine does not refuse that.

    It refuses by whatever its forward raises, and by what its backward raises on purpose.
    """
    if isinstance(left_to := found.get(BY_HAND), Odd):
        subject.leave_unasked(f"broadcasting, {left_to.why}")
    for says, slope in OF_COPIES.items():
        gradient = found.get(says)
        if isinstance(alone := found.get(FLAT + says), Odd):
            subject.leave_unasked(f"{FLAT}{says}, for which it takes (1, D) alone ({alone.why})")
        if isinstance(crash := found.get(BACK + says), Odd):
            if MARK.search(crash.why):
                gradient = crash
            else:
                yield _of(says), refused(x, f"{CRASHES} {crash.why}; {STRETCHED}")
        if isinstance(gradient, Odd):
            subject.leave_unasked(f"{BROADCASTING} {says} ({gradient.why})")
        elif gradient is not None:
            with np.errstate(divide="ignore"):
                right = slope(x) * np.ones_like(x)
            if not np.isfinite(right).all():
                continue
            comparison = engine_gate(gradient, right, rtol)
            why = "; ".join(filter(None, [comparison.why, STRETCHED]))
            yield _of(says), comparison if comparison.ok else replace(comparison, why=why)


def _of(says: str) -> str:
    return f"dW of {OUT_TWICE}" if says == W_TWICE else f"dx of {says}"


def _of_ones(probe: Probe) -> Probe:
    """The probe with a cotangent of 1."""
    return replace(probe, inputs={**probe.inputs, "dout": np.ones_like(probe.inputs["dout"])})


def _numbers(probe: Probe) -> Probe:
    """Some of its numbers in a row, each with a cotangent of 1."""
    numbers = np.unique(probe.inputs["x"])
    x = numbers[np.linspace(0, len(numbers) - 1, min(MOST, len(numbers))).astype(int)]
    return replace(probe, inputs={"x": x, "dout": np.ones_like(x)})
