"""Pooling and Subsampling against the loops; padding and ties as PyTorch; refusals of both sides."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import close, draw
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scratchcnn import Pooling, Subsampling, naive


def is_naive(x, *args):
    """Forward and dx of the layer are those of the loops."""
    layer = Pooling(*args)
    out = layer.forward(x)
    close(out, naive.pool_forward(x, *args))
    dout = draw(*out.shape, seed=1)
    close(layer.backward(dout), naive.pool_backward(dout, x, *args))


CASES = {  # x, pool_h, pool_w, stride, pad, then ceil_mode
    "one pixel": ((1, 1, 1, 1), 1, 1, 1, 0, False),
    "N=1, C=1": ((1, 1, 5, 4), 2, 2, 2, 0, False),
    "AlexNet's overlap": ((2, 3, 7, 5), 3, 3, 2, 0, False),
    "does not divide": ((2, 2, 6, 7), 3, 2, (2, 3), 0, False),
    "gaps between windows": ((1, 2, 9, 8), 2, 1, (4, 3), 0, False),
    "pad 1x2": ((2, 1, 5, 6), 3, 4, (2, 1), (1, 2), False),
    "ceil": ((1, 2, 6, 7), 3, 2, (2, 3), 0, True),
    "ceil, padded": ((2, 1, 6, 8), 3, 4, (2, 3), (1, 2), True),
    "ceil drops the window behind the image": ((1, 1, 5, 3), 2, 3, (2, 3), (1, 1), True),
    "ceil cuts the image short": ((1, 1, 9, 9), 2, 2, 4, 0, False),
}


@pytest.mark.parametrize("include", [True, False], ids=["count pad", "pixels only"])
@pytest.mark.parametrize("mode", ["max", "min", "average"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("ties", [False, True], ids=["reals", "ties"])
def test_is_the_loops(case, mode, include, ties):
    shape, *window, ceil = case
    x = draw(*shape) - 3  # negative: a padding of 0 would win the maximum
    is_naive(np.round(x) if ties else x, *window, mode, ceil, include)


@given(st.data())
@settings(max_examples=80, deadline=None, derandomize=True)
def test_is_the_loops_on_random_geometry(data):
    def number(low, high):
        return data.draw(st.integers(low, high))

    shape = (number(1, 2), 2, number(1, 7), number(1, 7))
    window, stride = (number(1, 4), number(1, 4)), (number(1, 4), number(1, 4))
    pad = (number(0, window[0] // 2), number(0, window[1] // 2))
    assume(window[0] <= shape[2] + 2 * pad[0] and window[1] <= shape[3] + 2 * pad[1])
    mode = data.draw(st.sampled_from(["max", "min", "average"]))
    ceil, include = data.draw(st.booleans()), data.draw(st.booleans())
    is_naive(np.round(2 * draw(*shape)), *window, stride, pad, mode, ceil, include)


def test_the_first_of_equals_takes_the_gradient():
    layer = Pooling(2, 2, stride=2)
    layer.forward(np.ones((1, 1, 2, 4)))
    dx = layer.backward(np.array([[[[5.0, 7.0]]]]))
    np.testing.assert_array_equal(dx[0, 0], [[5, 0, 7, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize(("mode", "sign"), [("max", 1), ("min", -1)])
def test_padding_never_wins_nor_takes_a_gradient(mode, sign):
    x = np.full((1, 1, 2, 3), -np.inf) * sign
    x[0, 0, 1, 1] = -5 * sign
    tx = torch.tensor(x, requires_grad=True)
    theirs = sign * F.max_pool2d(sign * tx, 2, 1, 1)
    layer, dout = Pooling(2, 2, 1, 1, mode), draw(*theirs.shape)
    np.testing.assert_array_equal(layer.forward(x), theirs.detach().numpy())
    (dx,) = torch.autograd.grad(theirs, tx, torch.tensor(dout))
    close(layer.backward(dout), dx.numpy())


def test_nan_wins_as_in_pytorch():
    x = draw(1, 2, 4, 5)
    x[0, 0, 1, 2] = np.nan
    theirs = F.max_pool2d(torch.tensor(x), 2).numpy()
    assert np.isnan(theirs).sum() == 1
    np.testing.assert_array_equal(Pooling(2, 2, 2).forward(x), theirs)


@pytest.mark.parametrize("mode", ["max", "min"])
@pytest.mark.parametrize("pad", [0, 1])
def test_the_last_of_several_nan_gets_the_gradient_as_in_pytorch(mode, pad):
    x = np.where(draw(2, 3, 6, 7) > 0, np.nan, draw(2, 3, 6, 7, seed=1))
    sign = 1 if mode == "max" else -1
    tx = torch.tensor(x, requires_grad=True)
    theirs = sign * F.max_pool2d(sign * tx, (3, 2), 2, pad)
    dout = draw(*theirs.shape)
    (dx,) = torch.autograd.grad(theirs, tx, torch.tensor(dout))
    layer = Pooling(3, 2, 2, pad, mode)
    np.testing.assert_array_equal(layer.forward(x), theirs.detach().numpy())
    np.testing.assert_array_equal(layer.backward(dout), dx.numpy())
    np.testing.assert_array_equal(naive.pool_backward(dout, x, 3, 2, 2, pad, mode), dx.numpy())


@pytest.mark.parametrize("size", range(1, 9))
@pytest.mark.parametrize("window", [2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("pad", [0, 1])
def test_ceil_mode_takes_the_images_that_pytorch_takes(size, window, stride, pad):
    x, layer = draw(1, 2, size, size), Pooling(window, window, stride, pad, "average", ceil_mode=True)
    try:
        theirs = F.avg_pool2d(torch.tensor(x), window, stride, pad, ceil_mode=True).numpy()
    except RuntimeError:  # no window at all
        with pytest.raises(ValueError, match=f"a window of {window} does not fit"):
            layer.forward(x)
        with pytest.raises(ValueError, match=f"a window of {window} does not fit"):
            naive.pool_forward(x, window, window, stride, pad, "average", True)
        return
    close(layer.forward(x), theirs)
    close(naive.pool_forward(x, window, window, stride, pad, "average", True), theirs)


def test_an_empty_batch_goes_through():
    for mode in ("max", "average"):
        layer = Pooling(2, 2, 2, mode=mode)
        assert layer.forward(np.zeros((0, 3, 4, 6))).shape == (0, 3, 2, 3)
        assert layer.backward(np.zeros((0, 3, 2, 3))).shape == (0, 3, 4, 6)


# -- refusals -------------------------------------------------------------------------------------
def pool(x, *args, **options):
    return lambda: Pooling(*args, **options).forward(np.zeros(x))


def torch_pool(x, *args):
    return lambda: F.max_pool2d(torch.zeros(x), *args)


BOTH_REFUSE = {
    "pad beyond half": (
        pool((1, 1, 5, 5), 3, 3, 1, 2),
        torch_pool((1, 1, 5, 5), 3, 1, 2),
        r"pad \(2, 2\) must be at most half the window \(3, 3\)",
    ),
    "too large": (
        pool((1, 1, 4, 5), 2, 6),
        torch_pool((1, 1, 4, 5), (2, 6)),
        "a window of 6 does not fit into an input of 5",
    ),
    "2-D": (pool((4, 5), 2, 2), torch_pool((4, 5), 2), r"expected x of shape \(N, C, H, W\), got \(4, 5\)"),
    "stride 0": (
        pool((1, 1, 4, 5), 2, 2, 0),
        torch_pool((1, 1, 4, 5), 2, 0),
        "stride must be at least 1, got 0",
    ),
    "window 0": (
        pool((1, 1, 4, 5), 0, 2),
        torch_pool((1, 1, 4, 5), (0, 2)),
        "the pooling window must be at least 1",
    ),
    "negative pad": (
        pool((1, 1, 4, 5), 2, 2, 1, -1),
        torch_pool((1, 1, 4, 5), 2, 1, -1),
        "pad must be at least 0",
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "text"), BOTH_REFUSE.values(), ids=BOTH_REFUSE)
def test_both_refuse(ours, theirs, text):
    with pytest.raises((RuntimeError, ValueError)):
        theirs()
    with pytest.raises(ValueError, match=text):
        ours()


def test_other_refusals():
    with pytest.raises(ValueError, match='mode must be "max", "average" or "min", got \'mean\''):
        Pooling(2, 2, mode="mean")
    with pytest.raises(ValueError, match="stride 2 does not divide: input 5"):
        Pooling(2, 2, 2, on_remainder="error").forward(np.zeros((1, 1, 4, 5)))
    with pytest.raises(TypeError, match=r"x must be floating-point \(float32 or float64\), got int64"):
        Pooling(2, 2).forward(np.zeros((1, 1, 4, 5), int))
    layer = Pooling(2, 2, 2)
    layer.forward(np.zeros((1, 1, 4, 5)))
    with pytest.raises(
        ValueError, match=r"expected dout of the output's shape \(1, 1, 2, 2\), got \(1, 1, 2, 3\)"
    ):
        layer.backward(np.zeros((1, 1, 2, 3)))


# -- Subsampling ----------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("shape", [(2, 3, 6, 6), (1, 1, 5, 7)], ids=["divides", "N=1, C=1, rows over"])
def test_subsampling_is_the_loops(shape, size):
    x, a, b = draw(*shape), draw(shape[1], seed=1), draw(shape[1], seed=2)
    layer = Subsampling(a, b, size)
    out = layer.forward(x)
    close(out, naive.subsampling_forward(x, a, b, size))
    dout = draw(*out.shape, seed=3)
    dx, da, db = naive.subsampling_backward(dout, x, a, size)
    close(layer.backward(dout), dx)
    close(layer.dcoefficient, da)
    close(layer.dbias, db)


def test_subsampling_refuses():
    with pytest.raises(ValueError, match=r"same shape \(C,\), got \(3,\) and \(2,\)"):
        Subsampling(np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match="Subsampling: a window of 2 does not fit into an input of 1"):
        Subsampling(np.ones(3), np.ones(3)).forward(np.zeros((1, 3, 1, 4)))
