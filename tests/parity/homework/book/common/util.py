"""Images as rows of a matrix and back, both begun with np.zeros: float64 whatever comes."""

import numpy as np


def im2col(input_data, filter_h, filter_w, stride=1, pad=0):
    N, C, H, W = input_data.shape
    out_h = (H + 2 * pad - filter_h) // stride + 1
    out_w = (W + 2 * pad - filter_w) // stride + 1
    img = np.pad(input_data, ((0, 0), (0, 0), (pad, pad), (pad, pad)), "constant")
    col = np.zeros((N, C, filter_h, filter_w, out_h, out_w))
    for row in range(filter_h):
        for column in range(filter_w):
            down, right = row + stride * out_h, column + stride * out_w
            col[:, :, row, column] = img[:, :, row:down:stride, column:right:stride]
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(N * out_h * out_w, -1)


def col2im(col, input_shape, filter_h, filter_w, stride=1, pad=0):
    N, C, H, W = input_shape
    out_h = (H + 2 * pad - filter_h) // stride + 1
    out_w = (W + 2 * pad - filter_w) // stride + 1
    col = col.reshape(N, out_h, out_w, C, filter_h, filter_w).transpose(0, 3, 4, 5, 1, 2)
    img = np.zeros((N, C, H + 2 * pad + stride - 1, W + 2 * pad + stride - 1))
    for row in range(filter_h):
        for column in range(filter_w):
            down, right = row + stride * out_h, column + stride * out_w
            img[:, :, row:down:stride, column:right:stride] += col[:, :, row, column]
    return img[:, :, pad : H + pad, pad : W + pad]
