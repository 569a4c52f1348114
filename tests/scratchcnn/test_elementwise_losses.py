"""Losses per output: the layers and the loops against PyTorch, every reduction, and what is refused."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import draw

from scratchcnn import (
    BinaryCrossEntropy,
    HingeLoss,
    HuberLoss,
    MeanAbsoluteError,
    MeanSquaredError,
    MultiClassHingeLoss,
    naive,
)

# layer, the loops, PyTorch's, outputs and targets
LOSSES = {
    "squared error": (
        MeanSquaredError,
        (naive.squared_error, naive.squared_error_backward),
        F.mse_loss,
        (draw(4, 3), draw(4, 3, seed=1)),
    ),
    "absolute error": (
        MeanAbsoluteError,
        (naive.absolute_error, naive.absolute_error_backward),
        F.l1_loss,
        (draw(4, 3).round(), draw(4, 3, seed=1).round()),
    ),
    "Huber's": (
        HuberLoss,
        (naive.huber_error, naive.huber_error_backward),
        F.huber_loss,
        (draw(4, 3), draw(4, 3, seed=1)),
    ),
    "hinge": (
        HingeLoss,
        (naive.hinge_error, naive.hinge_error_backward),
        lambda x, t, reduction: {"mean": torch.mean, "sum": torch.sum, "none": torch.clone}[reduction](
            F.relu(1 - x * t)
        ),
        (draw(4, 3), np.sign(draw(4, 3, seed=1))),
    ),
    "binary cross entropy": (
        BinaryCrossEntropy,
        (naive.binary_cross_entropy, naive.binary_cross_entropy_backward),
        F.binary_cross_entropy,
        (1 / (1 + np.exp(-draw(4, 3))), np.eye(4)[:, :3]),
    ),
    "sure probabilities": (
        BinaryCrossEntropy,
        (naive.binary_cross_entropy, naive.binary_cross_entropy_backward),
        F.binary_cross_entropy,
        (np.array([[0.0, 1.0], [1e-14, 0.25]] * 2), np.array([[1.0, 0.0], [1.0, 0.5]] * 2)),
    ),
}
OPTIONS = [(reduction, factor) for reduction in ("mean", "sum", "none") for factor in (1.0, 0.5)]


@pytest.mark.parametrize(("reduction", "factor"), OPTIONS)
@pytest.mark.parametrize(("layer", "loops", "theirs", "pair"), LOSSES.values(), ids=LOSSES)
def test_as_pytorchs(layer, loops, theirs, pair, reduction, factor):
    x, t = pair
    tx = torch.tensor(x, requires_grad=True)
    loss = factor * theirs(tx, torch.tensor(t), reduction=reduction)
    (dx,) = torch.autograd.grad(loss.sum(), tx)
    made = layer(reduction, factor)
    for ours in (made.forward(x, t), loops[0](x, t, reduction, factor)):
        np.testing.assert_allclose(ours, loss.detach().numpy(), rtol=1e-12)
    for ours in (made.backward(), loops[1](x, t, reduction, factor)):
        np.testing.assert_allclose(ours, dx.numpy(), rtol=1e-8)  # its 1e-12 is a float32


@pytest.mark.parametrize(("layer", "loops", "theirs", "pair"), LOSSES.values(), ids=LOSSES)
def test_batchmean_divides_by_the_rows(layer, loops, theirs, pair):
    total, made = layer("sum"), layer("batchmean")
    assert made.forward(*pair) == pytest.approx(total.forward(*pair) / 4)
    np.testing.assert_allclose(made.backward(), total.backward() / 4)
    assert loops[0](*pair, "batchmean") == pytest.approx(made.forward(*pair))
    np.testing.assert_allclose(loops[1](*pair, "batchmean"), made.backward())


def test_a_gradient_per_output_is_handed_back():
    loss, x, t, dout = MeanSquaredError("none"), draw(2, 3), draw(2, 3, seed=1), draw(2, 3, seed=2)
    loss.forward(x, t)
    np.testing.assert_allclose(loss.backward(dout), dout * 2 * (x - t))


def test_the_books_is_half_the_sum():
    x, t = draw(2, 3), np.eye(3)[[1, 2]]
    loss = MeanSquaredError("sum", factor=0.5)
    assert loss.forward(x, t) == pytest.approx(0.5 * np.sum((x - t) ** 2))
    np.testing.assert_allclose(loss.backward(), x - t)


@pytest.mark.parametrize("delta", [0.25, 1.0, 2.5])
def test_hubers_loss_for_every_delta(delta):
    x, t = draw(4, 3), draw(4, 3, seed=1)
    tx = torch.tensor(x, requires_grad=True)
    loss = F.huber_loss(tx, torch.tensor(t), delta=delta)
    (dx,) = torch.autograd.grad(loss, tx)
    made = HuberLoss(delta=delta)
    assert made.forward(x, t) == pytest.approx(loss.item())
    assert naive.huber_error(x, t, delta=delta) == pytest.approx(loss.item())
    np.testing.assert_allclose(made.backward(), dx.numpy())
    np.testing.assert_allclose(naive.huber_error_backward(x, t, delta=delta), dx.numpy())
    smooth = F.smooth_l1_loss(torch.tensor(x), torch.tensor(t), beta=delta)
    assert HuberLoss(factor=1 / delta, delta=delta).forward(x, t) == pytest.approx(smooth.item())
    assert repr(made) == f"HuberLoss(reduction='mean', factor=1, delta={delta:g})"


def test_the_hinge_loss_of_several_classes():
    x, t = draw(4, 3), np.array([2, 0, 0, 1])
    tx = torch.tensor(x, requires_grad=True)
    loss = 3 * F.multi_margin_loss(tx, torch.tensor(t))
    (dx,) = torch.autograd.grad(loss, tx)
    for labels in (t, np.eye(3)[t]):
        made = MultiClassHingeLoss()
        assert made.forward(x, labels) == pytest.approx(loss.item())
        assert naive.multiclass_hinge(x, labels) == pytest.approx(loss.item())
        np.testing.assert_allclose(made.backward(), dx.numpy())
        np.testing.assert_allclose(naive.multiclass_hinge_backward(x, labels), dx.numpy())


REFUSED = {
    "shapes": (lambda: MeanSquaredError().forward(draw(3, 1), draw(3)), r"t of shape \(3, 1\), as x is"),
    "reduction": (lambda: MeanSquaredError("max"), '"sum" or "none", got \'max\''),
    "scores": (lambda: BinaryCrossEntropy().forward(draw(2, 3) * 9, np.ones((2, 3))), "from 0 to 1; got -"),
    "factor": (lambda: MeanSquaredError(factor=0), "factor must be above 0, got 0"),
    "delta": (lambda: HuberLoss(delta=0), "delta must be above 0, got 0"),
    "signs": (lambda: HingeLoss().forward(draw(2, 3), np.eye(3)[:2]), "labels must be -1 or 1, got 0 to 1"),
    "nothing": (lambda: MeanSquaredError().forward(np.empty((0, 2)), np.empty((0, 2))), "N at least 1"),
}


@pytest.mark.parametrize(("call", "text"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_targets_that_are_no_numbers():
    with pytest.raises(TypeError, match="targets must be numbers, got <U3"):
        MeanSquaredError().forward(draw(2), np.array(["cat", "dog"]))
