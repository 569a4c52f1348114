"""Bugs of im2col and col2im: windows read from, or written to, the wrong place."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.im2col import col2im, im2col, output_size, pair
from scratchcnn.typing import Array

fault = Family()


def _windows(x: Array, FH: int, FW: int, stride: Any = 1, pad: Any = 0) -> Array:
    """im2col before its last reshape: (N, C, H, W) -> (N, OH, OW, C, FH, FW)."""
    (sh, sw), (ph, pw) = pair(stride, "stride", 1), pair(pad, "pad", 0)
    OH, OW = output_size(x.shape[2], FH, sh, ph), output_size(x.shape[3], FW, sw, pw)
    return im2col(x, FH, FW, stride, pad).reshape(len(x), OH, OW, x.shape[1], FH, FW)


def _flat(windows: Array, *axes: int) -> Array:
    """The windows with their axes reordered, as a matrix of one row a window."""
    rows = windows.shape[0] * windows.shape[1] * windows.shape[2]
    return windows.transpose(*axes).reshape(rows, -1) if axes else windows.reshape(rows, -1)


def _swap(value: Any) -> Any:
    return value[::-1] if isinstance(value, tuple) else value


def padded(x: Array, pad: Any, mode: Any = "constant", both_sides: bool = True) -> Array:
    """x with its border: zeros or copied pixels, on both sides or all of it at the right and bottom."""
    ph, pw = pair(pad, "pad", 0)
    rows, columns = ((ph, ph), (pw, pw)) if both_sides else ((0, 2 * ph), (0, 2 * pw))
    return np.pad(x, [(0, 0), (0, 0), rows, columns], mode=mode)


# -- im2col ---------------------------------------------------------------------------------------
@fault("im2col-reshape-for-transpose", "im2col", "a reshape where a transpose is needed")
def reshaped(input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0) -> Array:
    """The six axes are reshaped to two without being transposed first, and the shape looks right."""
    windows = _windows(input_data, filter_h, filter_w, stride, pad)
    return windows.transpose(0, 3, 4, 5, 1, 2).reshape(len(_flat(windows)), -1)


@fault("im2col-channels-last", "im2col", "columns in the order FH, FW, C")
def channels_last(input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0) -> Array:
    """Ported from a framework that keeps channels last."""
    return _flat(_windows(input_data, filter_h, filter_w, stride, pad), 0, 1, 2, 4, 5, 3)


@fault("im2col-window-transposed", "im2col", "columns in the order C, FW, FH")
def window_transposed(
    input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """The loops over the window are nested x before y."""
    return _flat(_windows(input_data, filter_h, filter_w, stride, pad), 0, 1, 2, 3, 5, 4)


@fault("im2col-window-flipped", "im2col", "windows turned by 180 degrees")
def window_flipped(input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0) -> Array:
    """The windows are flipped for a mathematical convolution, which the layer is not."""
    return _flat(_windows(input_data, filter_h, filter_w, stride, pad)[..., ::-1, ::-1])


@fault("im2col-images-innermost", "im2col", "rows in the order OH, OW, N")
def images_innermost(input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0) -> Array:
    """The course's im2col puts the images of one position beside each other, the layer expects the book's."""
    return _flat(_windows(input_data, filter_h, filter_w, stride, pad), 1, 2, 0, 3, 4, 5)


@fault("im2col-columns-before-rows", "im2col", "rows in the order N, OW, OH")
def columns_first(input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0) -> Array:
    """OH and OW are exchanged in the last transpose, which no square image shows in its shape."""
    return _flat(_windows(input_data, filter_h, filter_w, stride, pad), 0, 2, 1, 3, 4, 5)


@fault("im2col-stride-axes-swapped", "im2col", "the two strides swapped", needs={"pairs"})
def stride_swapped(input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0) -> Array:
    """The pair is unpacked as (x, y)."""
    return im2col(input_data, filter_h, filter_w, _swap(stride), pad)


@fault("im2col-pad-axes-swapped", "im2col", "the two pads swapped", needs={"pairs", "pad"})
def pad_swapped(input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0) -> Array:
    """The pad pair is unpacked as (left, top)."""
    return im2col(input_data, filter_h, filter_w, stride, _swap(pad))


@fault("im2col-pads-behind-only", "im2col", "all padding at the right and bottom", needs={"pad"})
def pads_behind(input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0) -> Array:
    """The image is copied to the corner of a larger array of zeros instead of its middle."""
    return im2col(padded(input_data, pad, both_sides=False), filter_h, filter_w, stride)


@fault("im2col-edge-padding", "im2col", "the border repeated instead of zeros", needs={"pad"})
def edge_padding(input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0) -> Array:
    """np.pad is called with mode="edge", as image filters like it."""
    return im2col(padded(input_data, pad, "edge"), filter_h, filter_w, stride)


@fault("im2col-ignores-stride", "im2col", "windows one pixel apart whatever the stride", needs={"stride"})
def ignores_stride(input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0) -> Array:
    """The slice y:y+OH lost its step, while the output size still divides by the stride."""
    _, OH, OW = _windows(input_data, filter_h, filter_w, stride, pad).shape[:3]
    return _flat(_windows(input_data, filter_h, filter_w, 1, pad)[:, :OH, :OW])


@fault("im2col-rounds-up", "im2col", "the output size rounded up", needs={"stride"})
def rounds_up(input_data: Array, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0) -> Array:
    """The output size uses ceil, as pooling does with ceil_mode, and the last window hangs over the edge."""
    (sh, sw), (ph, pw) = pair(stride, "stride", 1), pair(pad, "pad", 0)
    over_h = -(input_data.shape[2] + 2 * ph - filter_h) % sh
    over_w = -(input_data.shape[3] + 2 * pw - filter_w) % sw
    img = np.pad(input_data, [(0, 0), (0, 0), (ph, ph + over_h), (pw, pw + over_w)])
    return im2col(img, filter_h, filter_w, stride)


# -- col2im ---------------------------------------------------------------------------------------
def _unflat(col: Array, shape: Any, FH: int, FW: int, stride: Any, pad: Any) -> Array:
    """col's rows as windows: (N*OH*OW, C*FH*FW) -> (N, OH, OW, C, FH, FW)."""
    (sh, sw), (ph, pw) = pair(stride, "stride", 1), pair(pad, "pad", 0)
    OH, OW = output_size(shape[2], FH, sh, ph), output_size(shape[3], FW, sw, pw)
    return col.reshape(shape[0], OH, OW, shape[1], FH, FW)


def scatter(windows: Array, shape: Any, stride: Any, offset: Any, assign: bool = False) -> Array:
    """Add (or assign) windows (N, OH, OW, C, FH, FW) onto zeros, then cut `shape` out at `offset`."""
    N, OH, OW, C, FH, FW = windows.shape
    (sh, sw), (top, left), (H, W) = stride, offset, shape[2:]
    height = max(top + H, (OH - 1) * sh + FH)
    frame = np.zeros((N, C, height, max(left + W, (OW - 1) * sw + FW)), dtype=windows.dtype)
    for y in range(FH):
        for x in range(FW):
            place = frame[:, :, y : y + (OH - 1) * sh + 1 : sh, x : x + (OW - 1) * sw + 1 : sw]
            values = windows[..., y, x].transpose(0, 3, 1, 2)  # (N, OH, OW, C) -> (N, C, OH, OW)
            place[...] = values if assign else place + values
    return frame[:, :, top : top + H, left : left + W]


@fault("col2im-assigns", "col2im", "= where windows overlap, for +=")
def assigns(
    col: Array, input_shape: Any, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """The body is copied from im2col with the two sides exchanged, and the = stays."""
    windows = _unflat(col, input_shape, filter_h, filter_w, stride, pad)
    return scatter(windows, input_shape, pair(stride, "stride", 1), pair(pad, "pad", 0), assign=True)


@fault("col2im-averages", "col2im", "overlapping windows averaged")
def averages(
    col: Array, input_shape: Any, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """It is taken for the inverse of im2col, so a pixel that was read four times is divided by four."""
    args = (input_shape, filter_h, filter_w, stride, pad)
    return col2im(col, *args) / np.maximum(col2im(np.ones_like(col), *args), 1)


@fault("col2im-crop-off-by-one", "col2im", "the crop one pixel too far", needs={"pad"})
def crop_off_by_one(
    col: Array, input_shape: Any, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """The crop is written in one-based rows and columns."""
    windows, (ph, pw) = _unflat(col, input_shape, filter_h, filter_w, stride, pad), pair(pad, "pad", 0)
    return scatter(windows, input_shape, pair(stride, "stride", 1), (ph + (ph > 0), pw + (pw > 0)))


@fault("col2im-crop-forgotten", "col2im", "the crop at the corner of the padded image", needs={"pad"})
def crop_forgotten(
    col: Array, input_shape: Any, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """The padded image is cut to the right size from its corner, so everything moves by the pad."""
    windows = _unflat(col, input_shape, filter_h, filter_w, stride, pad)
    return scatter(windows, input_shape, pair(stride, "stride", 1), (0, 0))


@fault("col2im-crop-by-minus-pad", "col2im", "img[pad:-pad], which is empty without padding")
def crop_minus_pad(
    col: Array, input_shape: Any, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """The slice pad:-pad is right until pad is 0 and it becomes 0:0."""
    img, (ph, pw) = col2im(col, input_shape, filter_h, filter_w, stride, pad), pair(pad, "pad", 0)
    return img[:, :, : None if ph else 0, : None if pw else 0]


@fault("col2im-reshape-for-transpose", "col2im", "a reshape where a transpose is needed")
def col_reshaped(
    col: Array, input_shape: Any, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """The matrix is reshaped to (N, C, FH, FW, OH, OW) at once."""
    windows = _unflat(col, input_shape, filter_h, filter_w, stride, pad)
    N, OH, OW, C, FH, FW = windows.shape
    wrong = col.reshape(N, C, FH, FW, OH, OW).transpose(0, 4, 5, 1, 2, 3)
    return scatter(wrong, input_shape, pair(stride, "stride", 1), pair(pad, "pad", 0))


@fault("col2im-columns-before-rows", "col2im", "rows read in the order N, OW, OH")
def col_columns_first(
    col: Array, input_shape: Any, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """OW and OH stand in the wrong order in the reshape."""
    windows = _unflat(col, input_shape, filter_h, filter_w, stride, pad)
    N, OH, OW, *rest = windows.shape
    wrong = windows.reshape(N, OW, OH, *rest).transpose(0, 2, 1, 3, 4, 5)
    return scatter(wrong, input_shape, pair(stride, "stride", 1), pair(pad, "pad", 0))


@fault("col2im-window-flipped", "col2im", "windows turned by 180 degrees")
def col_flipped(
    col: Array, input_shape: Any, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """The rule that a transposed convolution turns the kernel is applied where im2col has done it already."""
    windows = _unflat(col, input_shape, filter_h, filter_w, stride, pad)
    return scatter(windows[..., ::-1, ::-1], input_shape, pair(stride, "stride", 1), pair(pad, "pad", 0))


@fault("col2im-ignores-stride", "col2im", "windows one pixel apart whatever the stride", needs={"stride"})
def col_ignores_stride(
    col: Array, input_shape: Any, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """The target slice lost its step."""
    windows = _unflat(col, input_shape, filter_h, filter_w, stride, pad)
    return scatter(windows, input_shape, (1, 1), pair(pad, "pad", 0))


@fault("col2im-stride-axes-swapped", "col2im", "the two strides swapped", needs={"pairs"})
def col_stride_swapped(
    col: Array, input_shape: Any, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """The strides of x and y are exchanged in the target slice alone."""
    windows = _unflat(col, input_shape, filter_h, filter_w, stride, pad)
    return scatter(windows, input_shape, pair(stride, "stride", 1)[::-1], pair(pad, "pad", 0))


@fault("col2im-pad-axes-swapped", "col2im", "the two pads swapped", needs={"pairs", "pad"})
def col_pad_swapped(
    col: Array, input_shape: Any, filter_h: int, filter_w: int, stride: Any = 1, pad: Any = 0
) -> Array:
    """The crop takes the horizontal pad off the rows."""
    windows = _unflat(col, input_shape, filter_h, filter_w, stride, pad)
    return scatter(windows, input_shape, pair(stride, "stride", 1), pair(pad, "pad", 0)[::-1])
