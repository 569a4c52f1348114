"""Dropout in blocks that stay in the cache: the random numbers are drawn, compared and dropped at once.

A generator draws the same numbers in pieces as all at once, so the masks are the textbook's.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from scratchcnn.fast import memory
from scratchcnn.fast.layout import as_bits, each_block, flat_like, flat_view, pieces, workspace
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from scratchcnn.layers.dropout import Dropout


def forward(layer: Dropout, x: Array, train_flg: bool | None = None) -> tuple[Array, Array] | None:
    """x * mask / (1 - dropout_ratio), and the mask; None in inference, and for an injected mask of another
    shape."""
    x = layer.check_input(x)
    if x.dtype.char not in "fd" or not (layer.training if train_flg is None else train_flg):
        return None
    mask = layer._injected
    if mask is None:
        mask = drawn(layer.rng, x.shape, layer.dropout_ratio)
    elif mask.shape != x.shape:
        return None
    layer.mask = mask
    out = memory.empty_like(x)
    kept = memory.empty_like(out, bool)  # a copy: `layer.mask` is the caller's
    np.copyto(kept, mask)
    _each_dropped(1 - layer.dropout_ratio, x, kept, out)
    return out, kept


def backward(layer: Dropout, dout: Array, mask: Array) -> Array:
    """dout * mask / (1 - dropout_ratio)"""
    dout = layer.check_dout(dout, mask.shape)
    dx = memory.empty_like(mask, dout.dtype)
    _each_dropped(1 - layer.dropout_ratio, dout, mask, dx)
    return dx


def drawn(rng: np.random.Generator, shape: tuple[int, ...], ratio: float) -> Array:
    """True with probability 1 - ratio."""
    mask = memory.empty(shape, bool)
    for piece in pieces(mask.reshape(-1)):
        numbers = workspace("numbers", piece.shape, np.dtype(np.float32))
        rng.random(dtype=np.float32, out=numbers)
        np.greater_equal(numbers, ratio, out=piece)
    return mask


def _each_dropped(keep: float, a: Array, mask: Array, out: Array) -> None:
    each_block(partial(_drop, keep), flat_like(a, out), flat_view(mask), flat_view(out))


def _drop(keep: float, a: Array, mask: Array, out: Array) -> None:
    """The quotient where the mask is set, else exactly 0, also for infinities."""
    if keep not in (0, 1):
        a = np.divide(a, keep, out=out)
    np.multiply(as_bits(a), mask.view(np.int8), out=as_bits(out))
