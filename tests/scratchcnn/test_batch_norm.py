"""BatchNorm: PyTorch's options, over several batches and in inference."""

import numpy as np
import pytest
import torch
from helpers import draw

from scratchcnn import BatchNorm, BatchNormalization, check_layer, naive

OPTIONS = {
    "all": {},
    "affine=False": {"affine": False},
    "no running statistics": {"track_running_stats": False},
    "neither": {"affine": False, "track_running_stats": False},
    "the mean of all batches": {"momentum": None},
}


def pair(C, ndim, affine=True, track_running_stats=True, momentum=0.2):
    """PyTorch's layer and ours, with the same arrays."""
    module = torch.nn.BatchNorm1d if ndim == 2 else torch.nn.BatchNorm2d
    theirs = module(C, 1e-3, momentum, affine, track_running_stats, dtype=torch.float64)
    arrays = {}
    if affine:
        arrays |= {"gamma": draw(C, seed=1), "beta": draw(C, seed=2)}
        theirs.weight.data, theirs.bias.data = map(torch.tensor, (arrays["gamma"], arrays["beta"]))
    if track_running_stats:
        arrays |= {"running_mean": np.zeros(C), "running_var": np.ones(C)}
    return theirs, BatchNorm(**arrays, momentum=None if momentum is None else 1 - momentum, eps=1e-3)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 2, 4)], ids=["rows", "images"])
def test_several_batches_and_inference_are_pytorchs(options, shape):
    theirs, ours = pair(3, len(shape), **options)
    for step, training in enumerate((True, True, True, False)):
        theirs.train(training), ours.train(training)
        x, dout = 2 * draw(*shape, seed=step) + step, draw(*shape, seed=10 + step)
        tx = torch.tensor(x, requires_grad=True)
        out = theirs(tx)
        np.testing.assert_allclose(ours.forward(x), out.detach().numpy(), atol=1e-12)
        grads = torch.autograd.grad(out, [tx, *theirs.parameters()], torch.tensor(dout))
        mine = [ours.backward(dout), *(ours.grads[name] for name in ours.params)]
        for a, b in zip(mine, grads, strict=True):
            np.testing.assert_allclose(a, b.numpy(), atol=1e-12)
    for name, array in ours.buffers.items():
        np.testing.assert_allclose(array, getattr(theirs, name).numpy(), atol=1e-12)


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
def test_it_is_the_loops_and_the_books_where_nothing_is_missing(training):
    x, scaled, running = draw(2, 3, 2, 4), [draw(3, seed=1), draw(3, seed=2)], [draw(3), np.full(3, 2.0)]
    loops = naive.batch_norm_options_forward(x, *scaled, 0.8, *running, training=training)
    for kind in (BatchNorm, BatchNormalization):
        layer = kind(*scaled, 0.8, *map(np.copy, running)).train(training)
        found = layer.forward(x), layer.running_mean, layer.running_var
        for a, b in zip(loops, found, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
def test_the_loops_do_without_arrays_too(training):
    x = draw(4, 3)
    out, mean, _ = naive.batch_norm_options_forward(x, training=training)
    np.testing.assert_allclose(BatchNorm().train(training).forward(x), out, atol=1e-12)
    np.testing.assert_allclose(mean, x.mean(axis=0), atol=1e-12)
    three = naive.batch_norm_options_forward(
        x, momentum=None, batches=2, running_mean=np.zeros(3), running_var=np.ones(3)
    )
    np.testing.assert_allclose(three[1], x.mean(axis=0) / 3, atol=1e-12)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_gradients_are_numerical_ones(options):
    assert check_layer(pair(3, 4, **options)[1], draw(2, 3, 2, 2))


REFUSED = {
    "gamma alone": (lambda: BatchNorm(np.ones(3)), "give both gamma and beta, or neither"),
    "running_var alone": (lambda: BatchNorm(running_var=np.ones(3)), "both running_mean and running_var"),
    "shapes": (
        lambda: BatchNorm(np.ones(3), np.ones(2)),
        r"arrays of one shape \(C,\), got \{'gamma': \(3,\)",
    ),
    "eps": (lambda: BatchNorm(eps=0), "eps must be positive and finite, got 0"),
    "channels": (lambda: BatchNorm(np.ones(3), np.ones(3)).forward(draw(2, 4)), r"got \(2, 4\)"),
    "one value": (lambda: BatchNorm().eval().forward(draw(1, 4)), "more than one value per channel"),
    "axes": (lambda: BatchNorm().forward(draw(2, 3, 4)), r"expected x of shape \(N, C\) or \(N, C, H, W\)"),
}


@pytest.mark.parametrize(("call", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_repr_shows_what_is_missing():
    assert repr(BatchNorm()) == "BatchNorm(no gamma and beta, no running statistics, eps=1e-05)"
