"""SoftmaxWithLoss and PenaltyLoss: the loops, PyTorch, confident mistakes, labels of both kinds, refusals."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import draw

from scratchcnn import (
    Affine,
    CrossEntropy,
    Network,
    PenaltyLoss,
    Sequential,
    SoftmaxWithLoss,
    check_gradient,
    naive,
    softmax,
)

LOSSES = [SoftmaxWithLoss, PenaltyLoss]
T = np.array([2, 0, 3])


@pytest.mark.parametrize(
    "t", [T, np.eye(4)[T], softmax(draw(3, 4, seed=1))], ids=["labels", "one-hot", "shares"]
)
@pytest.mark.parametrize("N", [3, 1])
def test_softmax_with_loss_is_the_loops(t, N):
    x, loss = draw(3, 4)[:N], SoftmaxWithLoss()
    np.testing.assert_allclose(loss.forward(x, t[:N]), naive.softmax_cross_entropy(x, t[:N]), rtol=1e-13)
    np.testing.assert_allclose(loss.backward(), naive.softmax_cross_entropy_backward(x, t[:N]), atol=1e-15)
    np.testing.assert_allclose(loss.y, naive.softmax_forward(x), rtol=1e-13)


def test_a_confident_mistake_keeps_its_loss():
    """The book's log(y + 1e-7) stops at 16.1."""
    loss = SoftmaxWithLoss().forward(np.array([[0.0, 36.55]]), np.array([0]))
    assert loss == pytest.approx(36.55)
    assert SoftmaxWithLoss().forward(np.array([[-1e3, 1e3]]), np.array([0])) == 2000


def test_rows_that_do_not_sum_to_one_have_the_gradient_of_their_own_loss():
    x, t = draw(3, 4), np.abs(draw(3, 4, seed=1))
    loss, tx = SoftmaxWithLoss(), torch.tensor(x, requires_grad=True)
    theirs = F.cross_entropy(tx, torch.tensor(t))
    assert loss.forward(x, t) == pytest.approx(float(theirs.detach()), rel=1e-13)
    np.testing.assert_allclose(loss.backward(), torch.autograd.grad(theirs, tx)[0].numpy(), atol=1e-15)


@pytest.mark.parametrize("make", LOSSES)
@pytest.mark.parametrize("t", [T, np.eye(4)[T]], ids=["labels", "one-hot"])
def test_gradients_are_numerical_ones(make, t):
    loss, x = make(), np.abs(draw(3, 4))
    loss.forward(x, t)
    assert check_gradient(lambda x: make().forward(x, t), x, loss.backward())
    np.testing.assert_allclose(loss.backward(3), 3 * loss.backward(), rtol=1e-15)


@pytest.mark.parametrize("make", LOSSES)
def test_labels_in_a_column_are_the_books(make):
    """Its gradient_check.py has T of shape (1, 1)."""
    first, second = make(), make()
    assert first.forward(draw(3, 4), T) == second.forward(draw(3, 4), T[:, None])
    np.testing.assert_array_equal(first.backward(), second.backward())


def test_penalty_loss_is_equation_9():
    y = np.array([[1.0, 4.0], [30.0, 2.0]])
    terms = [
        1 + math.log(math.exp(-10) + math.exp(-1) + math.exp(-4)),
        30 + math.log(math.exp(-10) + math.exp(-2)),
    ]
    assert PenaltyLoss(j=10).forward(y, np.array([0, 0])) == pytest.approx(sum(terms) / 2, rel=1e-12)
    far = PenaltyLoss(j=10)
    assert far.forward(np.array([[1e4, 2e4]]), np.array([0])) == pytest.approx(1e4 - 10)
    assert np.isfinite(far.backward()).all()


@pytest.mark.parametrize("make", LOSSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_the_dtype_is_kept_and_the_arguments_left_alone(make, dtype):
    loss, x, t = make(), np.abs(draw(3, 4)).astype(dtype), np.eye(4)[T]
    x_before, t_before = x.copy(), t.copy()
    assert loss.forward(x, t).dtype == loss.backward().dtype == dtype
    expected = loss.backward()
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(t, t_before)
    x[...], t[...] = np.nan, np.nan
    np.testing.assert_array_equal(loss.backward(), expected)


# -- refusals -------------------------------------------------------------------------------------
X = np.zeros((3, 4))
BOTH_REFUSE = {
    "label too large": (
        X,
        np.array([0, 4, 1]),
        ValueError,
        r"labels must lie in 0..3 because x is \(3, 4\); got 0..4",
    ),
    "negative label": (X, np.array([0, -1, 1]), ValueError, r"labels must lie in 0..3 .* got -1..1"),
    "fewer labels": (
        X,
        np.array([0, 1]),
        ValueError,
        r"expected t of shape \(3,\) with labels or \(3, 4\) one-hot, got \(2,\)",
    ),
    "labels twice": (X, np.array([[0, 1], [1, 1], [2, 1]]), ValueError, r"got \(3, 2\)"),
    "labels as floats": (X, np.array([0.0, 1.0, 2.0]), TypeError, "labels must be integers, got float64"),
    "integers as scores": (
        X.astype(int),
        T,
        TypeError,
        r"x must be floating-point \(float32 or float64\), got int64",
    ),
}


@pytest.mark.parametrize("make", LOSSES)
@pytest.mark.parametrize(("x", "t", "error", "text"), BOTH_REFUSE.values(), ids=BOTH_REFUSE)
def test_both_refuse(make, x, t, error, text):
    with pytest.raises((RuntimeError, ValueError, IndexError)):
        F.cross_entropy(torch.tensor(x), torch.tensor(t))
    with pytest.raises(error, match=f"^{make.__name__}: .*{text}"):
        make().forward(x, t)


@pytest.mark.parametrize("make", LOSSES)
def test_other_refusals(make):
    with pytest.raises(ValueError, match=r"expected x of shape \(N, C\) with N at least 1, got \(0, 4\)"):
        make().forward(X[:0], T[:0])
    with pytest.raises(ValueError, match=r"expected x of shape \(N, C\) with N at least 1, got \(4,\)"):
        make().forward(X[0], T)
    with pytest.raises(RuntimeError, match="backward needs a forward before it"):
        make().backward()
    with pytest.raises(ValueError, match="j must be positive, got 0"):
        PenaltyLoss(j=0)


# -- CrossEntropy ----------------------------------------------------------------------------------
OPTIONS = {
    "plain": {},
    "weights": {"weight": np.array([0.5, 2.0, 1.0, 0.25])},
    "ignored": {"ignore_index": 2},
    "smoothed": {"label_smoothing": 0.3},
    "all, the sum": {
        "weight": np.array([0.5, 2.0, 1.0, 0.25]),
        "ignore_index": 3,
        "label_smoothing": 0.3,
        "reduction": "sum",
    },
    "each": {"label_smoothing": 0.3, "reduction": "none"},
}
PIXELS = np.array([[[2, 0], [3, 1], [2, 2]], [[0, 1], [1, 3], [2, 0]]])
TARGETS = {
    "rows": (draw(3, 4), T),
    "shares": (draw(3, 4), softmax(draw(3, 4, seed=1))),
    "images": (draw(2, 4, 3, 2), PIXELS),
    "shares of images": (draw(2, 4, 3, 2), softmax(draw(2, 4, 3, 2, seed=1))),
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize(("x", "t"), TARGETS.values(), ids=TARGETS)
def test_cross_entropy_is_the_loops_and_pytorchs(options, x, t):
    if t.shape == x.shape:
        options = {key: value for key, value in options.items() if key != "ignore_index"}
    loss, tx = CrossEntropy(**options), torch.tensor(x, requires_grad=True)
    tensors = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    theirs = F.cross_entropy(tx, torch.tensor(t), **tensors)
    for out in (loss.forward(x, t), naive.cross_entropy(x, t, **options)):
        np.testing.assert_allclose(out, theirs.detach().numpy(), rtol=1e-12)
    wanted = torch.autograd.grad(theirs.sum(), tx)[0].numpy()
    for dx in (loss.backward(), naive.cross_entropy_backward(x, t, **options)):
        np.testing.assert_allclose(dx, wanted, atol=1e-15)


def test_each_loss_takes_its_own_cotangent():
    loss, x, dout = CrossEntropy(reduction="none"), draw(2, 4, 3, 2), draw(2, 3, 2, seed=1)
    tx = torch.tensor(x, requires_grad=True)
    loss.forward(x, PIXELS)
    theirs = F.cross_entropy(tx, torch.tensor(PIXELS), reduction="none")
    wanted = torch.autograd.grad(theirs, tx, torch.tensor(dout))[0].numpy()
    np.testing.assert_allclose(loss.backward(dout), wanted, atol=1e-15)


def test_the_mean_of_no_label_is_nan_and_its_gradient_zero_as_in_pytorch():
    x, t = draw(2, 3), np.array([-100, -100])
    loss, theirs = CrossEntropy(), torch.tensor(x, requires_grad=True)
    wanted = F.cross_entropy(theirs, torch.tensor(t))
    wanted.backward()
    assert np.isnan(loss.forward(x, t)) and np.isnan(float(wanted.detach()))
    assert not loss.backward().any() and not theirs.grad.numpy().any()


def test_a_network_trains_with_it():
    loss = CrossEntropy(np.array([1.0, 3.0]), label_smoothing=0.1)
    network = Network((1, 2, 2), 2, Sequential(Affine(draw(4, 2), draw(2))), loss)
    grads = network.gradient(draw(5, 1, 2, 2), np.array([0, 1, 1, -100, 0]))
    numerical = network.numerical_gradient(draw(5, 1, 2, 2), np.array([0, 1, 1, -100, 0]))
    for key, grad in grads.items():
        np.testing.assert_allclose(grad, numerical[key], atol=1e-8)


BAD_OPTIONS = {
    "smoothing": (lambda: CrossEntropy(label_smoothing=2), r"label_smoothing must lie in \[0, 1\], got 2"),
    "reduction": (lambda: CrossEntropy(reduction="max"), 'must be "mean", "sum" or "none", got \'max\''),
    "weight": (lambda: CrossEntropy(np.ones((2, 2))), r"expected weight of shape \(C,\), got \(2, 2\)"),
    "other weight": (lambda: CrossEntropy(np.ones(3)).forward(draw(3, 4), T), r"weight of shape \(4,\)"),
    "label": (
        lambda: CrossEntropy().forward(draw(3, 4), T + 1),
        r"must lie in 0..3 or be -100 \(ignore_index\); got 1..4",
    ),
    "shape": (
        lambda: CrossEntropy().forward(draw(2, 4, 3, 2), T),
        r"expected t of shape \(2, 3, 2\) with labels or \(2, 4, 3, 2\) with shares, got \(3,\)",
    ),
    "shares": (
        lambda: CrossEntropy(ignore_index=1).forward(draw(3, 4), np.eye(4)[T]),
        "ignore_index is for labels, not for shares",
    ),
    "scores": (lambda: CrossEntropy().forward(draw(4), T), r"expected x of shape \(N, C\) or \(N, C, H, W\)"),
}


@pytest.mark.parametrize(("call", "sentence"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_cross_entropy_refuses(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
    with pytest.raises(TypeError, match=r"must be integers, got float64; did you mean t\.astype\(int\)"):
        CrossEntropy().forward(draw(3, 4), T * 1.0)
