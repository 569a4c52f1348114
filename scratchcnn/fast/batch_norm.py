"""Batch normalization with images last: a channel is one row of H*W*N numbers.

All passes are made over some channels at a time, which stay in the cache from the mean to the output. So
memory is read and written as often as there are arrays: forward reads x and writes x - mean and the output,
backward reads dout and x - mean and writes dx. Sums are scalar products by BLAS, a third of a pass each, and
the division by std is part of the scale.

One thread does all of it: the passes over a block take some microseconds each, and threads that need
Python's lock so often wait for each other longer than they work (1.3 to 1.5 times the time on two threads).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scratchcnn.fast import memory
from scratchcnn.fast.layout import to_images_first, to_images_last, workspace
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from scratchcnn.layers.normalization import BatchNormalization

BLOCK_BYTES = 2 << 20  # of the arrays of some channels that are in the cache at the same time
BLOCK_ARRAYS = 4


class Kept(NamedTuple):
    """What backward needs."""

    centered: Array  # x - mean, (C, H*W*N)
    std: Array  # (C,)
    of_batch: bool  # whether mean and std were those of the batch, as in training
    shape: tuple[int, ...]  # of x


def forward(layer: BatchNormalization, x: Array) -> tuple[Array, Kept] | None:
    """gamma * (x - mean) / std + beta of images; None for vectors and for what does not fit."""
    x = layer.check_input(x, like=layer.gamma)
    C = len(layer.gamma)
    if x.ndim != 4 or x.shape[1] != C or x.size < 2 * C:
        return None
    rows, count = _rows(x), x.size // C
    out, centered = memory.empty(rows.shape, x.dtype), memory.empty(rows.shape, x.dtype)
    of_batch = layer.training
    if of_batch:
        mean, var = np.empty(C, x.dtype), np.empty(C, x.dtype)
    else:
        mean, var = layer.running_mean, layer.running_var
    std = np.empty(C, x.dtype)
    for some in _blocks(rows):
        xc, result = centered[some], out[some]
        if of_batch:
            mean[some] = _sums(rows[some]) / count
        np.subtract(rows[some], mean[some, None], out=xc)
        if of_batch:
            var[some] = np.vecdot(xc, xc) / count
        np.sqrt(var[some] + layer.eps, out=std[some])
        np.multiply(xc, (layer.gamma[some] / std[some])[:, None], out=result)
        result += layer.beta[some, None]
    if of_batch:
        layer._update_running(mean, var * (count / (count - 1)))
    return _images(out, x.shape), Kept(centered, std, of_batch, x.shape)


def backward(layer: BatchNormalization, dout: Array, kept: Kept) -> Array:
    """gamma / std * (dout - mean(dout) - z * mean(dout * z)), z = (x - mean) / std; in inference
    gamma / std * dout."""
    centered, std, of_batch, x_shape = kept
    douts, count = _rows(layer.check_dout(dout, x_shape)), centered.shape[1]
    dx, scale = memory.empty(douts.shape, douts.dtype), (layer.gamma / std)[:, None]
    dgamma, dbeta = np.empty(len(std), douts.dtype), np.empty(len(std), douts.dtype)
    for some in _blocks(douts):
        d, xc, result = douts[some], centered[some], dx[some]
        dgamma[some] = np.vecdot(d, xc) / std[some]
        dbeta[some] = _sums(d)
        if not of_batch:
            np.multiply(d, scale[some], out=result)
            continue
        along = workspace("along", xc.shape, xc.dtype)
        np.multiply(xc, (dgamma[some] / (count * std[some]))[:, None], out=along)
        np.subtract(d, (dbeta[some] / count)[:, None], out=result)
        result -= along
        result *= scale[some]
    layer.grads["gamma"], layer.grads["beta"] = dgamma, dbeta
    return _images(dx, x_shape)


def _rows(x: Array) -> Array:
    """(N, C, H, W) -> (C, H*W*N)"""
    return to_images_last(x).reshape(x.shape[1], -1)


def _images(rows: Array, shape: tuple[int, ...]) -> Array:
    """(C, H*W*N) -> (N, C, H, W), a view."""
    N, C, H, W = shape
    return to_images_first(rows.reshape(C, H, W, N))


def _blocks(rows: Array) -> Iterator[slice]:
    """The channels, as many at a time as fit into the cache."""
    channels, step = len(rows), max(1, BLOCK_BYTES // (BLOCK_ARRAYS * rows[0].nbytes))
    for start in range(0, channels, step):
        yield slice(start, min(start + step, channels))


def _sums(rows: Array) -> Array:
    """The sum of each row."""
    sums: Array = np.vecdot(rows, np.ones(rows.shape[1], rows.dtype))
    return sums
