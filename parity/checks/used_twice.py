"""A number that is used twice gets the gradients of both uses: `x + x` has the gradient 2.

An autograd engine whose backward writes a gradient where it should add to it gives half of it. It is asked
where code is called through an engine: by expressions of its operators, and by the code itself called twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.engine_methods import OUT_TWICE
from parity.adapters.subject import Subject
from parity.comparison.gates import Comparison, logic_gate
from parity.kinds import Probe, kind_of
from scratchcnn.typing import Array

USED_TWICE = "a number used twice"
UNASKED = "numbers that are used twice in an expression"
MOST = 12  # numbers of an engine of single numbers
WRITTEN_OVER = "the gradient of one use alone: it is written where it is to be added"
RIGHT: dict[str, Callable[[Array, Array], Array]] = {
    "x + x": lambda x, slope: 2 * slope,
    "x * x": lambda x, slope: 2 * x * slope,
    "x * x + x": lambda x, slope: (2 * x + 1) * slope,
    "x - x": lambda x, slope: 0 * slope,
    OUT_TWICE: lambda x, dx: 2 * dx,
}
OF_ONE_USE: dict[str, Callable[[Array, Array], list[Array]]] = {
    "x + x": lambda x, slope: [slope],
    "x * x": lambda x, slope: [x * slope],
    "x * x + x": lambda x, slope: [2 * x * slope, (x + 1) * slope, x * slope, slope],
    "x - x": lambda x, slope: [slope, -slope],
    OUT_TWICE: lambda x, dx: [dx],
}


def used_twice(subject: Subject, probe: Probe, judge: Any) -> Iterator[tuple[str, Comparison]]:
    """In an autograd engine a number that is used twice gets the sum of both gradients."""
    of_tensors = subject.convention is not None and bool(subject.convention.tensor)
    if kind_of(probe.kind).role != "layer" or "x" not in probe.inputs or "dout" not in probe.inputs:
        return
    turn = probe if of_tensors else _numbers(probe)
    x = turn.inputs["x"]
    slope = np.ones_like(x) if not of_tensors else np.roll(x, 1).reshape(x.shape) + x.dtype.type(0.5)
    found = subject.build(probe).used_twice({**turn.inputs, "slope": slope})
    for says in [says for says in RIGHT if says in found]:
        gradient = found[says]
        by = kind_of(probe.kind).reference(turn)["dx"] if says == OUT_TWICE else slope
        comparison = logic_gate(gradient, RIGHT[says](x, by), kind_of(probe.kind).rtol)
        of_one = OF_ONE_USE[says](x, by)
        if comparison.ok:
            yield f"dx of {says}", comparison
        elif any(logic_gate(gradient, one, kind_of(probe.kind).rtol).ok for one in of_one):
            yield f"dx of {says}", replace(comparison, why=WRITTEN_OVER)
        else:  # an operator that is made for something else, as for a bias
            subject.leave_unasked(UNASKED)


def _numbers(probe: Probe) -> Probe:
    """Some of its numbers in a row, each with a cotangent of 1."""
    numbers = np.unique(probe.inputs["x"])
    x = numbers[np.linspace(0, len(numbers) - 1, min(MOST, len(numbers))).astype(int)]
    return replace(probe, inputs={"x": x, "dout": np.ones_like(x)})
