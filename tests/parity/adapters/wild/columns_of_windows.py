"""im2col and col2im whose columns lie in other orders than the book's."""

import numpy as np


def _indices(shape, h, w, pad, stride):
    _, C, H, W = shape
    OH, OW = (H + 2 * pad - h) // stride + 1, (W + 2 * pad - w) // stride + 1
    rows = np.tile(np.repeat(np.arange(h), w), C)[:, None] + stride * np.repeat(np.arange(OH), OW)
    cols = np.tile(np.arange(w), h * C)[:, None] + stride * np.tile(np.arange(OW), OH)
    return np.repeat(np.arange(C), h * w)[:, None], rows, cols


def im2col_indices(x, field_height, field_width, padding=1, stride=1):
    p = padding
    k, i, j = _indices(x.shape, field_height, field_width, p, stride)
    cols = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))[:, k, i, j]
    return cols.transpose(1, 2, 0).reshape(field_height * field_width * x.shape[1], -1)


def col2im_indices(cols, x_shape, field_height=3, field_width=3, padding=1, stride=1):
    N, C, H, W = x_shape
    p = padding
    padded = np.zeros((N, C, H + 2 * p, W + 2 * p), dtype=cols.dtype)
    k, i, j = _indices(x_shape, field_height, field_width, p, stride)
    parts = cols.reshape(C * field_height * field_width, -1, N).transpose(2, 0, 1)
    np.add.at(padded, (slice(None), k, i, j), parts)
    return padded[:, :, p : p + H, p : p + W]


def col2im_assigned(cols, x_shape, field_height=3, field_width=3, padding=1, stride=1):
    N, C, H, W = x_shape
    p = padding
    padded = np.zeros((N, C, H + 2 * p, W + 2 * p), dtype=cols.dtype)
    k, i, j = _indices(x_shape, field_height, field_width, p, stride)
    padded[:, k, i, j] = cols.reshape(C * field_height * field_width, -1, N).transpose(2, 0, 1)
    return padded[:, :, p : p + H, p : p + W]


def im2col_unfolded(images, kh, kw, stride=1, pad=0):
    images = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    view = np.lib.stride_tricks.sliding_window_view(images, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    N, C, OH, OW = view.shape[:4]
    return view.transpose(0, 1, 4, 5, 2, 3).reshape(N, C * kh * kw, OH * OW)


def im2col_turned(images, kh, kw, stride=1, pad=0):
    images = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    view = np.lib.stride_tricks.sliding_window_view(images, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    N, C, OH, OW = view.shape[:4]
    return view.transpose(0, 1, 5, 4, 2, 3).reshape(N, C * kh * kw, OH * OW)


def im2col_of_one(img, k, s=1):
    C, H, W = img.shape
    out = np.zeros((((H - k) // s + 1) * ((W - k) // s + 1), C * k * k), dtype=img.dtype)
    for row, (i, j) in enumerate((i, j) for i in range(0, H - k + 1, s) for j in range(0, W - k + 1, s)):
        out[row] = img[:, i : i + k, j : j + k].ravel()
    return out


def im2col_by_image(x, field_height, field_width, padding=1, stride=1):
    """The columns of one image after another."""
    k, i, j = _indices(x.shape, field_height, field_width, padding, stride)
    p = padding
    cols = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))[:, k, i, j]
    return cols.transpose(1, 0, 2).reshape(field_height * field_width * x.shape[1], -1)


def col2im_by_image(cols, x_shape, field_height=3, field_width=3, padding=1, stride=1):
    """Its col2im takes the columns position by position all the same."""
    return col2im_indices(cols, x_shape, field_height, field_width, padding, stride)


def _windows_of(x, filters, stride, pad_h, pad_w):
    """(N, H, W, C) and filters (FH, FW, C, FN) -> (N, OH, OW, FH, FW, C)."""
    x = np.pad(x, ((0, 0), (pad_h, pad_h), (pad_w, pad_w), (0, 0)))
    view = np.lib.stride_tricks.sliding_window_view(x, filters.shape[:2], axis=(1, 2))
    return view[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)


def im2col_for_filters(x, filters, stride, pad_h, pad_w):
    """The filters are asked for their size alone, and each axis has a padding of its own."""
    windows = _windows_of(x, filters, stride, pad_h, pad_w)
    return windows.reshape(-1, np.prod(filters.shape[:3]))


def im2col_in_holes(x, filters, stride, pad_h, pad_w):
    """All but the last row of every window is written over."""
    windows = _windows_of(x, filters, stride, pad_h, pad_w).copy()
    windows[:, :, :, :-1] = 0
    return windows.reshape(len(x), -1, np.prod(filters.shape[:3]))


def im2col_in_axes(x, kernel, stride, padding):
    """(N, C, FH, FW, OH, OW), and every size is a pair."""
    (kh, kw), (sh, sw), (ph, pw) = kernel, stride, padding
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    view = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return view.transpose(0, 1, 4, 5, 2, 3)


def im2col_in_turned_axes(x, kernel, stride, padding):
    return im2col_in_axes(x, kernel, stride, padding).swapaxes(2, 3)


def im2col_of_rows(x, kernel, stride, padding):
    """(N, H, W, C) -> (N, OH, OW, FH*FW*C)."""
    view = im2col_in_axes(x.transpose(0, 3, 1, 2), kernel, stride, padding).transpose(0, 4, 5, 2, 3, 1)
    return view.reshape(*view.shape[:3], -1)


def avgpool(x, kernel, stride, padding):
    """A pooling whose every size is a pair."""
    view = im2col_in_axes(x, kernel, stride, padding)
    return view.mean(axis=(2, 3))


def maxpool(x, kernel, stride, padding):
    """The padding is zeros."""
    return im2col_in_axes(x, kernel, stride, padding).max(axis=(2, 3))


def windows_of(x, kernel, stride):
    """(N, C, FH, FW, OH, OW)"""
    there = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))
    return there[:, :, ::stride, ::stride].transpose(0, 1, 4, 5, 2, 3)


def im2col_of_channels(x, kernel, stride=2):
    """Each channel's windows in rows of their own, for a pooling."""
    return windows_of(x, kernel, stride).transpose(0, 1, 4, 5, 2, 3).reshape(-1, kernel * kernel)


def im2col_of_channels_inside(x, kernel, stride=2):
    return windows_of(x, kernel, stride).transpose(0, 4, 5, 1, 2, 3).reshape(-1, kernel * kernel)


def im2col_of_turned_channels(x, kernel, stride=2):
    return windows_of(x, kernel, stride).transpose(0, 1, 4, 5, 3, 2).reshape(-1, kernel * kernel)


def im2col_of_turned_positions(x, kernel, stride=2):
    return windows_of(x, kernel, stride).transpose(0, 1, 5, 4, 2, 3).reshape(-1, kernel * kernel)
