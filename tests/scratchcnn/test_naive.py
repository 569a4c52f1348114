"""The loops are the specification, so they are held to PyTorch itself, in float64."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import close, draw

from scratchcnn import naive


def tensors(*arrays):
    return [torch.tensor(a, requires_grad=True) for a in arrays]


CONVOLUTIONS = {  # N, C, H, W, FN, FH, FW, stride, pad, dilation, groups
    "plain": (2, 3, 5, 6, 4, 3, 2, 1, 0, 1, 1),
    "stride 2x1, pad 1x2": (2, 2, 7, 5, 3, 3, 4, (2, 1), (1, 2), 1, 1),
    "dilation 1x2": (1, 2, 6, 8, 2, 2, 3, 1, (0, 1), (1, 2), 1),
    "two groups": (2, 4, 5, 6, 6, 2, 3, (1, 2), 1, 1, 2),
    "depthwise, dilated": (2, 3, 6, 5, 3, 3, 2, (2, 1), (2, 1), (2, 1), 3),
    "does not divide": (1, 1, 8, 7, 1, 3, 3, (3, 2), 0, 1, 1),
    "1x1 filter": (1, 2, 3, 4, 3, 1, 1, 2, 0, 1, 1),
    "pad beyond the window": (1, 1, 2, 3, 2, 2, 2, 1, 3, 1, 1),
}


@pytest.mark.parametrize("case", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_convolution(case):
    N, C, H, W, FN, FH, FW, *geometry = case
    x, w, b = draw(N, C, H, W), draw(FN, C // geometry[-1], FH, FW, seed=1), draw(FN, seed=2)
    tx, tw, tb = tensors(x, w, b)
    out = F.conv2d(tx, tw, tb, *geometry)
    close(naive.conv_forward(x, w, b, *geometry), out)
    close(naive.conv_forward(x, w, None, *geometry), F.conv2d(tx, tw, None, *geometry))
    dout = draw(*out.shape, seed=3)
    for ours, theirs in zip(
        naive.conv_backward(dout, x, w, *geometry),
        torch.autograd.grad(out, (tx, tw, tb), torch.tensor(dout)),
        strict=True,
    ):
        close(ours, theirs)


@pytest.mark.parametrize("case", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_im2col_and_col2im(case):
    N, C, H, W, _, FH, FW, stride, pad, dilation, _ = case
    x, args = draw(N, C, H, W), {"stride": stride, "padding": pad, "dilation": dilation}
    theirs = F.unfold(torch.tensor(x), (FH, FW), **args)  # (N, C*FH*FW, OH*OW)
    col = naive.im2col(x, FH, FW, stride, pad, dilation)
    close(col, theirs.transpose(1, 2).reshape(-1, C * FH * FW))
    col = draw(*col.shape, seed=1)
    blocks = torch.tensor(col).reshape(N, -1, C * FH * FW).transpose(1, 2)
    close(naive.col2im(col, x.shape, FH, FW, stride, pad, dilation), F.fold(blocks, (H, W), (FH, FW), **args))


def test_im2col_has_the_books_shapes():
    assert naive.im2col(np.zeros((1, 3, 7, 7)), 5, 5).shape == (9, 75)
    assert naive.im2col(np.zeros((10, 3, 7, 7)), 5, 5).shape == (90, 75)


POOLINGS = {  # N, C, H, W, window, stride, pad, ceil_mode
    "plain": (2, 3, 4, 6, (2, 2), 2, 0, False),
    "overlap": (2, 1, 7, 5, (3, 2), (2, 1), 0, False),
    "pad 1x0": (1, 2, 5, 6, (3, 2), (2, 3), (1, 0), False),
    "ceil": (1, 2, 6, 7, (3, 2), (2, 3), 0, True),
    "ceil that divides, overlap": (1, 1, 7, 5, (3, 3), (2, 2), 0, True),
    "ceil, padded": (2, 1, 6, 8, (3, 4), (2, 3), (1, 2), True),
    "ceil drops the window behind the image": (1, 1, 5, 3, (2, 3), (2, 3), (1, 1), True),
    "stride beyond the window": (1, 2, 9, 8, (2, 1), (4, 3), 0, True),
    "one pixel": (1, 1, 1, 1, (1, 1), 1, 0, False),
}


def torch_pool(x, mode, window, stride, pad, ceil, include):
    if mode == "average":
        return F.avg_pool2d(x, window, stride, pad, ceil, include)
    sign = 1 if mode == "max" else -1
    return sign * F.max_pool2d(sign * x, window, stride, pad, 1, ceil)


@pytest.mark.parametrize("include", [True, False], ids=["count pad", "pixels only"])
@pytest.mark.parametrize("mode", ["max", "min", "average"])
@pytest.mark.parametrize("case", POOLINGS.values(), ids=POOLINGS)
@pytest.mark.parametrize("ties", [False, True], ids=["reals", "ties"])
def test_pooling(case, mode, include, ties):
    N, C, H, W, window, stride, pad, ceil = case
    x = draw(N, C, H, W) - 3  # negative: a padding of 0 would win the maximum
    x = np.round(x) if ties else x
    (tx,) = tensors(x)
    out = torch_pool(tx, mode, window, stride, pad, ceil, include)
    close(naive.pool_forward(x, *window, stride, pad, mode, ceil, include), out)
    dout = draw(*out.shape, seed=1)
    (dx,) = torch.autograd.grad(out, tx, torch.tensor(dout))
    close(naive.pool_backward(dout, x, *window, stride, pad, mode, ceil, include), dx)


@pytest.mark.parametrize("mode", ["max", "min"])
def test_pooling_nan_wins_and_padding_never(mode):
    x = np.full((1, 1, 2, 3), -np.inf if mode == "max" else np.inf)
    x[0, 0, 1, 1] = np.nan
    (tx,) = tensors(x)
    out = torch_pool(tx, mode, 2, 1, 1, False, True)
    close(naive.pool_forward(x, 2, 2, 1, 1, mode), out)
    dout = draw(*out.shape)
    (dx,) = torch.autograd.grad(out, tx, torch.tensor(dout))
    close(naive.pool_backward(dout, x, 2, 2, 1, 1, mode), dx)


@pytest.mark.parametrize("shape", [(2, 3, 4, 6), (1, 1, 5, 7)], ids=["divides", "does not divide"])
def test_subsampling(shape):
    x, a, b = draw(*shape), draw(shape[1], seed=1), draw(shape[1], seed=2)
    tx, ta, tb = tensors(x, a, b)
    out = 4 * F.avg_pool2d(tx, 2) * ta[:, None, None] + tb[:, None, None]
    close(naive.subsampling_forward(x, a, b), out)
    dout = draw(*out.shape, seed=3)
    theirs = torch.autograd.grad(out, (tx, ta, tb), torch.tensor(dout))
    for ours, grad in zip(naive.subsampling_backward(dout, x, a), theirs, strict=True):
        close(ours, grad)


@pytest.mark.parametrize("size", [(2, 3), (3, 4), (1, 1), (7, 5), (9, 6)], ids=str)
def test_adaptive_average(size):
    x, dout = draw(2, 3, 7, 5), draw(2, 3, *size, seed=1)
    (tx,) = tensors(x)
    out = F.adaptive_avg_pool2d(tx, size)
    close(naive.adaptive_average_forward(x, *size), out)
    close(naive.adaptive_average_backward(dout, x), torch.autograd.grad(out, tx, torch.tensor(dout))[0])


def test_global_average():
    x, dout = draw(2, 3, 4, 5), draw(2, 3, seed=1)
    (tx,) = tensors(x)
    out = tx.mean(dim=(2, 3))
    close(naive.global_average_forward(x), out)
    close(naive.global_average_backward(dout, x), torch.autograd.grad(out, tx, torch.tensor(dout))[0])


@pytest.mark.parametrize("shape", [(3, 4), (1, 1), (2, 3, 2, 2)], ids=str)
def test_affine(shape):
    size = int(np.prod(shape[1:]))
    x, w, b = draw(*shape), draw(size, 5, seed=1), draw(5, seed=2)
    tx, tw, tb = tensors(x, w, b)
    out = F.linear(tx.flatten(1), tw.T, tb)
    close(naive.affine_forward(x, w, b), out)
    close(naive.affine_forward(x, w, None), F.linear(tx.flatten(1), tw.T))
    dout = draw(*out.shape, seed=3)
    theirs = torch.autograd.grad(out, (tx, tw, tb), torch.tensor(dout))
    for ours, grad in zip(naive.affine_backward(dout, x, w), theirs, strict=True):
        close(ours, grad)


def test_rbf():
    x, w = draw(3, 5), draw(4, 5, seed=1)
    tx, tw = tensors(x, w)
    out = ((tx[:, None] - tw) ** 2).sum(2)
    close(naive.rbf_forward(x, w), out)
    dout = draw(3, 4, seed=2)
    close(naive.rbf_backward(dout, x, w), torch.autograd.grad(out, tx, torch.tensor(dout))[0])


@pytest.mark.parametrize("paper", [False, True], ids=["alpha/n", "paper alpha"])
@pytest.mark.parametrize(("C", "size"), [(7, 5), (6, 4), (3, 5), (1, 3), (4, 1)])
def test_local_response_normalization(C, size, paper):
    x, alpha = 3 * draw(2, C, 2, 3), 0.3
    (tx,) = tensors(x)
    out = F.local_response_norm(tx, size, alpha * size if paper else alpha, 0.75, 2.0)
    close(naive.lrn_forward(x, size, alpha, 0.75, 2.0, paper), out)
    dout = draw(*x.shape, seed=1)
    close(
        naive.lrn_backward(dout, x, size, alpha, 0.75, 2.0, paper),
        torch.autograd.grad(out, tx, torch.tensor(dout))[0],
    )


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 2, 3), (1, 1, 3, 2)], ids=str)
def test_batch_normalization(shape, training):
    x, C = draw(*shape) + 2, shape[1]
    gamma, beta, mean, var = draw(C, seed=1), draw(C, seed=2), draw(C, seed=3), draw(C, seed=4) ** 2
    tx, tg, tb = tensors(x, gamma, beta)
    tm, tv = torch.tensor(mean), torch.tensor(var)
    out = F.batch_norm(tx, tm, tv, tg, tb, training, momentum=0.2, eps=1e-3)
    ours = naive.batch_norm_forward(x, gamma, beta, mean, var, 0.8, 1e-3, training)
    for mine, theirs in zip(ours, (out, tm, tv), strict=True):
        close(mine, theirs)
    dout = draw(*shape, seed=5)
    theirs = torch.autograd.grad(out, (tx, tg, tb), torch.tensor(dout))
    for mine, grad in zip(
        naive.batch_norm_backward(dout, x, gamma, mean, var, 1e-3, training), theirs, strict=True
    ):
        close(mine, grad)


def test_batch_normalization_refuses_one_value_a_channel():
    one = np.ones(3)
    with pytest.raises(ValueError, match="more than one value per channel"):
        naive.batch_norm_forward(draw(1, 3), one, one, one, one)


@pytest.mark.parametrize("given", ["gamma and beta", "gamma alone", "neither"])
@pytest.mark.parametrize(
    ("shape", "last"), [((4, 3), (3,)), ((2, 3, 4), (4,)), ((2, 3, 4), (3, 4)), ((3,), (3,))], ids=str
)
def test_layer_normalization(shape, last, given):
    x, gamma, beta, dout = draw(*shape) + 2, draw(*last, seed=1), draw(*last, seed=2), draw(*shape, seed=5)
    gamma, beta = None if given == "neither" else gamma, beta if given == "gamma and beta" else None
    tx, *weights = tensors(x, *(a for a in (gamma, beta) if a is not None))
    out = F.layer_norm(tx, last, *weights, eps=1e-3)
    close(naive.layer_norm_forward(x, gamma, beta, 1e-3, last), out)
    theirs = torch.autograd.grad(out, (tx, *weights), torch.tensor(dout))
    for mine, grad in zip(naive.layer_norm_backward(dout, x, gamma, 1e-3, last), theirs, strict=False):
        close(mine, grad)


@pytest.mark.parametrize("scale", [1, 1000])
@pytest.mark.parametrize(
    ("name", "theirs", "args"),
    [
        ("silu", F.silu, ()),
        ("leaky_relu", F.leaky_relu, (0.2,)),
        ("elu", F.elu, (0.5,)),
        ("selu", F.selu, ()),
        ("softplus", F.softplus, ()),
        ("gelu", F.gelu, ()),
        ("gelu", lambda x, form: F.gelu(x, approximate=form), ("tanh",)),
        ("relu6", F.relu6, ()),
        ("softsign", F.softsign, ()),
        ("identity", torch.nn.Identity(), ()),
        ("step_function", lambda x, v=0: torch.heaviside(x.detach(), x.new_tensor(v)) + 0 * x, ()),
    ],
)
def test_an_activation(name, theirs, args, scale):
    x, dout = scale * draw(3, 4), draw(3, 4, seed=1)
    (tx,) = tensors(x)
    out = theirs(tx, *args)
    close(getattr(naive, f"{name}_forward")(x, *args), out)
    dx = torch.autograd.grad(out, tx, torch.tensor(dout))[0]
    close(getattr(naive, f"{name}_backward")(dout, x, *args), dx)


@pytest.mark.parametrize("scale", [1, 1e3], ids=["usual", "extreme logits"])
def test_softmax(scale):
    x, dout = scale * draw(3, 4), draw(3, 4, seed=1)
    (tx,) = tensors(x)
    out = torch.softmax(tx, 1)
    close(naive.softmax_forward(x), out)
    close(naive.softmax_backward(dout, x), torch.autograd.grad(out, tx, torch.tensor(dout))[0])


@pytest.mark.parametrize("scale", [1, 1e3], ids=["usual", "extreme logits"])
@pytest.mark.parametrize("labels", ["integers", "one-hot", "shares"])
def test_softmax_cross_entropy(labels, scale):
    x, t = scale * draw(3, 4), np.array([2, 0, 3])
    t = {"integers": t, "one-hot": np.eye(4)[t], "shares": np.abs(draw(3, 4, seed=1))}[labels]
    (tx,) = tensors(x)
    loss = F.cross_entropy(tx, torch.tensor(t))
    close(naive.softmax_cross_entropy(x, t), loss)
    close(naive.softmax_cross_entropy_backward(x, t), torch.autograd.grad(loss, tx)[0])


def test_float32_comes_back_rounded_once():
    x, w, b = (a.astype(np.float32) for a in (draw(2, 3, 5, 4), draw(2, 3, 3, 2), draw(2)))
    exact = naive.conv_forward(*(a.astype(np.float64) for a in (x, w, b)))
    out = naive.conv_forward(x, w, b)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, exact.astype(np.float32))


ERRORS = {
    "integers": (
        lambda: naive.softmax_forward(np.ones((2, 3), int)),
        TypeError,
        "x must be floating-point, got int64",
    ),
    "axes": (lambda: naive.softmax_forward(draw(3)), ValueError, r"x: expected shape \(N, C\), got \(3,\)"),
    "channels": (
        lambda: naive.conv_forward(draw(1, 4, 5, 5), draw(2, 3, 2, 2), None),
        ValueError,
        r"x has 4 channels and W is \(2, 3, 2, 2\), which do not fit with groups=1",
    ),
    "groups": (
        lambda: naive.conv_forward(draw(1, 4, 5, 5), draw(3, 2, 2, 2), None, groups=2),
        ValueError,
        "groups=2",
    ),
    "window": (
        lambda: naive.pool_forward(draw(1, 1, 2, 9), 3, 3),
        ValueError,
        "a window of 3 does not fit into 2 pixels with 0 of padding on each side",
    ),
    "pad": (lambda: naive.pool_forward(draw(1, 1, 5, 5), 2, 3, 1, 2), ValueError, "at most half the window"),
    "mode": (lambda: naive.pool_forward(draw(1, 1, 5, 5), 2, 2, mode="sum"), ValueError, "got 'sum'"),
    "dout": (
        lambda: naive.pool_backward(draw(1, 1, 1, 4), draw(1, 1, 5, 5), 2, 2),
        ValueError,
        r"dout: expected shape \(1, 1, 4, 4\), got \(1, 1, 1, 4\)",
    ),
    "label": (
        lambda: naive.softmax_cross_entropy(draw(2, 3), np.array([0, 3])),
        ValueError,
        r"labels must lie in 0\.\.2, got 3",
    ),
    "labels": (
        lambda: naive.softmax_cross_entropy(draw(2, 3), np.zeros(4, int)),
        ValueError,
        "expected t \\(2,\\)",
    ),
}


@pytest.mark.parametrize(("call", "error", "text"), ERRORS.values(), ids=ERRORS)
def test_bad_input_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_softmax_along_any_axis(axis):
    x, dout = draw(2, 3, 4), draw(2, 3, 4)
    tx = torch.tensor(x, requires_grad=True)
    out = F.softmax(tx, dim=axis)
    close(naive.softmax_forward(x, axis), out)
    close(naive.softmax_backward(dout, x, axis), torch.autograd.grad(out, tx, torch.tensor(dout))[0])


@pytest.mark.parametrize("shape", [(4,), (2, 4), (2, 3, 4), (2, 1, 3, 4)], ids=str)
def test_linear_on_the_last_axis(shape):
    x, w, b, dout = draw(*shape), draw(4, 5), draw(5), draw(*shape[:-1], 5)
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, w, b)]
    out = F.linear(leaves[0], leaves[1].T, leaves[2])
    close(naive.linear_forward(x, w, b), out)
    close(naive.linear_forward(x, w, None), out - leaves[2])
    theirs = torch.autograd.grad(out, leaves, torch.tensor(dout))
    for ours, grad in zip(naive.linear_backward(dout, x, w), theirs, strict=True):
        close(ours, grad)
