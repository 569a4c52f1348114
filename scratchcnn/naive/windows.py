"""What the loops share: indices, and where a window stands, found by walking and not by a formula."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from itertools import product

import numpy as np

from scratchcnn.typing import Array

Pair = int | tuple[int, int]
Index = tuple[int, ...]


def indices(*sizes: int) -> Iterator[Index]:
    """`for n, c in indices(N, C)` is `for n in range(N): for c in range(C)`."""
    return product(*(range(size) for size in sizes))


def pair(value: Pair) -> tuple[int, int]:
    """`3` or `(3, 5)` -> (height, width)."""
    height, width = value if isinstance(value, (tuple, list)) else (value, value)
    return operator.index(height), operator.index(width)


def window_starts(size: int, extent: int, stride: int, pad: int, ceil_mode: bool = False) -> list[int]:
    """The first coordinate of each window along an axis of `size` pixels, where the first pixel is 0.

    Windows lie within the padding. With `ceil_mode`, as PyTorch's for pooling, one more window may extend
    beyond it, by less than the stride, unless it would start after the image.
    """
    if extent < 1 or stride < 1 or pad < 0:
        raise ValueError(
            f"expected window and stride of at least 1 and pad of at least 0, got {extent}, {stride}, {pad}"
        )
    end = size + pad
    found, start = [], -pad
    while start + extent <= end:
        found.append(start)
        start += stride
    if ceil_mode and start - stride + extent < end and start < size:
        found.append(start)
    if not found:
        raise ValueError(
            f"a window of {extent} does not fit into {size} pixels with {pad} of padding on each side"
        )
    return found


def as_float64(array: Array, name: str, *shape: int | str) -> Array:
    """A float64 copy of a floating-point array, checked for this shape; a letter stands for any size.

    Raises TypeError for another dtype, ValueError for another shape.
    """
    array = np.asarray(array)
    if array.dtype.kind != "f":
        raise TypeError(f"{name} must be floating-point, got {array.dtype}")
    sizes = [a if isinstance(s, str) else s for s, a in zip(shape, array.shape, strict=False)]
    if array.ndim != len(shape) or list(array.shape) != sizes:
        raise ValueError(f"{name}: expected shape ({', '.join(map(str, shape))}), got {array.shape}")
    return array.astype(np.float64)
