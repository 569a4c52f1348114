"""Local response normalization, block by block in the cache.

The formula passes a dozen times over its arrays; over some thousand pixels at a time all of them stay in
the cache, so memory is read once. beta = 0.75 is two square roots and a division: x**-0.75 costs four times
as much. Only x is kept: computing scale again is cheaper than fetching it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scratchcnn.fast import memory, threads
from scratchcnn.fast.layout import to_images_first, to_images_last
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from scratchcnn.layers.normalization import LocalResponseNormalization

BLOCK_BYTES = 192 << 10  # of one array of a block; half a dozen are alive at a time


class Rule(NamedTuple):
    size: int
    alpha: float
    beta: float
    k: float


def forward(layer: LocalResponseNormalization, x: Array) -> tuple[Array, Any] | None:
    """(N, C, H, W) -> the same shape, and x as (C, pixels) for backward."""
    x = layer.check_input(x)
    if x.ndim != 4:
        return None
    rule = Rule(layer.size, layer._alpha, layer.beta, layer.k)
    a = to_images_last(x)
    flat = memory.empty((len(a), a[0].size), a.dtype)
    np.copyto(flat, a.reshape(flat.shape))  # the caller may overwrite x
    out = memory.empty(flat.shape, flat.dtype)

    def work(block: slice) -> None:
        factor = _factor(_scale(flat[:, block], rule), rule.beta)
        np.multiply(flat[:, block], factor, out=out[:, block])

    _each_block(flat, work)
    return to_images_first(out.reshape(a.shape)), (x.shape, flat, rule)


def backward(
    layer: LocalResponseNormalization, dout: Array, kept: tuple[tuple[int, ...], Array, Rule]
) -> Array:
    """dx = dout * scale**-beta - 2*alpha*beta * x * window sum of dout * x * scale**(-beta - 1)."""
    x_shape, flat, rule = kept
    d = to_images_last(layer.check_dout(dout, x_shape))
    dflat = d.reshape(len(d), -1)
    dx = memory.empty(dflat.shape, dflat.dtype)
    before, after = (rule.size - 1) // 2, rule.size // 2  # the windows that hold a channel

    def work(block: slice) -> None:
        x, dy = flat[:, block], dflat[:, block]
        scale = _scale(x, rule)
        dy_factor = _factor(scale, rule.beta)
        dy_factor *= dy
        np.divide(dy_factor, scale, out=scale)
        scale *= x
        cross = _window_sum(scale, before, after)
        cross *= x
        cross *= x.dtype.type(2 * rule.alpha * rule.beta)
        np.subtract(dy_factor, cross, out=dx[:, block])

    _each_block(flat, work)
    return to_images_first(dx.reshape(d.shape))


def _each_block(flat: Array, work: Callable[[slice], None]) -> None:
    channels, pixels = flat.shape
    step = max(64, BLOCK_BYTES // (channels * flat.itemsize))

    def run(part: slice) -> None:
        for i in range(part.start, part.stop, step):
            work(slice(i, min(i + step, part.stop)))

    threads.each_part(run, pixels, 16 * flat.size)


def _scale(x: Array, rule: Rule) -> Array:
    """k + alpha * the sum of squares over the window around each channel."""
    scale = _window_sum(x * x, rule.size // 2, (rule.size - 1) // 2)
    scale *= x.dtype.type(rule.alpha)
    scale += x.dtype.type(rule.k)
    return scale


def _factor(scale: Array, beta: float) -> Array:
    """scale**-beta"""
    if beta != 0.75 or not math.isfinite(beta):
        return scale**-beta
    root = np.sqrt(scale)
    factor = np.sqrt(root)
    factor *= root
    return np.reciprocal(factor, out=factor)


def _window_sum(a: Array, before: int, after: int) -> Array:
    """out[c] = the sum of a[c - before .. c + after], cut at the ends."""
    C, out = len(a), a.copy()
    for d in range(1, min(before, C - 1) + 1):
        out[d:] += a[: C - d]
    for d in range(1, min(after, C - 1) + 1):
        out[: C - d] += a[d:]
    return out
