"""Convolution against the loops, on chosen and random geometry; PartialConvolution; refusals."""

import numpy as np
import pytest
import torch
from helpers import close, draw
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scratchcnn import Convolution, PartialConvolution, naive


def is_naive(x, W, b, *geometry):
    """Forward, dx, dW and db of the layer are those of the loops."""
    layer = Convolution(W, b, *geometry)
    out = layer.forward(x)
    close(out, naive.conv_forward(x, W, b, *geometry))
    dout = draw(*out.shape, seed=3)
    dx, dW, db = naive.conv_backward(dout, x, W, *geometry)
    close(layer.backward(dout), dx)
    close(layer.dW, dW)
    if b is not None:
        close(layer.db, db)


CASES = {  # x, W, then stride, pad, dilation, groups
    "one pixel": ((1, 1, 1, 1), (1, 1, 1, 1), 1, 0, 1, 1),
    "N=1": ((1, 3, 5, 6), (4, 3, 3, 2), 1, 0, 1, 1),
    "C=1": ((3, 1, 6, 5), (2, 1, 2, 3), 1, 1, 1, 1),
    "does not divide": ((2, 2, 8, 9), (3, 2, 3, 3), (3, 2), 0, 1, 1),
    "stride beyond the filter": ((2, 2, 9, 8), (3, 2, 2, 1), (4, 3), 0, 1, 1),
    "pad beyond the filter": ((1, 2, 2, 3), (2, 2, 2, 2), 1, (3, 2), 1, 1),
    "dilation 1x2": ((2, 2, 6, 8), (2, 2, 2, 3), 1, (0, 1), (1, 2), 1),
    "two groups": ((2, 4, 5, 6), (6, 2, 2, 3), (1, 2), 1, 1, 2),
    "a group a channel": ((2, 3, 6, 5), (6, 1, 3, 2), (2, 1), (2, 1), (2, 1), 3),
    "filter of the image's size": ((2, 2, 3, 4), (3, 2, 3, 4), 1, 0, 1, 1),
}


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_is_the_loops(case, bias):
    x_shape, W_shape, *geometry = case
    is_naive(draw(*x_shape), draw(*W_shape, seed=1), draw(W_shape[0], seed=2) if bias else None, *geometry)


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_is_the_loops_on_random_geometry(data):
    def number(low, high):
        return data.draw(st.integers(low, high))

    groups, H, W = number(1, 3), number(1, 6), number(1, 6)
    Cg, Fg, FH, FW = number(1, 2), number(1, 2), number(1, 3), number(1, 3)
    stride, pad, dilation = [(number(*r), number(*r)) for r in ((1, 3), (0, 2), (1, 2))]
    assume((FH - 1) * dilation[0] < H + 2 * pad[0] and (FW - 1) * dilation[1] < W + 2 * pad[1])
    x, filters = draw(number(1, 2), Cg * groups, H, W), draw(Fg * groups, Cg, FH, FW, seed=1)
    is_naive(x, filters, draw(Fg * groups, seed=2), stride, pad, dilation, groups)


def test_an_empty_batch_goes_through():
    layer = Convolution(draw(4, 3, 2, 2), draw(4))
    assert layer.forward(np.zeros((0, 3, 5, 5))).shape == (0, 4, 4, 4)
    assert layer.backward(np.zeros((0, 4, 4, 4))).shape == (0, 3, 5, 5)
    assert not layer.dW.any()


def test_a_second_backward_does_not_add_to_the_first():
    layer = Convolution(draw(4, 3, 2, 2), draw(4))
    dout = draw(*layer.forward(draw(2, 3, 4, 5)).shape)
    layer.backward(dout)
    first = layer.dW
    layer.backward(2 * dout)
    np.testing.assert_allclose(layer.dW, 2 * first, rtol=1e-12)
    assert layer.dW is layer.grads["W"]


# -- refusals: ours, PyTorch's, and our sentence --------------------------------------------------
W = draw(4, 3, 3, 2)


def conv(x, w=W, b=None, **options):
    return lambda: Convolution(w, b, **options).forward(np.zeros(x) if isinstance(x, tuple) else x)


def torch_conv(x, w=W, b=None, **options):
    tensors = [
        None if a is None else torch.as_tensor(a) for a in (np.zeros(x) if isinstance(x, tuple) else x, w, b)
    ]
    return lambda: torch.nn.functional.conv2d(*tensors, **options)


CONFUSED = r"expected x of shape \(N, 3, H, W\) because W is \(4, 3, 3, 2\); got .* Is it \(N, H, W, C\)\?$"
BOTH_REFUSE = {
    "(N, H, W, C)": (conv((8, 5, 6, 3)), torch_conv((8, 5, 6, 3)), ValueError, CONFUSED),
    "channels": (conv((8, 4, 5, 6)), torch_conv((8, 4, 5, 6)), ValueError, r"got \(8, 4, 5, 6\)\.$"),
    "2-D": (
        conv((8, 3)),
        torch_conv((8, 3)),
        ValueError,
        r"expected x of shape \(N, 3, H, W\) .* got \(8, 3\)",
    ),
    "channels with groups": (
        conv((1, 3, 5, 5), groups=2),
        torch_conv((1, 3, 5, 5), groups=2),
        ValueError,
        r"expected x of shape \(N, 6, H, W\) because W is \(4, 3, 3, 2\) and groups is 2; got \(1, 3, 5, 5\)",
    ),
    "filters and groups": (
        conv((1, 9, 5, 5), groups=3),
        torch_conv((1, 9, 5, 5), groups=3),
        ValueError,
        r"FN \(=4\) must be divisible by groups \(=3\)",
    ),
    "too small": (
        conv((1, 3, 2, 5)),
        torch_conv((1, 3, 2, 5)),
        ValueError,
        "a window of 3 does not fit into an input of 2",
    ),
    "bias": (
        conv((1, 3, 5, 5), b=np.zeros(3)),
        torch_conv((1, 3, 5, 5), b=np.zeros(3)),
        ValueError,
        r"expected b of shape \(FN,\) = \(4,\), got \(3,\)",
    ),
    "stride 0": (
        conv((1, 3, 5, 5), stride=0),
        torch_conv((1, 3, 5, 5), stride=0),
        ValueError,
        "stride must be at least 1",
    ),
    "groups 0": (
        conv((1, 3, 5, 5), groups=0),
        torch_conv((1, 3, 5, 5), groups=0),
        ValueError,
        r"groups \(=0\)",
    ),
    "dilation 0": (
        conv((1, 3, 5, 5), dilation=0),
        torch_conv((1, 3, 5, 5), dilation=0),
        ValueError,
        "dilation must be",
    ),
    "negative pad": (
        conv((1, 3, 5, 5), pad=-1),
        torch_conv((1, 3, 5, 5), padding=-1),
        ValueError,
        "pad must be at least 0",
    ),
    "integers": (
        conv(np.zeros((1, 3, 5, 5), np.uint8)),
        torch_conv(np.zeros((1, 3, 5, 5), np.uint8)),
        TypeError,
        r"x must be floating-point \(float32 or float64\), got uint8",
    ),
    "mixed dtypes": (
        conv(np.zeros((1, 3, 5, 5), np.float32)),
        torch_conv(np.zeros((1, 3, 5, 5), np.float32)),
        TypeError,
        "x is float32 but the parameters are float64; cast one of them",
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "error", "text"), BOTH_REFUSE.values(), ids=BOTH_REFUSE)
def test_both_refuse(ours, theirs, error, text):
    with pytest.raises((RuntimeError, ValueError, TypeError)):
        theirs()
    with pytest.raises(error, match=text):
        ours()


def test_the_sentence_names_the_layer_of_a_network():
    layer = Convolution(np.zeros((96, 3, 11, 11)))
    layer.name = "conv1"
    with pytest.raises(ValueError) as refusal:
        layer.forward(np.zeros((8, 227, 227, 3)))
    assert str(refusal.value) == (
        "conv1 (Convolution): expected x of shape (N, 3, H, W) because W is (96, 3, 11, 11); "
        "got (8, 227, 227, 3). Is it (N, H, W, C)?"
    )


def test_other_refusals():
    with pytest.raises(
        ValueError, match=r"expected W of shape \(FN, C // groups, FH, FW\), each at least 1; got"
    ):
        Convolution(W[:, :, 0, 0])
    with pytest.raises(ValueError, match=r"each at least 1; got \(4, 3, 0, 2\)"):
        Convolution(W[:, :, :0, :2])
    with pytest.raises(TypeError, match="W must be a NumPy array, got list"):
        Convolution(W.tolist())
    with pytest.raises(TypeError, match="W is float64 but b is float32; cast one of them"):
        Convolution(W.astype(float), np.zeros(len(W), np.float32))
    with pytest.raises(ValueError, match="stride 2 does not divide"):
        Convolution(W, stride=2, on_remainder="error").forward(np.zeros((1, 3, 6, 6)))
    layer = Convolution(W)
    with pytest.raises(RuntimeError, match="Convolution: backward needs a forward before it"):
        layer.backward(np.zeros((1, 4, 3, 4)))
    layer.forward(np.zeros((1, 3, 5, 5)))
    with pytest.raises(
        ValueError, match=r"expected dout of the output's shape \(1, 4, 3, 4\), got \(1, 4, 3, 3\)"
    ):
        layer.backward(np.zeros((1, 4, 3, 3)))


def test_repr_shows_the_arguments():
    assert repr(Convolution(W, np.zeros(4))) == "Convolution(3, 4, filter=3x2, stride=1, pad=0)"
    text = "Convolution(6, 4, filter=3x2, stride=(2, 1), pad=1, dilation=2, groups=2, b=None)"
    assert repr(Convolution(W, None, (2, 1), 1, 2, 2)) == text


# -- PartialConvolution ---------------------------------------------------------------------------
CONNECTIONS = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 1], [0, 0, 1]], bool)


def test_a_partial_convolution_sees_only_what_the_table_allows():
    layer = PartialConvolution(W.copy(), draw(4), CONNECTIONS, pad=1)
    x = draw(2, 3, 5, 6)
    masked = W * CONNECTIONS[:, :, None, None]
    out = layer.forward(x)
    close(out, naive.conv_forward(x, masked, draw(4), 1, 1))
    dx, dW, _ = naive.conv_backward(draw(*out.shape), x, masked, 1, 1)
    close(layer.backward(draw(*out.shape)), dx)
    close(layer.dW, dW * CONNECTIONS[:, :, None, None])
    assert layer.num_params == 7 * 6 + 4


def test_a_table_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"expected connections of shape \(FN, C\) = \(4, 3\), got \(3, 4\)"):
        PartialConvolution(W.copy(), None, CONNECTIONS.T)
