"""The order in which a flatten gives the numbers of an image: PyTorch's (C, H, W), or that of its own images.

Code whose images are (N, H, W, C) flattens them by `x.reshape(len(x), -1)` as they lie. That is right in its
own layout, as another order of the axes is that its backward undoes: the rows of the weights after it lie so.
Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

PYTORCH = "CHW"
ORDERS = (PYTORCH, "HWC", "HCW", "WHC", "WCH", "CWH")
Array = NDArray[Any]


def in_order(rows: Array, shape: Sequence[int], source: str, target: str) -> Array:
    """The rows (N, C*H*W) of images (N, C, H, W), whose numbers lie in one order of the axes, in another."""
    sizes = dict(zip(PYTORCH, shape[1:], strict=True))
    images = rows.reshape(len(rows), *(sizes[axis] for axis in source))
    turned = images.transpose(0, *(1 + source.index(axis) for axis in target))
    return np.ascontiguousarray(turned).reshape(rows.shape)


def flattened(images: Array, order: str) -> Array:
    """(N, C, H, W) -> (N, C*H*W), the numbers of an image in that order of its axes."""
    return in_order(images.reshape(len(images), -1), images.shape, PYTORCH, order)


def unflattened(rows: Array, shape: Sequence[int], order: str) -> Array:
    """`flattened` undone, for images of that shape."""
    return in_order(rows, shape, order, PYTORCH).reshape(tuple(shape))
