"""Sizes of images, of filters and of the result among the arguments, under short names of their own: x_w is a
width and no array of weights, out_h the height of what comes out."""

import numpy as np
import pytest

from parity.verification.verify import verify


def _steps(flt_h, flt_w, out_h, out_w, stride):
    for i in range(flt_h):
        for j in range(flt_w):
            yield i, j, slice(i, i + stride * out_h, stride), slice(j, j + stride * out_w, stride)


def im2col(images, flt_h, flt_w, out_h, out_w, stride, pad):
    N, C = images.shape[:2]
    images = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    cols = np.zeros((N, C, flt_h, flt_w, out_h, out_w), dtype=images.dtype)
    for i, j, rows, columns in _steps(flt_h, flt_w, out_h, out_w, stride):
        cols[:, :, i, j] = images[:, :, rows, columns]
    return cols.transpose(1, 2, 3, 0, 4, 5).reshape(C * flt_h * flt_w, -1)


def col2im(cols, img_shape, flt_h, flt_w, out_h, out_w, stride, pad):
    N, C, H, W = img_shape
    cols = cols.reshape(C, flt_h, flt_w, N, out_h, out_w).transpose(3, 0, 1, 2, 4, 5)
    images = np.zeros((N, C, H + 2 * pad + stride - 1, W + 2 * pad + stride - 1), dtype=cols.dtype)
    for i, j, rows, columns in _steps(flt_h, flt_w, out_h, out_w, stride):
        images[:, :, rows, columns] += cols[:, :, i, j]
    return images[:, :, pad : pad + H, pad : pad + W]


def no_overlap(cols, img_shape, flt_h, flt_w, out_h, out_w, stride, pad):
    """The last window to reach a pixel has it alone."""
    N, C, H, W = img_shape
    cols = cols.reshape(C, flt_h, flt_w, N, out_h, out_w).transpose(3, 0, 1, 2, 4, 5)
    images = np.zeros((N, C, H + 2 * pad + stride - 1, W + 2 * pad + stride - 1), dtype=cols.dtype)
    for i, j, rows, columns in _steps(flt_h, flt_w, out_h, out_w, stride):
        images[:, :, rows, columns] = cols[:, :, i, j]
    return images[:, :, pad : pad + H, pad : pad + W]


class Windows:
    def __init__(self, x_ch, x_h, x_w, n_flt, flt_h, flt_w, stride, pad):
        self.params = x_ch, x_h, x_w, n_flt, flt_h, flt_w, stride, pad
        self.w, self.b = np.ones((n_flt, x_ch, flt_h, flt_w)), np.zeros((1, n_flt))
        self.y_h, self.y_w = (x_h - flt_h + 2 * pad) // stride + 1, (x_w - flt_w + 2 * pad) // stride + 1

    def forward(self, x):
        _, _, _, n_flt, flt_h, flt_w, stride, pad = self.params
        self.cols = im2col(x, flt_h, flt_w, self.y_h, self.y_w, stride, pad)
        u = (self.w.reshape(n_flt, -1) @ self.cols).T + self.b
        self.u = u.reshape(len(x), self.y_h, self.y_w, n_flt).transpose(0, 3, 1, 2)
        self.y = np.where(self.u <= 0, self.u.dtype.type(0), self.u)

    def backward(self, grad_y):
        x_ch, x_h, x_w, n_flt, flt_h, flt_w, stride, pad = self.params
        delta = self.through(grad_y).transpose(0, 2, 3, 1).reshape(-1, n_flt)
        self.grad_w = (self.cols @ delta).T.reshape(self.w.shape)
        self.grad_b = delta.sum(axis=0)
        cols, shape = (delta @ self.w.reshape(n_flt, -1)).T, (len(grad_y), x_ch, x_h, x_w)
        self.grad_x = col2im(cols, shape, flt_h, flt_w, self.y_h, self.y_w, stride, pad)

    def through(self, grad_y):
        return grad_y * (self.u > 0)


class OpenGate(Windows):
    """The gradient goes through the ReLU as if it were not there."""

    def through(self, grad_y):
        return grad_y


class OfWindows:
    """A pooling whose stride is its window."""

    def __init__(self, x_ch, x_h, x_w, pool):
        self.params = x_ch, x_h, x_w, pool

    def forward(self, x):
        x_ch, x_h, x_w, pool = self.params
        parts = x.reshape(-1, x_ch, x_h // pool, pool, x_w // pool, pool)
        self.y, self.wins = parts.max(axis=(3, 5)), parts == parts.max(axis=(3, 5), keepdims=True)

    def backward(self, grad_y):
        x_ch, x_h, x_w = self.params[:3]
        self.grad_x = (self.wins * grad_y[:, :, :, None, :, None]).reshape(-1, x_ch, x_h, x_w)


@pytest.mark.parametrize("function", [im2col, col2im])
def test_sizes_of_the_result_are_given(function):
    verdict = verify(function, function.__name__, isolated=False)
    assert verdict.outcome == "right", str(verdict)


def test_a_wrong_sum_of_windows_is_wrong():
    assert verify(no_overlap, "col2im", isolated=False).outcome == "wrong"


def test_the_width_of_an_image_is_no_weight():
    verdict = verify(Windows, "convolution", isolated=False)
    assert verdict.outcome == "right" and "convolution followed by ReLU" in str(verdict), str(verdict)
    assert verify(OpenGate, "convolution", isolated=False).outcome == "wrong"
    assert "OfWindows(x_ch, x_h, x_w, pool)" in verify(OfWindows, "max_pooling", isolated=False).called
