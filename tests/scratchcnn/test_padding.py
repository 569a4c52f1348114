"""Pad: PyTorch's padding modes and uneven sides, forward and backward, alone and before a convolution."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from scratchcnn import Convolution, Pad, Sequential, naive
from scratchcnn.layers.padding import MODES

RNG = np.random.default_rng(0)
BORDERS = [0, 1, (1, 2), ((1, 2), (0, 3)), ((2, 0), (3, 1))]


def grads(out, dout, *wrt):
    return [g.numpy() for g in torch.autograd.grad(out, wrt, torch.from_numpy(dout))]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("pad", BORDERS, ids=str)
def test_every_border_is_pytorchs_and_the_loops(mode, pad):
    layer, x = Pad(pad, mode), RNG.standard_normal((2, 3, 4, 5))
    (top, bottom), (left, right) = layer.pad
    leaf = torch.tensor(x, requires_grad=True)
    theirs = F.pad(leaf, (left, right, top, bottom), "constant" if mode == "zeros" else mode)
    out, dout = layer.forward(x), RNG.standard_normal(theirs.shape)
    np.testing.assert_array_equal(out, theirs.detach())
    np.testing.assert_array_equal(out, naive.pad_forward(x, layer.pad, mode))
    dx = layer.backward(dout)
    np.testing.assert_allclose(dx, grads(theirs, dout, leaf)[0], rtol=1e-13)
    np.testing.assert_allclose(dx, naive.pad_backward(dout, x.shape, layer.pad, mode), rtol=1e-13)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("size", "dilation"), [((3, 3), 1), ((2, 4), 1), ((4, 3), (1, 2)), ((2, 2), 3)])
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_same_before_a_convolution_is_pytorchs_same(mode, size, dilation):
    W, b = RNG.standard_normal((4, 3, *size)), RNG.standard_normal(4)
    x = RNG.standard_normal((2, 3, 6, 7))
    conv = torch.nn.Conv2d(3, 4, size, padding="same", dilation=dilation, padding_mode=mode).double()
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(W))
        conv.bias.copy_(torch.from_numpy(b))
    leaf = torch.tensor(x, requires_grad=True)
    theirs = conv(leaf)
    ours = Sequential(Pad.same(*size, dilation, mode), Convolution(W, b, dilation=dilation))
    out, dout = ours.forward(x), RNG.standard_normal(theirs.shape)
    np.testing.assert_allclose(out, theirs.detach(), rtol=1e-9, atol=1e-12)
    dx, dW, db = grads(theirs, dout, leaf, conv.weight, conv.bias)
    np.testing.assert_allclose(ours.backward(dout), dx, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.grads["1.W"], dW, rtol=1e-9)
    np.testing.assert_allclose(ours.grads["1.b"], db, rtol=1e-9)


@pytest.mark.parametrize(
    ("mode", "pad", "words"),
    [
        (
            "reflect",
            3,
            r"a reflect border of 3 pixels needs an image of at least 4, got x of shape \(1, 1, 3, 5\)",
        ),
        ("circular", (4, 0), "a circular border of 4 pixels needs an image of at least 4"),
    ],
)
def test_an_image_that_is_too_small_for_its_border(mode, pad, words):
    with pytest.raises(ValueError, match=words):
        Pad(pad, mode).forward(np.ones((1, 1, 3, 5)))


def test_what_is_no_border():
    with pytest.raises(
        ValueError, match="mode must be one of zeros, reflect, replicate, circular; got 'same'"
    ):
        Pad(1, "same")
    with pytest.raises(ValueError, match="pad must be at least 0"):
        Pad((1, (0, -1)))
    with pytest.raises(ValueError, match=r"expected x of shape \(N, C, H, W\), got \(3, 4\)"):
        Pad(1).forward(np.ones((3, 4)))
    assert repr(Pad.same(2, 3)) == "Pad(((0, 1), (1, 1)), mode='zeros')"
