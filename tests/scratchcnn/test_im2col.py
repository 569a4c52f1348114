"""im2col and col2im: the book's shapes, the loops, adjointness on random geometry, and what is refused."""

import numpy as np
import pytest
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scratchcnn import col2im, im2col, naive, output_size

SIZES = st.integers(1, 7)


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def geometries(draw):
    """(N, C, H, W), (FH, FW), stride, pad, dilation of a window that fits."""
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(SIZES), draw(SIZES))
    window, dilation = draw(pairs(1, 4)), draw(pairs(1, 2))
    stride, pad = draw(pairs(1, 3)), draw(pairs(0, 3))
    extent = [(f - 1) * d + 1 for f, d in zip(window, dilation, strict=True)]
    assume(all(e <= size + 2 * p for e, size, p in zip(extent, shape[2:], pad, strict=True)))
    return shape, window, stride, pad, dilation


@pytest.mark.parametrize(("N", "rows"), [(1, 9), (10, 90)])
def test_the_books_shapes(N, rows):
    x = np.random.default_rng(0).random((N, 3, 7, 7))
    assert im2col(x, 5, 5, stride=1, pad=0).shape == (rows, 75)


def test_a_row_is_a_window_and_columns_run_over_channel_height_width():
    x = np.arange(24.0).reshape(1, 2, 3, 4)
    col = im2col(x, 2, 2)
    assert col.shape == (6, 8)
    np.testing.assert_array_equal(col[4], x[0, :, 1:3, 1:3].ravel())


@given(geometries(), st.integers(0, 2**32))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_both_are_the_loops_and_each_others_transpose(geometry, seed):
    shape, window, *rest = geometry
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    col = im2col(x, *window, *rest)
    np.testing.assert_array_equal(col, naive.im2col(x, *window, *rest))
    c = rng.standard_normal(col.shape)
    back = col2im(c, shape, *window, *rest)
    np.testing.assert_allclose(back, naive.col2im(c, shape, *window, *rest), rtol=0, atol=1e-13)
    np.testing.assert_allclose((col * c).sum(), (x * back).sum(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64], ids=lambda d: d.__name__)
def test_dtype_is_kept_and_the_input_left_alone(dtype):
    x = np.arange(36).reshape(1, 2, 3, 6).astype(dtype)
    before = x.copy()
    col = im2col(x, 2, 3, (1, 2), 1)
    assert col.dtype == col2im(col, x.shape, 2, 3, (1, 2), 1).dtype == dtype
    col[:] = 0
    np.testing.assert_array_equal(x, before)


def test_an_empty_batch_has_no_rows():
    assert im2col(np.zeros((0, 3, 7, 7)), 5, 5).shape == (0, 75)
    assert col2im(np.zeros((0, 75)), (0, 3, 7, 7), 5, 5).shape == (0, 3, 7, 7)


# -- output_size ----------------------------------------------------------------------------------
SIZE_CASES = {
    "the book's 28 - 5": ((28, 5), 24),
    "7x7 with stride 2": ((7, 3, 2), 3),
    "pad 1": ((4, 3, 1, 1), 4),
    "a pixel left over": ((8, 3, 2), 3),
    "dilation 2": ((7, 3, 1, 0, 2), 3),
    "AlexNet": ((227, 11, 4), 55),
    "window of the whole input": ((5, 5, 3), 1),
}


@pytest.mark.parametrize(("args", "expected"), SIZE_CASES.values(), ids=SIZE_CASES)
def test_output_size(args, expected):
    assert output_size(*args) == expected


@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 6), st.integers(0, 2), st.booleans())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_output_size_is_pytorchs_with_and_without_ceil_mode(size, window, stride, pad, ceil):
    import torch

    assume(2 * pad <= window <= size + 2 * pad)
    theirs = F.max_pool1d(torch.zeros(1, 1, size), window, stride, pad, ceil_mode=ceil)
    assert output_size(size, window, stride, pad, ceil_mode=ceil) == theirs.shape[2]


# -- refusals -------------------------------------------------------------------------------------
X = np.zeros((1, 2, 6, 7))
REFUSED = {
    "3-D": (
        lambda: im2col(X[0], 2, 2),
        ValueError,
        r"expected an input of shape \(N, C, H, W\), got \(2, 6, 7\)",
    ),
    "window too large": (
        lambda: im2col(X, 9, 2, pad=1),
        ValueError,
        "a window of 9 does not fit into an input of 6 padded to 8",
    ),
    "a list": (
        lambda: im2col([[[[1.0]]]], 1, 1),
        TypeError,
        r"im2col: input_data must be a NumPy array, got list; np.array\(...\) makes one",
    ),
    "a size of stride 0": (
        lambda: output_size(5, 2, stride=0),
        ValueError,
        "stride must be at least 1, got 0",
    ),
    "a size of stride 2.0": (
        lambda: output_size(5, 2, stride=2.0),
        TypeError,
        "stride must be a whole number, got 2.0",
    ),
    "a size of no filter": (lambda: output_size(5, 0), ValueError, "filter_size must be at least 1, got 0"),
    "stride 0": (lambda: im2col(X, 2, 2, 0), ValueError, "stride must be at least 1, got 0"),
    "negative pad": (
        lambda: im2col(X, 2, 2, 1, (0, -1)),
        ValueError,
        r"pad must be at least 0, got \(0, -1\)",
    ),
    "stride 1.5": (
        lambda: im2col(X, 2, 2, 1.5),
        TypeError,
        "stride must be an int or a pair of ints, got 1.5",
    ),
    "three strides": (
        lambda: im2col(X, 2, 2, (1, 1, 1)),
        ValueError,
        "stride must be an int or a pair of ints",
    ),
    "no window": (lambda: im2col(X, 0, 2), ValueError, r"the filter must be at least 1, got \(0, 2\)"),
    "remainder": (
        lambda: im2col(X, 3, 3, 2, on_remainder="error"),
        ValueError,
        "stride 2 does not divide: input 6, pad 0 and a window of 3 leave 1 pixels unused; change one",
    ),
    "unknown word": (
        lambda: output_size(5, 3, on_remainder="round"),
        ValueError,
        "on_remainder must be .* got 'round'",
    ),
    "col of another shape": (
        lambda: col2im(np.zeros((9, 75)), (1, 3, 7, 8), 5, 5),
        ValueError,
        r"expected col of shape \(N\*OH\*OW, C\*FH\*FW\) = \(12, 75\) for .* \(1, 3, 7, 8\); got \(9, 75\)",
    ),
}


@pytest.mark.parametrize(("call", "error", "text"), REFUSED.values(), ids=REFUSED)
def test_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_a_size_that_divides_passes_on_remainder_error():
    assert im2col(np.zeros((1, 1, 7, 5)), 3, 3, 2, on_remainder="error").shape == (6, 9)
