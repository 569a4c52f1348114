"""Images last, (C, H, W, N), while the callers see (N, C, H, W).

With the images last, the same pixel of all images lies in one run, and a row of a window of all of them in
one longer run: slices that NumPy copies and computes with at full width, at any stride. Callers keep the
logical order: `to_images_first` is a view, and so is `to_images_last` of what another fast layer returned.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from scratchcnn.fast import memory, threads
from scratchcnn.typing import Array

COPY_PASSES = 2  # what a number costs whose neighbours lie apart


def to_images_last(x: Array) -> Array:
    """(N, C, H, W) -> (C, H, W, N), contiguous; a copy only where it does not lie so already."""
    turned = x.transpose(1, 2, 3, 0)
    if turned.flags.c_contiguous:
        return turned
    a = memory.empty(turned.shape, x.dtype)
    each_slab(np.copyto, a, turned, passes=COPY_PASSES)
    return a


def to_images_first(a: Array) -> Array:
    """(C, H, W, N) -> (N, C, H, W), a view."""
    return a.transpose(3, 0, 1, 2)


MAX_PIXEL_BYTES = 32  # of one item; longer runs are copied as fast one by one


def copy_pixels(out: Array, a: Array) -> None:
    """np.copyto(out, a) where pixels lie apart, and their images, the last axis, together: a pixel of all
    images is one item, since NumPy takes as long for a run of two numbers as for one of eight."""
    N = a.shape[-1]
    size = N * a.itemsize
    if N > 1 and size <= MAX_PIXEL_BYTES and a.strides[-1] == out.strides[-1] == a.itemsize:
        item = {8: "f8", 16: "c16"}.get(size, f"V{size}")
        out, a = out.view(item)[..., 0], a.view(item)[..., 0]
    np.copyto(out, a)


def flat_view(x: Array) -> Array:
    """The numbers of x in memory order, 1-D, if they lie in one piece; otherwise x as it is."""
    if x.flags.c_contiguous:
        return x.reshape(-1)
    back = sorted(range(x.ndim), key=x.strides.__getitem__, reverse=True)
    turned = x.transpose(back)
    return turned.reshape(-1) if turned.flags.c_contiguous else x


def as_bits(a: Array) -> Array:
    """The bits of floats as integers of the same size: a product with 0 or 1 keeps or clears a number,
    infinities and NaN too."""
    return a.view(f"i{a.dtype.itemsize}")


def each_slab(call: Callable[..., Any], *arrays: Array, passes: int = 1) -> None:
    """call(*arrays), or, if they are large, a call per thread with a part of each, all of the same shape: cut
    along the axis that lies slowest in the first one's memory. Each number costs so many `passes`."""
    first = arrays[0]
    if first.size * passes < threads.MIN_SHARED_PASSES or threads.is_worker():
        call(*arrays)
        return
    axis = max(range(first.ndim), key=lambda i: first.strides[i] if first.shape[i] > 1 else 0)
    whole = (slice(None),) * axis
    threads.each_part(
        lambda part: call(*(a[(*whole, part)] for a in arrays)), first.shape[axis], first.size * passes
    )


BLOCK = 1 << 14  # numbers: a few arrays of so many stay in the cache from pass to pass


def flat_like(a: Array, model: Array) -> Array:
    """The numbers of a in the memory order of `model`, which is dense and of a's shape: 1-D, a copy where a
    does not lie so."""
    for n, s, t in zip(a.shape, a.strides, model.strides, strict=True):
        if n > 1 and s * model.itemsize != t * a.itemsize:
            ordered = memory.empty_like(model, a.dtype)
            np.copyto(ordered, a)
            return flat_view(ordered)
    return flat_view(a)


def each_block(call: Callable[..., Any], *runs: Array) -> None:
    """call(*blocks) with a block of each of the 1-D arrays after the other, in this thread: a pass over a
    block takes some microseconds, and two threads that need Python's lock so often wait for each other longer
    than they work (1.3 to 1.5 times the time of one, at up to three million numbers)."""
    for blocks in zip(*map(pieces, runs), strict=True):
        call(*blocks)


def pieces(run: Array) -> list[Array]:
    """A 1-D array in blocks, of as many numbers whatever their dtype."""
    return [run[i : i + BLOCK] for i in range(0, len(run), BLOCK)]


def constant(value: float, like: Array) -> Array:
    """As many as there are in a block `like`: NumPy's maximum and minimum are faster with an array."""
    return _constants(value, like.dtype)[: len(like)]


@lru_cache(64)
def _constants(value: float, dtype: np.dtype) -> Array:
    array = np.full(BLOCK, value, dtype)
    array.flags.writeable = False
    return array


class _Spaces(threading.local):
    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self.above_ones: dict[np.dtype, tuple[int, Array]] = {}


_spaces = _Spaces()
MAX_WORKSPACE_BYTES = 64 << 20  # a workspace that grew larger is not kept


def workspace(name: str, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """Uninitialised scratch memory of this thread, the same each time: nothing may keep it.

    Two workspaces that are in use at the same time need different names.
    """
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_WORKSPACE_BYTES:
        return np.empty(shape, dtype)
    array = _spaces.arrays.get(name)
    if array is None or array.size < size:
        array = _spaces.arrays[name] = np.empty(size, np.uint8)
    return array[:size].view(dtype).reshape(shape)


def workspace_above_ones(rows: int, columns: int, dtype: np.dtype) -> Array:
    """(rows + 1, columns) of scratch memory whose last row is ones: they stay from call to call, below what
    is written above them. As with `workspace`, nothing may keep it; there is one per dtype."""
    size, space = _spaces.above_ones.get(dtype, (0, np.empty(0, dtype)))
    if size < rows * columns or space.size - size < columns:
        size, ones = max(size, rows * columns), max(space.size - size, columns)
        space = np.empty(size + ones, dtype)
        space[size:] = 1
        if space.nbytes <= MAX_WORKSPACE_BYTES:
            _spaces.above_ones[dtype] = size, space
    return space[size - rows * columns : size + columns].reshape(rows + 1, columns)
