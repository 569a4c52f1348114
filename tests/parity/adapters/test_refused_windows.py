"""Windows that code refuses on purpose, because it asserts the width with the filter's height, are listed."""

import numpy as np
import pytest

from parity.verification.verify import verify

REFUSED = "windows that are not square at a stride above 1"


def _columns(x, fh, fw, stride, pad, step=1):
    N, _, H, W = x.shape
    OH, OW = (H + 2 * pad - fh) // stride + 1, (W + 2 * pad - fw) // stride + 1
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    ys, xs = (range(0, n * stride, stride) for n in (OH, OW))
    col = np.array([[x[:, :, i : i + fh, j : j + fw][..., ::step] for j in xs] for i in ys])
    return col.transpose(2, 0, 1, 3, 4, 5).reshape(N * OH * OW, -1)


def by_the_height(x, fh, fw, stride=1, pad=0):
    assert (x.shape[2] + 2 * pad - fh) % stride == 0
    assert (x.shape[3] + 2 * pad - fh) % stride == 0
    return _columns(x, fh, fw, stride, pad)


def by_the_width(x, fh, fw, stride=1, pad=0):
    assert (x.shape[2] + 2 * pad - fh) % stride == 0
    assert (x.shape[3] + 2 * pad - fw) % stride == 0
    return _columns(x, fh, fw, stride, pad)


def turned(x, fh, fw, stride=1, pad=0):
    by_the_height(x, fh, fw, stride, pad)
    return _columns(x, fh, fw, stride, pad, step=-1)


def wrong_at_strides(x, fh, fw, stride=1, pad=0):
    by_the_height(x, fh, fw, stride, pad)
    return _columns(x, fh, fw, stride, pad, step=-1 if stride > 2 else 1)


def test_an_assertion_of_the_other_size_is_listed():
    verdict = verify(by_the_height, "im2col", isolated=False)
    assert verdict.outcome == "right" and REFUSED in verdict.not_checked, str(verdict)


def test_windows_that_are_taken_are_checked():
    verdict = verify(by_the_width, "im2col", isolated=False)
    assert verdict.outcome == "right" and REFUSED not in verdict.not_checked, str(verdict)


@pytest.mark.parametrize("function", [turned, wrong_at_strides])
def test_a_wrong_number_is_not_excused_by_it(function):
    assert verify(function, "im2col", isolated=False).outcome == "wrong"


def test_code_that_is_held_to_all_windows_is_wrong_where_it_refuses_some():
    assert (
        verify(by_the_height, "im2col", isolated=False, supports=["rectangular", "stride"]).outcome == "wrong"
    )
