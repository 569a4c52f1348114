"""im2col: a convolution as one matrix product (book, section 7.4.2 and 7.4.3).

Every window that the filter will visit is copied into one row of a matrix; the convolution is then
`col @ W.reshape(FN, -1).T`. `col2im` is the transpose of that copy: it *adds* every row back to the
pixels it came from, which is what the backward pass needs where windows overlap.

Letters: N images, C channels, H and W height and width, FH and FW filter, OH and OW output.
"""

from __future__ import annotations

import operator
from typing import Literal

import numpy as np

from scratchcnn.arrays import require_array
from scratchcnn.typing import Array

__all__ = ["col2im", "im2col", "output_size"]

Pair = int | tuple[int, int]
OnRemainder = Literal["floor", "error"]
SIZES = ("input_size", "filter_size", "stride", "pad", "dilation")


def pair(value: Pair, name: str, minimum: int) -> tuple[int, int]:
    """`3` or `(3, 5)` -> `(height, width)`; raises TypeError or ValueError for anything else."""
    items = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    try:
        numbers = tuple(map(operator.index, items))
    except TypeError:
        raise TypeError(f"{name} must be an int or a pair of ints, got {value!r}") from None
    if len(numbers) != 2:
        raise ValueError(f"{name} must be an int or a pair of ints, got {value!r}")
    if min(numbers) < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value!r}")
    return numbers


class DoesNotFit(ValueError):
    """A window is larger than the padded input."""


def output_size(
    input_size: int,
    filter_size: int,
    stride: int = 1,
    pad: int = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
    on_remainder: OnRemainder = "floor",
) -> int:
    """How many positions a window takes along one axis (book, eq. 7.1):

        OH = floor((H + 2*pad - dilation*(FH - 1) - 1) / stride) + 1

    `ceil_mode` rounds up instead, and then drops a last window that would start in the padding
    beyond the image (PyTorch's rule for pooling). So one window that exceeds the padded input by less
    than the stride is allowed. With `on_remainder="error"` a stride that does
    not divide raises instead of leaving pixels unvisited.

    Raises ValueError when the window does not fit into the padded input, TypeError for sizes that are
    not whole numbers.
    """
    whole = type(input_size) is type(filter_size) is type(stride) is type(pad) is type(dilation) is int
    if not whole or input_size < 0 or filter_size < 1 or stride < 1 or pad < 0 or dilation < 1:
        _check_sizes((input_size, filter_size, stride, pad, dilation))
    if on_remainder not in ("floor", "error"):
        raise ValueError(f'on_remainder must be "floor" or "error", got {on_remainder!r}')
    extent = dilation * (filter_size - 1) + 1
    span = input_size + 2 * pad - extent
    if span < 0 and not (ceil_mode and span > -stride):
        padded = f" padded to {input_size + 2 * pad}" if pad else ""
        raise DoesNotFit(f"a window of {extent} does not fit into an input of {input_size}{padded}")
    if on_remainder == "error" and span % stride:
        raise ValueError(
            f"stride {stride} does not divide: input {input_size}, pad {pad} and a window of {extent} "
            f'leave {span % stride} pixels unused; change one, or use on_remainder="floor"'
        )
    if not ceil_mode:
        return span // stride + 1
    size = -(-span // stride) + 1
    return size - 1 if (size - 1) * stride >= input_size + pad else size


def _check_sizes(sizes: tuple[int, ...]) -> None:
    """Raise for what is no whole number or too small; `output_size` asks only where something looks odd."""
    for name, size, least in zip(SIZES, sizes, (0, 1, 1, 0, 1), strict=True):
        if not isinstance(size, (int, np.integer)):
            raise TypeError(f"{name} must be a whole number, got {size!r}")
        if size < least:
            raise ValueError(f"{name} must be at least {least}, got {size}")


def im2col(
    input_data: Array,
    filter_h: int,
    filter_w: int,
    stride: Pair = 1,
    pad: Pair = 0,
    dilation: Pair = 1,
    on_remainder: OnRemainder = "floor",
) -> Array:
    """Unfold images into rows, one row per window: (N, C, H, W) -> (N*OH*OW, C*FH*FW).

    The book's function and the transpose of `torch.nn.functional.unfold`. The dtype is kept (the
    book's becomes float64). Cost: writes FH*FW times the input (stride 1).

    Raises ValueError for an input that is not 4-D or smaller than the window, TypeError for one that is
    not an array.
    """
    if not isinstance(input_data, np.ndarray):
        require_array(input_data, "im2col: input_data")  # raises
    if np.ndim(input_data) != 4:
        raise ValueError(f"im2col: expected an input of shape (N, C, H, W), got {np.shape(input_data)}")
    N, C, H, W = input_data.shape
    (sh, sw), (ph, pw) = pair(stride, "stride", 1), pair(pad, "pad", 0)
    dh, dw = pair(dilation, "dilation", 1)
    filter_h, filter_w = pair((filter_h, filter_w), "the filter", 1)
    OH = output_size(H, filter_h, sh, ph, dh, on_remainder=on_remainder)
    OW = output_size(W, filter_w, sw, pw, dw, on_remainder=on_remainder)

    img = np.pad(input_data, [(0, 0), (0, 0), (ph, ph), (pw, pw)]) if ph or pw else input_data
    col = np.empty((N, C, filter_h, filter_w, OH, OW), dtype=input_data.dtype)
    for y in range(filter_h):
        for x in range(filter_w):
            col[:, :, y, x] = img[
                :, :, y * dh : y * dh + (OH - 1) * sh + 1 : sh, x * dw : x * dw + (OW - 1) * sw + 1 : sw
            ]
    # (N, C, FH, FW, OH, OW) -> (N, OH, OW, C, FH, FW) -> (N*OH*OW, C*FH*FW)
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(N * OH * OW, C * filter_h * filter_w)


def col2im(
    col: Array,
    input_shape: tuple[int, int, int, int],
    filter_h: int,
    filter_w: int,
    stride: Pair = 1,
    pad: Pair = 0,
    dilation: Pair = 1,
) -> Array:
    """Fold rows back into images, adding where windows overlap: (N*OH*OW, C*FH*FW) -> (N, C, H, W).

    The transpose of `im2col` as a linear map: `(im2col(x) * col).sum() == (x * col2im(col)).sum()`.
    The book's function and `torch.nn.functional.fold`. Pixels that no window visits are 0.

    Raises ValueError when `col` does not have the shape that `im2col` gives for `input_shape`, TypeError
    when it is not an array.
    """
    if not isinstance(col, np.ndarray):
        require_array(col, "col2im: col")  # raises
    N, C, H, W = input_shape
    (sh, sw), (ph, pw) = pair(stride, "stride", 1), pair(pad, "pad", 0)
    dh, dw = pair(dilation, "dilation", 1)
    OH, OW = output_size(H, filter_h, sh, ph, dh), output_size(W, filter_w, sw, pw, dw)
    expected = (N * OH * OW, C * filter_h * filter_w)
    if col.shape != expected:
        raise ValueError(
            f"col2im: expected col of shape (N*OH*OW, C*FH*FW) = {expected} for an input of shape "
            f"{tuple(input_shape)}; got {col.shape}"
        )
    # (N*OH*OW, C*FH*FW) -> (N, OH, OW, C, FH, FW) -> (N, C, FH, FW, OH, OW)
    col = col.reshape(N, OH, OW, C, filter_h, filter_w).transpose(0, 3, 4, 5, 1, 2)
    img = np.zeros((N, C, H + 2 * ph, W + 2 * pw), dtype=col.dtype)
    for y in range(filter_h):
        for x in range(filter_w):
            img[:, :, y * dh : y * dh + (OH - 1) * sh + 1 : sh, x * dw : x * dw + (OW - 1) * sw + 1 : sw] += (
                col[:, :, y, x]
            )
    return img[:, :, ph : ph + H, pw : pw + W]
