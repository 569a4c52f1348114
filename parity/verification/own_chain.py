"""The gradients of a network that states no loss: do they all follow from one gradient of its outputs?

Whatever the loss, its gradient by the outputs, d, is one array, and the chain rule gives each parameter's
gradient as J^T d, with J the slopes of the outputs. There are more numbers in the gradients than in d, so d
is found by least squares, and what is left over is what no loss explains. Two rows are enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from parity.adapters.network_gradients import shape_fits
from parity.adapters.own_network_subject import Move, OwnSubject
from parity.adapters.wire import Odd
from parity.comparison.gates import Comparison, held
from parity.verification.own_slopes import MOST, STEPS, some_of
from scratchcnn.typing import Array

CLOSE = 1e-6  # of the largest number of all gradients
AGREE = 1e-4  # of the largest slope, between two steps
SPARE = 2  # equations beyond the unknown numbers, at least
MOST_WRONG = 2  # parameters without which the others fit


@dataclass(frozen=True)
class Block:
    """One parameter: its gradient where it was asked for, and the slopes of all outputs there."""

    name: str
    shape: tuple[int, ...]
    given: Array | None
    slopes: Array  # (numbers, outputs)
    why: str = ""


@dataclass(frozen=True)
class Chain:
    """What came of one case: which parameters do not fit, the gradient of the outputs that the others have,
    and whether that says anything."""

    blocks: list[Block]
    wrong: list[str]
    comparisons: dict[str, Comparison]
    d: Array
    enough: bool


def chain_of(
    network: OwnSubject,
    case: int,
    shapes: dict[str, tuple[int, ...]],
    grads: dict[str, Any],
    most: int = MOST,
    spare: int = SPARE,
) -> Chain:
    """The gradients of one case and what of them no gradient of the outputs explains."""
    blocks = [
        _block(network, case, name, some_of(shape, case, most), shape, grads[name])
        for name, shape in shapes.items()
        if name in grads
    ]
    fit = [block for block in blocks if block.given is not None]
    size = max((float(np.abs(_given(block)).max(initial=0.0)) for block in fit), default=0.0)
    wrong, d, enough = _explained(fit, CLOSE * size, spare)
    found = {block.name: _comparison(block, d, CLOSE * size, block.name in wrong) for block in blocks}
    return Chain(blocks, [name for name, one in found.items() if not one.ok], found, d, enough)


def _explained(blocks: Sequence[Block], allowed: float, spare: int) -> tuple[list[str], Array, bool]:
    """The fewest parameters without which one gradient of the outputs gives all others, and that gradient."""
    if not blocks:
        return [], np.zeros(0), False
    enough = _is_enough(blocks, spare)
    for left_out in range(min(MOST_WRONG, len(blocks) - 1) + 1):
        for some in combinations(blocks, left_out):
            rest = [block for block in blocks if all(block is not one for one in some)]
            if left_out and not _is_enough(rest, spare):
                continue
            d = _solved(rest)
            if all(_off(block, d) <= allowed for block in rest):
                return [block.name for block in some], d, enough
    return [block.name for block in blocks], _solved(blocks), enough


def _is_enough(blocks: Sequence[Block], spare: int) -> bool:
    """Whether there are more equations than they determine."""
    slopes = np.concatenate([block.slopes for block in blocks])
    return int(np.linalg.matrix_rank(slopes)) + spare <= len(slopes)


def _solved(blocks: Sequence[Block]) -> Array:
    slopes = np.concatenate([block.slopes for block in blocks])
    given = np.concatenate([_given(block) for block in blocks])
    found: Array = np.linalg.lstsq(slopes, given, rcond=1e-9)[0]
    return found


def _off(block: Block, d: Array) -> float:
    return float(np.abs(block.slopes @ d - _given(block)).max(initial=0.0))


def _given(block: Block) -> Array:
    assert block.given is not None
    return block.given


def _comparison(block: Block, d: Array, allowed: float, wrong: bool) -> Comparison:
    if block.given is None:
        return held(block.shape, block.why)
    off = _off(block, d)
    scale = float(np.abs(block.slopes @ d).max(initial=0.0))
    share = off / allowed if allowed else np.inf
    return Comparison(block.shape, off, off / scale if scale else np.inf, allowed, share, False, not wrong)


def _block(network: OwnSubject, case: int, name: str, at: Array, shape: tuple[int, ...], grad: Any) -> Block:
    first, second = (_slopes(network, case, name, at, step) for step in STEPS)
    largest = max(1e-3, float(np.abs(first).max(initial=0.0)))
    sure = np.abs(first - second).max(axis=1, initial=0.0) <= AGREE * largest  # no kink is between
    if not isinstance(grad, np.ndarray) or not shape_fits(grad.shape, shape):
        why = grad.why if isinstance(grad, Odd) else f"shape {np.shape(grad)}, expected {shape}"
        return Block(name, shape, None, first, why)
    given = np.asarray(grad, np.float64).ravel()[at][sure]
    if not np.isfinite(given).all():
        return Block(name, shape, None, first, "not finite")
    return Block(name, shape, given, first[sure])


def _slopes(network: OwnSubject, case: int, name: str, at: Array, step: float) -> Array:
    moves: list[Move] = [(name, int(i), sign * step) for i in at for sign in (1.0, -1.0)]
    found = network.outputs(case, False, moves)
    slopes: Array = (found[::2] - found[1::2]) / (2 * step)
    return slopes
