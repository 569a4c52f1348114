"""Batch normalization with images last: a channel is one row of H*W*N numbers.

All passes are made over some channels at a time, which stay in the cache from the mean to the output, and
the threads share the channels. So memory is read and written as often as there are arrays: forward reads x
and writes x - mean and the output, backward reads dout and x - mean and writes dx. Sums are scalar products
by BLAS, a third of a pass each, and the division by std is part of the scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scratchcnn.fast import memory
from scratchcnn.fast.layout import to_images_first, to_images_last, workspace
from scratchcnn.fast.pooling import each_channel_block
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from scratchcnn.layers.normalization import BatchNormalization

BLOCK_ARRAYS = 4  # of a block of channels that are in the cache at the same time


class Kept(NamedTuple):
    """What backward needs."""

    centered: Array  # x - mean, (C, H, W, N)
    std: Array  # (C, 1)
    of_batch: bool  # whether mean and std were those of the batch, as in training


def forward(layer: BatchNormalization, x: Array) -> tuple[Array, Kept] | None:
    """gamma * (x - mean) / std + beta of images; None for vectors and for what does not fit."""
    x = layer.check_input(x, like=layer.gamma)
    C = len(layer.gamma)
    if x.ndim != 4 or x.shape[1] != C or x.size < 2 * C:
        return None
    a = to_images_last(x)
    rows, count = a.reshape(C, -1), a.size // C
    out, centered = memory.empty(a.shape, a.dtype), memory.empty(a.shape, a.dtype)
    differences, result = centered.reshape(C, -1), out.reshape(C, -1)
    of_batch = layer.training
    if of_batch:
        mean, var = np.empty((C, 1), a.dtype), np.empty((C, 1), a.dtype)
    else:
        mean, var = layer.running_mean[:, None], layer.running_var[:, None]
    std = np.empty((C, 1), a.dtype)
    gamma, beta = layer.gamma[:, None], layer.beta[:, None]

    def work(channels: slice) -> None:
        x, xc, out = rows[channels], differences[channels], result[channels]
        if of_batch:
            mean[channels, 0] = _sums(x) / count
        np.subtract(x, mean[channels], out=xc)
        if of_batch:
            var[channels, 0] = np.vecdot(xc, xc) / count
        np.sqrt(var[channels] + layer.eps, out=std[channels])
        np.multiply(xc, gamma[channels] / std[channels], out=out)
        out += beta[channels]

    each_channel_block(work, C, BLOCK_ARRAYS * count * a.itemsize, passes=4 * a.size)
    if of_batch:
        layer._update_running(mean[:, 0], var[:, 0] * (count / (count - 1)))
    return to_images_first(out), Kept(centered, std, of_batch)


def backward(layer: BatchNormalization, dout: Array, kept: Kept) -> Array:
    """gamma / std * (dout - mean(dout) - z * mean(dout * z)), z = (x - mean) / std; in inference
    gamma / std * dout."""
    centered, std, of_batch = kept
    (C, H, W, N), count = centered.shape, centered[0].size
    d = to_images_last(layer.check_dout(dout, (N, C, H, W)))
    dx, douts, differences = memory.empty(d.shape, d.dtype), d.reshape(C, -1), centered.reshape(C, -1)
    dxs, scale = dx.reshape(C, -1), layer.gamma[:, None] / std
    dgamma, dbeta = np.empty((C, 1), d.dtype), np.empty((C, 1), d.dtype)

    def work(channels: slice) -> None:
        dout, xc, dx = douts[channels], differences[channels], dxs[channels]
        dgamma[channels, 0] = np.vecdot(dout, xc) / std[channels, 0]
        dbeta[channels, 0] = _sums(dout)
        if of_batch:
            along = workspace("along", xc.shape, xc.dtype)
            np.multiply(xc, dgamma[channels] / (count * std[channels]), out=along)
            np.subtract(dout, dbeta[channels] / count, out=dx)
            dx -= along
            dx *= scale[channels]
        else:
            np.multiply(dout, scale[channels], out=dx)

    each_channel_block(work, C, BLOCK_ARRAYS * count * d.itemsize, passes=4 * d.size)
    layer.grads["gamma"], layer.grads["beta"] = dgamma[:, 0], dbeta[:, 0]
    return to_images_first(dx)


def _sums(rows: Array) -> Array:
    """The sum of each row."""
    sums: Array = np.vecdot(rows, np.ones(rows.shape[1], rows.dtype))
    return sums
