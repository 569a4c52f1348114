"""What Affine, the activations, the normalizations and Dropout do beyond what every layer does."""

from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import draw

from scratchcnn import (
    ELU,
    GELU,
    RBF,
    SELU,
    Affine,
    BatchNormalization,
    Dropout,
    Flatten,
    LayerNorm,
    LeakyRelu,
    LocalResponseNormalization,
    Relu,
    Relu6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
    softmax,
)


def ones(*sizes):
    return [np.ones(n) for n in sizes]


# -- Affine, Flatten, RBF -------------------------------------------------------------------------
def test_affine_flattens_images_and_gives_dx_their_shape():
    layer, x = Affine(draw(12, 3), draw(3)), draw(2, 3, 2, 2)
    np.testing.assert_allclose(layer.forward(x), x.reshape(2, 12) @ layer.W + layer.b, rtol=1e-13)
    assert layer.backward(draw(2, 3)).shape == x.shape


def test_affine_without_bias_has_none():
    layer = Affine(draw(4, 3))
    layer.forward(draw(2, 4))
    layer.backward(draw(2, 3))
    assert list(layer.params) == list(layer.grads) == ["W"] and layer.b is layer.db is None


@pytest.mark.parametrize(
    "layer", [Affine(draw(4, 3)), Flatten(), RBF(draw(3, 4)), Relu(), Softmax()], ids=repr
)
def test_an_empty_batch_goes_through(layer):
    out = layer.forward(np.zeros((0, 4)))
    assert len(out) == 0 and layer.backward(np.zeros(out.shape)).shape == (0, 4)


# -- activations ----------------------------------------------------------------------------------
def test_relu_has_gradient_0_at_0_and_leaves_dout_alone():
    layer, dout = Relu(), np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(layer.forward(np.array([-1.0, 0.0, 1.0])), [0, 0, 1])
    np.testing.assert_array_equal(layer.backward(dout), [0, 0, 3])
    np.testing.assert_array_equal(dout, [1, 2, 3])


ELEMENTWISE = {
    Relu(): F.relu,
    LeakyRelu(0.2): F.leaky_relu,
    ELU(): F.elu,
    SELU(): F.selu,
    Softplus(): F.softplus,
    GELU(): F.gelu,
    GELU("tanh"): partial(F.gelu, approximate="tanh"),
    Relu6(): F.relu6,
    Softsign(): F.softsign,
    Sigmoid(): torch.sigmoid,
    SiLU(): F.silu,
    Tanh(): torch.tanh,
}


@pytest.mark.parametrize("layer", [*ELEMENTWISE, Softmax()], ids=repr)
def test_nan_goes_through_as_in_pytorch(layer):
    x = np.array([[np.nan, 1.0], [0.0, 1.0]])
    theirs = ELEMENTWISE.get(layer, lambda a: F.softmax(a, 1))
    np.testing.assert_array_equal(np.isnan(layer.forward(x)), np.isnan(theirs(torch.tensor(x)).numpy()))


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_sigmoid_silu_softplus_and_softmax_do_not_overflow(dtype):
    x = np.array([[-1e4, 0, 1e4]], dtype)
    np.testing.assert_array_equal(Sigmoid().forward(x), [[0, 0.5, 1]])
    np.testing.assert_array_equal(SiLU().forward(x), [[0, 0, 1e4]])
    np.testing.assert_allclose(Softplus().forward(x), [[0, np.log(2), 1e4]], rtol=1e-6)
    np.testing.assert_array_equal(Softmax().forward(x), [[0, 0, 1]])


def test_softmax_of_one_row_and_over_channels():
    x = draw(2, 3, 4, 5)
    np.testing.assert_allclose(softmax(x), F.softmax(torch.tensor(x), 1).numpy(), rtol=1e-13)
    np.testing.assert_allclose(softmax(x[0, :, 0, 0]), softmax(x)[0, :, 0, 0], rtol=1e-13)


# -- normalization --------------------------------------------------------------------------------
def test_running_statistics_move_in_training_only():
    layer, x = BatchNormalization(np.ones(3), np.zeros(3), momentum=0.8), draw(4, 3) + 2
    theirs = torch.nn.BatchNorm1d(3, momentum=1 - 0.8, dtype=torch.float64)
    for _ in range(3):
        layer.forward(x)
        theirs(torch.tensor(x))
    np.testing.assert_allclose(layer.running_mean, theirs.running_mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var, theirs.running_var.numpy(), rtol=1e-12)
    before = layer.running_mean.copy()
    np.testing.assert_allclose(
        layer.eval().forward(x), theirs.eval()(torch.tensor(x)).detach().numpy(), rtol=1e-12
    )
    np.testing.assert_array_equal(layer.running_mean, before)


def test_eval_between_forward_and_backward_keeps_the_training_gradient():
    layer, x, dout = BatchNormalization(*ones(3, 3)), draw(4, 3), draw(4, 3, seed=1)
    layer.forward(x)
    expected = layer.backward(dout)
    np.testing.assert_array_equal(layer.eval().backward(dout), expected)


def test_the_two_alphas_differ_by_the_window():
    x = draw(2, 7, 3, 2)
    ours = LocalResponseNormalization(5, alpha=1e-1, paper_alpha=True).forward(x)
    np.testing.assert_allclose(ours, LocalResponseNormalization(5, alpha=5e-1).forward(x), rtol=1e-13)
    assert np.abs(ours - LocalResponseNormalization(5, alpha=1e-1).forward(x)).max() > 1e-3


# -- Dropout --------------------------------------------------------------------------------------
def test_dropout_keeps_the_mean_and_drops_the_share():
    layer, x = Dropout(0.3, rng=0), np.ones((200, 500))
    out = layer.forward(x)
    assert abs(out.mean() - 1) < 0.01 and abs((out == 0).mean() - 0.3) < 0.005
    np.testing.assert_array_equal(np.unique(out), [0, 1 / 0.7])
    np.testing.assert_array_equal(layer.backward(x), out)
    np.testing.assert_array_equal(layer.mask, out != 0)


def test_dropout_draws_from_its_generator_and_is_the_identity_in_inference():
    x = draw(4, 5)
    first, second = Dropout(0.5, rng=7), Dropout(0.5, rng=np.random.default_rng(7))
    np.testing.assert_array_equal(first.forward(x), second.forward(x))
    assert not np.array_equal(first.forward(x), Dropout(0.5, rng=7).forward(x))
    np.testing.assert_array_equal(first.eval().forward(x), x)
    np.testing.assert_array_equal(first.backward(x), x)


def test_the_books_train_flg_overrides_the_switch():
    layer, x = Dropout(0.5, rng=0), np.ones((20, 20))
    assert (layer.forward(x, train_flg=False) == x).all()
    assert (layer.eval().forward(x, train_flg=True) != x).any()


@pytest.mark.parametrize(("ratio", "kept"), [(0.0, 1), (1.0, 0)])
def test_dropout_of_nothing_and_of_everything(ratio, kept):
    layer, x = Dropout(ratio, rng=0), draw(4, 5)
    np.testing.assert_array_equal(layer.forward(x), x * kept)
    np.testing.assert_array_equal(layer.backward(x), x * kept)
    np.testing.assert_array_equal(F.dropout(torch.tensor(x), ratio).numpy(), x * kept)


def test_an_injected_mask_is_used_until_it_is_taken_back():
    layer, x = Dropout(0.5, rng=0), np.ones((2, 3))
    mask = np.array([[1, 0, 1], [0, 1, 1]], bool)
    layer.inject(mask)
    kept = mask.copy()
    mask[...] = True
    for _ in range(2):
        np.testing.assert_array_equal(layer.forward(x), kept * 2)
    layer.inject(None)
    assert any(not np.array_equal(layer.forward(x), kept * 2) for _ in range(8))


# -- refusals -------------------------------------------------------------------------------------
def refuse(layer, shape):
    return lambda: layer().forward(np.zeros(shape))


REFUSED = {
    "affine, W transposed": (
        refuse(lambda: Affine(draw(3, 12)), (2, 12)),
        r"Affine: expected 3 numbers per image because W is \(3, 12\); got .* Is W transposed",
    ),
    "affine, other size": (refuse(lambda: Affine(draw(3, 12)), (2, 4)), r"got x of shape \(2, 4\)\.$"),
    "affine, one image": (refuse(lambda: Affine(draw(3, 12)), (3,)), r"got x of shape \(3,\)"),
    "affine, W": (lambda: Affine(draw(3)), r"expected W of shape \(in, out\), got \(3,\)"),
    "affine, b": (lambda: Affine(draw(3, 4), draw(3)), r"expected b of shape \(out,\) = \(4,\), got \(3,\)"),
    "flatten": (refuse(Flatten, (3,)), r"expected x of shape \(N, ...\), got \(3,\)"),
    "rbf": (
        refuse(lambda: RBF(draw(3, 4)), (2, 3)),
        r"expected x of shape \(N, 4\) because W is \(3, 4\); got \(2, 3\)",
    ),
    "rbf, W": (lambda: RBF(draw(3)), r"expected W of shape \(out, in\), got \(3,\)"),
    "softmax": (refuse(Softmax, (3,)), r"expected x of shape \(N, C, ...\), got \(3,\)"),
    "batch norm": (
        refuse(lambda: BatchNormalization(*ones(3, 3)), (2, 4)),
        r"expected x of shape \(N, 3\) or \(N, 3, H, W\), got \(2, 4\)",
    ),
    "batch norm, one value": (
        refuse(lambda: BatchNormalization(*ones(3, 3)), (1, 3)),
        r"training needs more than one value per channel, got x of \(1, 3\)",
    ),
    "batch norm, beta": (
        lambda: BatchNormalization(*ones(3, 2)),
        r"expected beta of shape \(C,\) = \(3,\), got \(2,\)",
    ),
    "layer norm": (
        refuse(lambda: LayerNorm(*ones(3, 3)), (3, 4)),
        r"expected x of shape \(..., 3\), got \(3, 4\)",
    ),
    "layer norm, beta": (
        lambda: LayerNorm(*ones(3, 2)),
        r"expected beta of gamma's shape \(3,\), got \(2,\)",
    ),
    "layer norm, a number": (refuse(LayerNorm, ()), r"expected x of shape \(..., D\), got \(\)"),
    "lrn": (refuse(LocalResponseNormalization, (2, 3)), r"expected x of shape \(N, C, H, W\), got \(2, 3\)"),
    "lrn, size": (lambda: LocalResponseNormalization(0), "size must be at least 1, got 0"),
    "dropout, ratio": (lambda: Dropout(1.5), r"dropout_ratio must lie in \[0, 1\], got 1.5"),
}


@pytest.mark.parametrize(("call", "text"), REFUSED.values(), ids=REFUSED)
def test_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_a_mask_of_another_shape_is_refused():
    layer = Dropout(0.5)
    layer.inject(np.ones((2, 3), bool))
    with pytest.raises(ValueError, match=r"the injected mask is \(2, 3\), x is \(2, 4\)"):
        layer.forward(np.zeros((2, 4)))


BOTH_REFUSE = {
    "affine": (refuse(lambda: Affine(draw(3, 2)), (2, 4)), lambda: torch.nn.Linear(3, 2)(torch.zeros(2, 4))),
    "batch norm, channels": (
        refuse(lambda: BatchNormalization(*ones(3, 3)), (2, 4)),
        lambda: torch.nn.BatchNorm1d(3)(torch.zeros(2, 4)),
    ),
    "batch norm, one value": (
        refuse(lambda: BatchNormalization(*ones(3, 3)), (1, 3)),
        lambda: torch.nn.BatchNorm1d(3)(torch.zeros(1, 3)),
    ),
    "layer norm": (
        refuse(lambda: LayerNorm(*ones(3, 3)), (3, 4)),
        lambda: torch.nn.LayerNorm(3)(torch.zeros(3, 4)),
    ),
    "lrn, 2-D": (
        refuse(LocalResponseNormalization, (2, 3)),
        lambda: torch.nn.LocalResponseNorm(5)(torch.zeros(2, 3)),
    ),
    "dropout": (lambda: Dropout(1.5), lambda: torch.nn.Dropout(1.5)),
}


@pytest.mark.parametrize(("ours", "theirs"), BOTH_REFUSE.values(), ids=BOTH_REFUSE)
def test_both_refuse(ours, theirs):
    for call in (ours, theirs):
        with pytest.raises((ValueError, RuntimeError)):
            call()


REPRS = {
    "Affine(3, 2, b=None)": lambda: Affine(draw(3, 2)),
    "Relu()": Relu,
    "Tanh(1.7159, 0.6667)": lambda: Tanh(1.7159, 2 / 3),
    "Dropout(0.5)": Dropout,
    "BatchNormalization(3, momentum=0.9, eps=1e-05)": lambda: BatchNormalization(*ones(3, 3)),
    "LayerNorm(3, eps=1e-05)": lambda: LayerNorm(*ones(3, 3)),
    "LayerNorm((2, 3), no gamma and beta, eps=0.001)": lambda: LayerNorm(eps=1e-3, normalized_shape=(2, 3)),
    "LayerNorm(the last axis, no gamma and beta, eps=1e-05)": LayerNorm,
    "LocalResponseNormalization(5, alpha=0.0001, beta=0.75, k=1, paper_alpha=True)": lambda: (
        LocalResponseNormalization(paper_alpha=True)
    ),
}


@pytest.mark.parametrize(("text", "make"), REPRS.items(), ids=REPRS)
def test_repr_shows_the_arguments(text, make):
    assert repr(make()) == text


def test_gelu_has_two_forms_and_says_which():
    with pytest.raises(ValueError, match="GELU: approximate must be 'none' or 'tanh', got 'erf'"):
        GELU("erf")
