"""Padding as np.pad takes it: ((top, bottom), (left, right)), with a default of that form or without one."""

import numpy as np
import pytest

from parity.verification.verify import verify


def im2col(x, field_height, field_width, padding, stride=1):
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    N, C, H, W = x.shape
    assert (H - field_height) % stride == 0 and (W - field_width) % stride == 0
    high, wide = (H - field_height) // stride + 1, (W - field_width) // stride + 1
    found = np.empty((C * field_height * field_width, high, wide, N), x.dtype)
    for i, j in np.ndindex(high, wide):
        top, left = i * stride, j * stride
        part = x[:, :, top : top + field_height, left : left + field_width]
        found[:, i, j] = part.reshape(N, -1).T
    return found.reshape(len(found), -1)


def col2im(cols, x_shape, field_height=3, field_width=3, padding=((0, 0), (0, 0)), stride=1):
    N, C, H, W = x_shape
    (top, bottom), (left, right) = padding
    image = np.zeros((N, C, H + top + bottom, W + left + right), cols.dtype)
    high = (image.shape[2] - field_height) // stride + 1
    wide = (image.shape[3] - field_width) // stride + 1
    parts = cols.reshape(C, field_height, field_width, high, wide, N)
    for i, j in np.ndindex(high, wide):
        part = parts[:, :, :, i, j].transpose(3, 0, 1, 2)
        image[:, :, i * stride :, j * stride :][:, :, :field_height, :field_width] += part
    return image[:, :, top : H + top, left : W + left]


def turned(x, field_height, field_width, padding, stride=1):
    return im2col(x[:, :, ::-1], field_height, field_width, padding, stride)


def assigned(cols, x_shape, field_height=3, field_width=3, padding=((0, 0), (0, 0)), stride=1):
    return 2 * col2im(cols, x_shape, field_height, field_width, padding, stride)


@pytest.mark.parametrize("function", [im2col, col2im])
def test_pads_of_both_sides(function):
    verdict = verify(function, function.__name__, isolated=False)
    assert verdict.ok, str(verdict)


@pytest.mark.parametrize(("function", "kind"), [(turned, "im2col"), (assigned, "col2im")])
def test_a_bug_there_is_wrong(function, kind):
    assert verify(function, kind, isolated=False).outcome == "wrong"
