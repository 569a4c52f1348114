"""Arrays from memory that this program has touched before, and which arrays have to be copied.

A page of memory that is new to the process costs about a microsecond when it is first written, as much as
computing its thousand numbers several times over, and a training step would go through hundreds of megabytes
of new pages. So large arrays are made on buffers that are kept, and a buffer is used again as soon as nothing
holds an array on it any more: Python counts the references to it, and every array or view on a buffer is one.

Nothing is ever taken from anyone who still holds it: an output or a gradient that the caller keeps stays
as it is, and the next one comes from another buffer.
"""

from __future__ import annotations

import math
import sys
import threading
from typing import Any

import numpy as np

from scratchcnn.typing import Array

MIN_BUFFER_BYTES = 1 << 17  # below, the system's allocator is as good
MAX_UNUSED_BYTES = 256 << 20  # keep at most this many bytes of unused buffers; free the rest
# Without Python's lock, references are counted in another way.
COUNTS = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()


class Buffers(threading.local):
    """The buffers of one thread, by size."""

    def __init__(self) -> None:
        self.by_size: dict[int, list[Array]] = {}

    def take(self, size: int) -> Array:
        """A buffer of this size that nothing else holds."""
        kept = self.by_size.setdefault(size, [])
        for i in range(len(kept)):
            if sys.getrefcount(kept[i]) == FREE:
                return kept[i]
        self.give_back()
        kept.append(np.empty(size, np.uint8))
        return kept[-1]

    def give_back(self) -> None:
        """Free unused buffers down to MAX_UNUSED_BYTES, starting with the sizes that were asked for first."""
        idle = [
            (size, i)
            for size, kept in self.by_size.items()
            for i in range(len(kept))
            if sys.getrefcount(kept[i]) == FREE
        ]
        excess = sum(size for size, _ in idle) - MAX_UNUSED_BYTES
        for size, _ in idle:
            if excess <= 0:
                break
            kept = self.by_size[size]
            unused = next(i for i in range(len(kept)) if sys.getrefcount(kept[i]) == FREE)
            del kept[unused]
            excess -= size


def _free() -> int:
    """What getrefcount returns for a buffer that only its list holds."""
    kept = [np.empty(1, np.uint8)]
    return sys.getrefcount(kept[0])


FREE = _free()
_buffers = Buffers()


def empty(shape: tuple[int, ...], dtype: Any) -> Array:
    """As np.empty: uninitialised, the caller's for as long as they keep it."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size < MIN_BUFFER_BYTES or not COUNTS:
        return np.empty(shape, dtype)
    array: Array = _buffers.take(size).view(dtype).reshape(shape)
    return array


def zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """As np.zeros."""
    array = empty(shape, dtype)
    array.fill(0)
    return array


def empty_like(a: Array, dtype: Any = None, length: int | None = None) -> Array:
    """As np.empty_like: in a's memory order, where a's numbers lie in one piece in any order of its axes.
    `length` is that of the first axis, where it is not a's."""
    shape = a.shape if length is None else (length, *a.shape[1:])
    if a.nbytes < MIN_BUFFER_BYTES:
        return np.empty_like(a, dtype, shape=shape)
    if a.flags.c_contiguous:
        return empty(shape, dtype or a.dtype)
    if a.ndim == 4 and a.transpose(1, 2, 3, 0).flags.c_contiguous:  # images last: most arrays here
        return empty((*shape[1:], shape[0]), dtype or a.dtype).transpose(3, 0, 1, 2)
    order = sorted(range(a.ndim), key=a.strides.__getitem__, reverse=True)
    back = list(map(order.index, range(a.ndim)))
    return empty(tuple(map(shape.__getitem__, order)), dtype or a.dtype).transpose(back)


# -- arrays that are kept for backward ---------------------------------------------------------------
def is_private(layer: Any) -> bool:
    """Whether only the neighbouring layers hold the layer's input and output, so that neither has to be
    copied before it is kept. So it is within a part of a batch (batch_split.py)."""
    return "_private" in vars(layer)


def owned(layer: Any, array: Array) -> Array:
    """The array, to be given or kept: a copy in its memory order, where a caller might overwrite it."""
    return array if is_private(layer) else copied(array)


def kept(layer: Any, array: Array) -> Array:
    """The array, for a backward only: no copy where none will follow."""
    return copied(array) if layer.recording and not is_private(layer) else array


def copied(array: Array) -> Array:
    """A copy in its memory order."""
    copy = empty_like(array)
    np.copyto(copy, array)
    return copy
