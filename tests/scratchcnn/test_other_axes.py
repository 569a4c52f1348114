"""Linear and softmax along other axes, and where a maximum stands: PyTorch's numbers and places."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from scratchcnn import Linear, Pooling, Softmax, softmax

RNG = np.random.default_rng(0)


def grads(out, dout, *wrt):
    return [g.numpy() for g in torch.autograd.grad(out, wrt, torch.from_numpy(dout))]


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (2, 1, 3, 4), (0, 3, 4)], ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_pytorchs_on_any_number_of_axes(shape, bias):
    x, W, b = RNG.standard_normal(shape), RNG.standard_normal((4, 5)), RNG.standard_normal(5)
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, W.T, b)]
    theirs = F.linear(leaves[0], leaves[1], leaves[2] if bias else None)
    layer, dout = Linear(W, b if bias else None), RNG.standard_normal(theirs.shape)
    np.testing.assert_allclose(layer.forward(x), theirs.detach(), rtol=1e-12, atol=1e-12)
    dx, dW, *db = grads(theirs, dout, *leaves[: 2 + bias])
    np.testing.assert_allclose(layer.backward(dout), dx, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(layer.dW, dW.T, rtol=1e-12, atol=1e-12)
    assert (layer.db is not None) == bias
    for theirs_db in db:
        np.testing.assert_allclose(layer.db, theirs_db, rtol=1e-12, atol=1e-12)


def test_linear_refuses_another_last_axis():
    layer = Linear(np.ones((4, 5)))
    with pytest.raises(ValueError, match=r"Linear: expected x of shape \(\.\.\., 4\) because W is \(4, 5\)"):
        layer.forward(np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"expected b of shape \(out,\) = \(5,\)"):
        Linear(np.ones((4, 5)), np.ones(4))
    assert repr(layer) == "Linear(4, 5, b=None)"


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_softmax_along_any_axis(axis):
    x = RNG.standard_normal((3, 4, 5))
    leaf = torch.tensor(x, requires_grad=True)
    theirs = F.softmax(leaf, dim=axis)
    layer, dout = Softmax(axis), RNG.standard_normal(x.shape)
    np.testing.assert_allclose(layer.forward(x), theirs.detach(), rtol=1e-13)
    np.testing.assert_array_equal(layer.forward(x), softmax(x, axis=axis))
    np.testing.assert_allclose(layer.backward(dout), grads(theirs, dout, leaf)[0], rtol=1e-11, atol=1e-14)


def test_an_axis_that_is_not_there():
    with pytest.raises(ValueError, match=r"Softmax: x of shape \(2, 3\) has no axis 2"):
        Softmax(2).forward(np.ones((2, 3)))
    assert repr(Softmax(-1)) == "Softmax(axis=-1)" and repr(Softmax()) == "Softmax()"


POOLINGS = [
    {"pool_h": 2, "pool_w": 2, "stride": 2},
    {"pool_h": 3, "pool_w": 2, "stride": (2, 1), "pad": (1, 1)},
    {"pool_h": 2, "pool_w": 3, "stride": 2, "dilation": (1, 2)},
    {"pool_h": 3, "pool_w": 3, "stride": 3, "pad": 1, "ceil_mode": True},
]


@pytest.mark.parametrize("options", POOLINGS, ids=str)
@pytest.mark.parametrize("values", ["normal", "ties", "all -inf", "some NaN"])
def test_where_a_maximum_stands(options, values):
    x = RNG.standard_normal((2, 3, 7, 8))
    if values == "ties":
        x = np.round(x)
    elif values != "normal":
        x = np.where(RNG.random(x.shape) < (1 if values == "all -inf" else 0.4), -np.inf, x)
        x = np.where(np.isinf(x), np.nan, x) if values == "some NaN" else x
    rest = dict(options)
    window = rest.pop("pool_h"), rest.pop("pool_w")
    rest["padding"] = rest.pop("pad", 0)
    _, theirs = F.max_pool2d(torch.from_numpy(x), window, **rest, return_indices=True)
    layer = Pooling(**options)
    np.testing.assert_array_equal(layer.indices(x), theirs)
    assert layer.indices(x).dtype == np.int64


def test_the_places_of_minima_and_what_forward_remembers():
    x = RNG.standard_normal((2, 3, 6, 8))
    low, high = Pooling(2, 3, 2, mode="min"), Pooling(2, 3, 2)
    np.testing.assert_array_equal(low.indices(x), high.indices(-x))
    out, dout = low.forward(x), RNG.standard_normal((2, 3, 3, 3))
    np.testing.assert_array_equal(
        np.take_along_axis(x.reshape(2, 3, -1), low.indices(x).reshape(2, 3, -1), 2), out.reshape(2, 3, -1)
    )
    before = low.backward(dout)
    low.forward(x)
    low.indices(RNG.standard_normal((1, 3, 4, 5)))
    np.testing.assert_array_equal(low.backward(dout), before)
    with pytest.raises(ValueError, match='indices are of mode "max" or "min"'):
        Pooling(2, 2, mode="average").indices(x)
