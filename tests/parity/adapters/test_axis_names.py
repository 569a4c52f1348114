"""Of the errors of all the ways that failed, the one of the layout that the source speaks of is shown."""

import pytest

from parity.adapters.axis_names import named_axes
from parity.verification.verify import verify

COURSERA = """
import numpy as np

def conv_forward(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = int((n_W_prev - f + 2 * pad) / STRIDE) + MORE
    padded = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    Z = np.zeros((m, n_H, n_W, n_C), dtype=A_prev.dtype)
    for h in range(n_H):
        for w in range(n_W):
            part = padded[:, h * stride : h * stride + f, w * stride : w * stride + f]
            Z[:, h, w] = np.tensordot(part * np.ones((f, f, 1)), W, 3) + b.reshape(-1)
    return Z, (A_prev, W, b, hparameters)
"""


@pytest.fixture
def conv(tmp_path):
    def write(stride, more):
        path = tmp_path / f"mine_{stride}_{more}.py"  # a module of its own
        path.write_text(COURSERA.replace("STRIDE", stride).replace("MORE", more))
        return verify(f"{path}:conv_forward", "convolution", isolated=False)

    return write


def test_one_that_always_raises_is_shown_its_own_line(conv):
    found = conv("stride", "2")
    assert found.outcome == "not_checked"
    assert "shapes (2,3,2,6) (3,3,1)" in found.headline and "(mine_stride_2.py, line 15)" in found.headline


def test_one_that_raises_at_a_stride_is_wrong_there_and_only_there(conv):
    found = conv("1", "1")
    assert found.outcome == "wrong" and "only with stride" in found.culprit.sentence
    assert "raised ValueError" in found.first.record.why and "_1_1.py, line 15)" in found.first.record.why
    assert "windows that are not square" in found.not_checked
    right = conv("stride", "1")
    assert right.outcome == "right" and "windows that are not square" in right.not_checked, str(right)


def of_images(x):
    N, C, H, W = x.shape
    return N, C, H, W


def of_kernels(w):
    num_filters, depth, fh, fw = w.shape
    return num_filters, depth, fh, fw


def of_both(x, w):
    (batch, in_h, in_w, in_channels) = x.shape
    (fh, fw, c, filters) = w.shape
    return batch, in_h, in_w, in_channels, fh, fw, c, filters


def test_axes_are_read_off_names():
    assert named_axes(of_images) == {"images": "NCHW"}
    assert named_axes(of_both) == {"images": "NHWC", "kernels": "HWIO"}
    assert "kernels" not in named_axes(of_kernels) and named_axes(len) == {}
