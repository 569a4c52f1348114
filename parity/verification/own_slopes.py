"""The slopes of a network's own loss by central differences, and how far its gradients are from them.

A number of the gradient counts as wrong only where two steps find the same slope, and it is neither: across a
kink of a Relu or of a maximum they do not. Of a large array some of its numbers are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.adapters.network_gradients import shape_fits
from parity.adapters.own_network_subject import Move, OwnSubject
from parity.adapters.wire import Odd
from parity.comparison.gates import Comparison, held
from scratchcnn.typing import Array

STEPS = (2.0**-17, 2.0**-20)  # the second where the first differs
ALLOWED, NEARLY = 1e-6, 3e-4  # of the largest number of its gradient: right, and but for a small constant
ROUNDING = 4e-11  # of the loss, which a step of 2**-17 makes of its last bits
MOST, FEWER, FEWEST = 48, 16, 6  # numbers of one array that are asked for
LARGE, LARGEST = 20_000, 200_000  # numbers of all parameters from which there are fewer, and fewest
SLOW = 0.02  # seconds of a loss from which there are fewest


@dataclass(frozen=True)
class Slopes:
    """Of one parameter in one case: what was asked for, both values, and which of them are sure."""

    name: str
    at: Array
    given: Array | None
    numeric: Array
    sure: Array
    comparison: Comparison

    @property
    def ok(self) -> bool:
        return self.comparison.ok


def asked_of(network: OwnSubject, shapes: dict[str, tuple[int, ...]]) -> int:
    """Of how many numbers of each parameter the slope is asked for: of fewer where a call takes long."""
    size = sum(int(np.prod(shape, dtype=int)) for shape in shapes.values())
    before = network.connection.busy()
    network.gradients(0, False)
    if network.connection.busy() - before > SLOW or size > LARGEST:
        return FEWEST
    return FEWER if size > LARGE else MOST


def some_of(shape: tuple[int, ...], case: int, most: int) -> Array:
    """Which numbers of an array: all, or so many of them at random."""
    size = int(np.prod(shape, dtype=int))
    return np.sort(np.random.default_rng([case, size]).permutation(size)[:most])


def slopes_of(
    network: OwnSubject,
    case: int,
    decays: bool,
    shapes: dict[str, tuple[int, ...]],
    grads: dict[str, Any],
    most: int = MOST,
) -> list[Slopes]:
    """One per parameter whose gradient it gives."""
    found: list[tuple[str, Array, Array, Array]] = []
    loss = float(network.losses(case, decays, [(next(iter(shapes)), 0, 0.0)])[0])
    for name, shape in shapes.items():
        if name not in grads:
            continue
        at = some_of(shape, case, most)
        first = _differences(network, case, decays, name, at, STEPS[0])
        found.append((name, at, first, _given(grads[name], shape, at)))
    scale = max((float(np.abs(first).max(initial=0.0)) for _, _, first, _ in found), default=0.0)
    return [_judged(network, case, decays, one, shapes[one[0]], grads[one[0]], scale, loss) for one in found]


def _judged(
    network: OwnSubject,
    case: int,
    decays: bool,
    found: tuple[str, Array, Array, Array],
    shape: tuple[int, ...],
    grad: Any,
    scale: float,
    loss: float,
) -> Slopes:
    name, at, numeric, given = found
    sure = np.isfinite(numeric)
    if not _has_shape(grad, shape):
        why = grad.why if isinstance(grad, Odd) else f"shape {grad.shape}, expected {shape}"
        return Slopes(name, at, None, numeric, sure, held(shape, why))
    size = max(float(np.abs(numeric[sure]).max(initial=0.0)), 1e-3 * scale)
    allowed = ALLOWED * size + ROUNDING * max(1.0, abs(loss))
    off = np.abs(given - numeric)
    doubtful = np.flatnonzero(~(off <= allowed) & sure)
    if len(doubtful):
        again = _differences(network, case, decays, name, at[doubtful], STEPS[1])
        off[doubtful] = np.minimum(off[doubtful], np.abs(given[doubtful] - again))  # the curve may be steep
        agree = np.abs(again - numeric[doubtful]) <= 10 * allowed + 8 * ROUNDING * max(1.0, abs(loss))
        sure[doubtful[~agree]] = False
    if not np.isfinite(given).all():
        return Slopes(name, at, given, numeric, sure, held(shape, "not finite"))
    if not sure.any():
        return Slopes(name, at, given, numeric, sure, held(shape))
    worst = float(off[sure].max())
    ratio = worst / size if size else 0.0
    comparison = Comparison(shape, worst, ratio, allowed, worst / allowed, False, worst <= allowed)
    return Slopes(name, at, given, numeric, sure, comparison)


def _differences(network: OwnSubject, case: int, decays: bool, name: str, at: Array, step: float) -> Array:
    moves: list[Move] = [(name, int(i), sign * step) for i in at for sign in (1.0, -1.0)]
    losses = network.losses(case, decays, moves)
    found: Array = (losses[::2] - losses[1::2]) / (2 * step)
    return found


def _given(grad: Any, shape: tuple[int, ...], at: Array) -> Array:
    if not _has_shape(grad, shape):
        return np.full(len(at), np.nan)
    found: Array = np.asarray(grad, np.float64).ravel()[at]
    return found


def _has_shape(grad: Any, shape: Sequence[int]) -> bool:
    """Whether it is an array of that shape; a single number may stand in a row of one."""
    return isinstance(grad, np.ndarray) and shape_fits(grad.shape, tuple(shape))
