"""Batch normalization with images last: a channel is one row of H*W*N numbers.

All passes are made over some channels at a time, which stay in the cache from the mean to the output, and
the threads share the channels. So memory is read and written as often as there are arrays: forward reads x
and writes z and the output, backward reads dout and z and writes dx. The arithmetic is the textbook's.
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

    z: Array  # the normalized x, (C, H, W, N)
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
    out, z = memory.empty(a.shape, a.dtype), memory.empty(a.shape, a.dtype)
    normalized, result = z.reshape(C, -1), out.reshape(C, -1)
    of_batch = layer.training
    if of_batch:
        mean, var = np.empty((C, 1), a.dtype), np.empty((C, 1), a.dtype)
    else:
        mean, var = layer.running_mean[:, None], layer.running_var[:, None]
    std = np.empty((C, 1), a.dtype)
    gamma, beta = layer.gamma[:, None], layer.beta[:, None]

    def work(channels: slice) -> None:
        x, z, out = rows[channels], normalized[channels], result[channels]
        if of_batch:
            np.mean(x, axis=1, keepdims=True, out=mean[channels])
        np.subtract(x, mean[channels], out=z)
        if of_batch:
            np.multiply(z, z, out=out)  # only for now
            np.mean(out, axis=1, keepdims=True, out=var[channels])
        np.sqrt(var[channels] + layer.eps, out=std[channels])
        z /= std[channels]
        np.multiply(z, gamma[channels], out=out)
        out += beta[channels]

    each_channel_block(work, C, BLOCK_ARRAYS * count * a.itemsize, passes=6 * a.size)
    if of_batch:
        layer._update_running(mean[:, 0], var[:, 0] * (count / (count - 1)))
    return to_images_first(out), Kept(z, std, of_batch)


def backward(layer: BatchNormalization, dout: Array, kept: Kept) -> Array:
    """gamma / std * (dout - mean(dout) - z * mean(dout * z)); in inference gamma / std * dout."""
    z, std, of_batch = kept
    (C, H, W, N), count = z.shape, z[0].size
    d = to_images_last(layer.check_dout(dout, (N, C, H, W)))
    dx, douts, normalized = memory.empty(z.shape, d.dtype), d.reshape(C, -1), z.reshape(C, -1)
    dxs, scale = dx.reshape(C, -1), layer.gamma[:, None] / std
    dgamma, dbeta = np.empty((C, 1), d.dtype), np.empty((C, 1), d.dtype)

    def work(channels: slice) -> None:
        dout, z, dx = douts[channels], normalized[channels], dxs[channels]
        np.multiply(dout, z, out=dx)  # only for now
        np.sum(dx, axis=1, keepdims=True, out=dgamma[channels])
        np.sum(dout, axis=1, keepdims=True, out=dbeta[channels])
        if of_batch:
            along = workspace("along", z.shape, z.dtype)
            np.multiply(z, dgamma[channels] / count, out=along)
            np.subtract(dout, dbeta[channels] / count, out=dx)
            dx -= along
            dx *= scale[channels]
        else:
            np.multiply(dout, scale[channels], out=dx)

    each_channel_block(work, C, BLOCK_ARRAYS * count * d.itemsize, passes=6 * d.size)
    layer.grads["gamma"], layer.grads["beta"] = dgamma[:, 0], dbeta[:, 0]
    return to_images_first(dx)
