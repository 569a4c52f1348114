"""Pooling's dilation and divisor_override, against PyTorch's, forward and backward."""

import numpy as np
import pytest
import torch

from parity.reference.layer_modules import twin
from scratchcnn import Pooling

DILATED = {
    "dilation 2": ((2, 3), {"dilation": 2}),
    "pairs, stride, pad": ((3, 2), {"stride": (2, 1), "pad": (1, 0), "dilation": (1, 3)}),
    "ceil_mode": ((2, 2), {"stride": 3, "dilation": (3, 2), "ceil_mode": True}),
    "pad of half the cells": ((3, 3), {"stride": 2, "pad": 1, "dilation": 2}),
}
DIVIDED = {
    "5": {"divisor_override": 5},
    "negative, pad, ceil_mode": {"stride": 2, "pad": 1, "ceil_mode": True, "divisor_override": -3},
    "pad not counted": {"pad": (1, 0), "count_include_pad": False, "divisor_override": 7},
}


def agree(layer, theirs):
    """With PyTorch's layer, and with the module that the layer is turned into."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 9, 8))
    t = torch.tensor(x, requires_grad=True)
    wanted = theirs(t)
    assert torch.equal(twin(layer)(t), wanted)
    out = layer.forward(x)
    np.testing.assert_allclose(out, wanted.detach().numpy(), rtol=1e-12, atol=1e-12)
    dout = rng.standard_normal(out.shape)
    wanted.backward(torch.tensor(dout))
    np.testing.assert_allclose(layer.backward(dout), t.grad.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("window", "options"), DILATED.values(), ids=DILATED)
def test_dilated_windows(window, options):
    given = {"stride": 1, **options}
    given["padding"] = given.pop("pad", 0)
    agree(Pooling(*window, **options), torch.nn.MaxPool2d(window, **given))


@pytest.mark.parametrize("options", DIVIDED.values(), ids=DIVIDED)
def test_a_divisor_of_ones_own(options):
    given = {"stride": 1, **options}
    given["padding"] = given.pop("pad", 0)
    agree(Pooling(3, 2, mode="average", **options), torch.nn.AvgPool2d((3, 2), **given))


def test_options_that_do_not_belong_to_the_mode_are_refused():
    with pytest.raises(ValueError, match='dilation 2 is for mode "max" or "min", not for "average"'):
        Pooling(2, 2, mode="average", dilation=2)
    with pytest.raises(ValueError, match='divisor_override is for mode "average", not for "max"'):
        Pooling(2, 2, divisor_override=3)
    with pytest.raises(ValueError, match="must be a whole number other than 0, got 0"):
        Pooling(2, 2, mode="average", divisor_override=0)
    assert repr(Pooling(2, 2, dilation=2)).endswith("dilation=(2, 2))")
