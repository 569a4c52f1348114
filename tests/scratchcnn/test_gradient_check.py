"""The checks must pass what is right, and above all fail what is wrong."""

import math

import numpy as np
import pytest
from helpers import draw

from scratchcnn import SimpleConvNet
from scratchcnn.data import load
from scratchcnn.gradient_check import PrecisionWarning, check_gradient, check_layer, numerical_gradient
from scratchcnn.layers import (
    Affine,
    BatchNormalization,
    Convolution,
    Dropout,
    PartialConvolution,
    Pooling,
    Relu,
    Sequential,
)

TEN_THOUSAND = np.random.default_rng(1).standard_normal((100, 100))


def f(x):
    return np.sum(np.sin(x) + x**2 / 2)


def gradient(x):
    return np.cos(x) + x


# -- numerical_gradient ---------------------------------------------------------------------------
@pytest.mark.parametrize(("h", "error"), [(None, 1e-10), (1e-4, 1e-8)], ids=["default h", "the book's h"])
def test_numerical_gradient(h, error):
    x = draw(3, 2, 4)
    before = x.copy()
    np.testing.assert_allclose(numerical_gradient(f, x, h), gradient(x), atol=error)
    np.testing.assert_array_equal(x, before)


def test_numerical_gradient_takes_the_books_lambda_that_ignores_its_argument():
    W = draw(2, 3)
    np.testing.assert_allclose(numerical_gradient(lambda _: f(W), W), gradient(W), atol=1e-9)


def test_numerical_gradient_of_large_and_scalar_x():
    for x in (np.array(3.0), np.array([1e8]), np.array([[-3e5]])):
        np.testing.assert_allclose(numerical_gradient(lambda x: np.sum(x**2), x), 2 * x, rtol=1e-9)


@pytest.mark.parametrize(
    "check", [numerical_gradient, lambda f, x: check_gradient(f, x, x)], ids=["each", "random"]
)
def test_x_is_restored_when_f_raises(check):
    x, calls = draw(3), []
    before = x.copy()

    def fails_late(x):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("late")
        return f(x)

    with pytest.raises(RuntimeError, match="late"):
        check(fails_late, x)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("check", [numerical_gradient, lambda f, x: check_gradient(f, x, gradient(x))])
def test_float32_warns_and_integers_are_refused(check):
    with pytest.warns(PrecisionWarning, match="x is float32; check in float64"):
        check(f, draw(3).astype(np.float32))
    with pytest.raises(TypeError, match="x must be float64, got int64, which cannot change by a small h"):
        check(f, np.arange(3))
    with pytest.raises(TypeError, match="x must be an array, since it is changed in place; got list"):
        check(f, [1.0])


@pytest.mark.filterwarnings("ignore::scratchcnn.gradient_check.PrecisionWarning")
def test_float32_still_gives_two_digits():
    x = draw(3, 4).astype(np.float32)
    grad = numerical_gradient(f, x)
    assert grad.dtype == np.float32
    np.testing.assert_allclose(grad, gradient(x), atol=1e-2)
    assert check_gradient(f, x, gradient(x))
    assert not check_gradient(f, x, 1.1 * gradient(x))


@pytest.mark.parametrize("check", [numerical_gradient, lambda f, x: check_gradient(f, x, gradient(x))])
def test_a_read_only_x_is_refused(check):
    with pytest.raises(ValueError, match=r"x is read-only, and it is changed in place; use x\.copy\(\)"):
        check(f, np.broadcast_to(1.0, (2,)))


def test_a_vanishing_h_and_a_vector_f_are_refused():
    with pytest.raises(ValueError, match="h=1e-20 vanishes beside x"):
        numerical_gradient(f, np.ones(2), 1e-20)
    with pytest.raises(ValueError, match="h=1e-20 vanishes beside x"):
        check_gradient(f, np.ones(2), np.ones(2), h=1e-20)
    with pytest.raises(TypeError, match=r"f must return one real number, got float64 of shape \(2,\)"):
        numerical_gradient(lambda x: x, np.ones(2))


# -- check_gradient -------------------------------------------------------------------------------
def test_a_right_gradient_passes_along_every_seed():
    for seed in range(50):
        assert check_gradient(f, TEN_THOUSAND, gradient(TEN_THOUSAND), directions=1, rng=seed)


def test_x_is_restored_and_the_gradient_not_touched():
    x, g = draw(4), gradient(draw(4))
    g.flags.writeable = False
    check_gradient(f, x, g)
    np.testing.assert_array_equal(x, draw(4))


def off_by_one(g):
    return np.roll(g, 1, axis=1)


def one_zero(g):
    g[42, 57] = 0
    return g


def one_slightly_off(g):
    g[42, 57] += 1e-3
    return g


def two_swapped(g):
    g[1, [2, 3]] = g[1, [3, 2]]
    return g


WRONG = {
    "one of 10,000 is zero": one_zero,
    "one of 10,000 is off by a thousandth": one_slightly_off,
    "two swapped": two_swapped,
    "all slightly too large": lambda g: g * 1.0001,
    "shifted": off_by_one,
    "transposed": lambda g: g.T,
    "sign": lambda g: -g,
    "all zero": lambda g: 0 * g,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_gradient_fails_with_every_seed(wrong):
    g = wrong(gradient(TEN_THOUSAND))
    for seed in range(10):
        result = check_gradient(f, TEN_THOUSAND, g, rng=seed)
        assert not result.ok
        assert sum(d.error > result.tolerance for d in result.details) >= 7


def test_the_result_says_what_it_saw():
    good, bad = check_gradient(f, x := draw(5), gradient(x)), check_gradient(f, x, 2 * gradient(x))
    assert str(good).startswith("ok: error ") and str(good).endswith(" of 1e-06 along 8 directions")
    assert good.worst < good.tolerance == 1e-6 and len(good.details) == 8 and good.reason is None
    assert "along 8 of 8 directions; at worst the gradient gives" in str(bad)
    assert bad.worst == max(d.error for d in bad.details)
    assert math.isclose(bad.details[0].analytic, 2 * bad.details[0].numeric, rel_tol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_fail(value):
    g = gradient(x := draw(5))
    g[2] = value
    result = check_gradient(f, x, g)
    assert not result and result.reason == "1 of the gradient's 5 numbers are NaN or infinite"
    for grad in (gradient(x), 0 * x):
        result = check_gradient(lambda x: value, x, grad)
        assert not result and result.worst == np.inf


@pytest.mark.parametrize("wrong", [False, True], ids=["right", "one of ten off by a percent"])
def test_kinks_do_not_fail_a_right_gradient_nor_excuse_a_wrong_one(wrong):
    """A layer with 50,000 Relus: along any direction the usual h crosses the kinks of several."""
    X, c, w = draw(50_000, 10), np.random.default_rng(1).standard_normal(50_000), draw(10)
    g = X.T @ (c * (X @ w > 0))
    g[3] *= 1.01 if wrong else 1
    for seed in range(10):
        assert check_gradient(lambda w: c @ np.maximum(X @ w, 0), w, g, rng=seed).ok is not wrong


# -- numbers exactly on a kink ---------------------------------------------------------------------
def zero_bias_network():
    """The book's network with its zero bias: all of an image's black background is on a kink of b1."""
    data = load()
    net = SimpleConvNet(rng=0, dtype=np.float64)
    return net, data.x_train[:2].astype(float), data.t_train[:2]


def test_the_zero_bias_of_the_books_network_passes():
    net, x, t = zero_bias_network()
    b = net.params["b1"]
    result = check_gradient(lambda _: net.loss(x, t), b, net.gradient(x, t)["b1"])
    assert result.ok and result.unchecked == 0 and 15 < len(result.kinks) < 30
    assert f"; {len(result.kinks)} numbers on a kink, judged by the slopes to both sides" in str(result)
    np.testing.assert_array_equal(b, np.zeros(30))


@pytest.mark.parametrize("layer", [Relu(), Pooling(2, 2, stride=2)], ids=["relu", "max pooling"])
def test_layers_pass_on_images_with_a_black_background(layer):
    result = check_layer(layer, zero_bias_network()[1])["x"]
    assert result.ok and result.unchecked == 0 and len(result.kinks) > 300


def relu_with(slope_at_0):
    x = np.array([-1.0, 0.0, 2.0, 0.0, 0.0])
    c = np.array([1.0, 2.0, -1.0, -3.0, 0.5])
    g = c * np.where(x == 0, slope_at_0, x > 0)
    return check_gradient(lambda x: float(c @ np.maximum(x, 0)), x, g)


@pytest.mark.parametrize("slope", [0, 0.3, 1])
def test_between_the_slopes_of_both_sides_a_gradient_is_right(slope):
    result = relu_with(slope)
    assert result.ok and sorted(kink.index for kink in result.kinks) == [(1,), (3,), (4,)]
    kink = next(kink for kink in result.kinks if kink.index == (3,))
    np.testing.assert_allclose([kink.left, kink.right], [0, -3], atol=1e-6)


@pytest.mark.parametrize("slope", [-0.01, 1.01, 2])
def test_outside_the_slopes_of_both_sides_a_gradient_is_wrong(slope):
    result = relu_with(slope)
    assert not result and "at 3 of 3 numbers on a kink; at worst, for x[" in result.reason


def test_kinks_do_not_excuse_a_wrong_number_beside_them():
    net, x, t = zero_bias_network()
    g = net.gradient(x, t)["b1"]
    kinks = {kink.flat for kink in check_gradient(lambda _: net.loss(x, t), net.params["b1"], g).kinks}
    beside = min(set(range(30)) - kinks)
    g[beside] *= 1.001
    result = check_gradient(lambda _: net.loss(x, t), net.params["b1"], g)
    assert not result and "directions; at worst the gradient gives" in result.reason


def test_a_relu_that_lets_no_gradient_through_is_wrong_on_black_images():
    class Blocked(Relu):
        def backward(self, dout):
            return 0 * super().backward(dout)

    assert not check_layer(Blocked(), zero_bias_network()[1])["x"]


def test_too_many_kinks_are_counted_not_passed_over():
    x, g = np.zeros(300), np.zeros(300)
    result = check_gradient(lambda x: float(np.maximum(x, 0).sum()), x, g, calls=500)
    assert result.ok and 0 < result.unchecked < 300 and len(result.kinks) + result.unchecked == 300
    assert str(result).endswith(f"; {result.unchecked} not checked, since too many lie on kinks")
    result = check_gradient(lambda x: float(np.maximum(x, 0).sum()), x, g, calls=1)
    assert not result and result.reason == "no number was checked: too many lie on kinks"


def test_curvature_is_not_a_kink():
    """f = 1e4 x**2 at 0: the one-sided slopes differ, but less and less over smaller steps."""
    result = check_gradient(lambda x: float(1e4 * x @ x), np.zeros(3), np.array([0, 0, 1.0]))
    assert not result and not result.kinks


def test_a_gradient_lost_in_the_rounding_of_f_passes_and_says_so():
    """f = 1e6 + small: differences see the gradient with two digits or three."""
    x = draw(10)
    for seed in range(20):
        result = check_gradient(lambda x: 1e6 + 1e-4 * f(x), x, 1e-4 * gradient(x), rng=seed)
        assert result.ok and 1e-6 < result.resolution < 3e-3
        assert ", blind below" in str(result)
        assert not check_gradient(lambda x: 1e6 + 1e-4 * f(x), x, 1.5e-4 * gradient(x), rng=seed)


def test_a_constant_has_gradient_zero_and_no_other():
    assert check_gradient(lambda x: 5.0, draw(3), np.zeros(3))
    assert not check_gradient(lambda x: 5.0, draw(3), np.array([0, 1e-3, 0]))


def test_where_leaves_numbers_out():
    g, x = gradient(draw(4, 3)), draw(4, 3)
    g[:, 1] = 99
    assert not check_gradient(f, x, g)
    assert check_gradient(f, x, g, where=np.array([True, False, True]))
    with pytest.raises(ValueError, match="no number of x"):
        check_gradient(f, x, g, where=np.zeros(3, bool))


def test_a_float32_f_of_a_float64_x_warns():
    with pytest.warns(PrecisionWarning, match="f returns float32 for a float64 x"):
        check_gradient(lambda x: np.float32(f(x)), draw(3), gradient(draw(3)))


def test_gradients_of_other_shapes_and_integers_are_refused():
    with pytest.raises(ValueError, match=r"a gradient of x's shape \(3, 1\), got \(3,\)"):
        check_gradient(f, draw(3, 1), draw(3))
    with pytest.raises(TypeError, match="the gradient must be floating-point, got int64"):
        check_gradient(f, draw(3), np.ones(3, int))


# -- check_layer ----------------------------------------------------------------------------------
def convolution_and_normalization():
    layers = {"conv": Convolution(draw(3, 2, 2, 2), draw(3)), "bn": BatchNormalization(draw(3), draw(3))}
    return Sequential(layers)


LAYERS = {
    "convolution": (lambda: Convolution(draw(4, 2, 3, 2), draw(4), (1, 2), 1, 1, 2), (2, 4, 5, 6), "x W b"),
    "affine": (lambda: Affine(draw(6, 3), draw(3)), (4, 6), "x W b"),
    "max pooling": (lambda: Pooling(3, 2, (2, 1), 1), (2, 3, 6, 5), "x"),
    "relu": (Relu, (50, 40), "x"),
    "normalization": (lambda: BatchNormalization(draw(3) + 2, draw(3)), (4, 3, 2, 3), "x gamma beta"),
    # conv.b has gradient 0, the normalization takes it out again: only rounding is left to compare
    "both": (convolution_and_normalization, (2, 2, 4, 5), "x conv.W conv.b bn.gamma bn.beta"),
}


@pytest.mark.parametrize(("make", "shape", "names"), LAYERS.values(), ids=LAYERS)
def test_layers_pass(make, shape, names):
    layer, x = make(), draw(*shape)
    x.flags.writeable = False
    buffers = {key: b.copy() for key, b in layer.buffers.items()}
    checks = check_layer(layer, x)
    assert list(checks) == names.split()
    assert all(checks.values()), {key: str(c) for key, c in checks.items()}
    np.testing.assert_array_equal(x, draw(*shape))
    for key, buffer in buffers.items():
        np.testing.assert_array_equal(layer.buffers[key], buffer)


class Forgetful(Affine):
    """Adds b but sums db over one image too few; dx and dW are right."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["b"] = dout[1:].sum(axis=0)
        return dx


def test_a_wrong_layer_is_caught_by_the_tensor_that_is_wrong():
    checks = check_layer(Forgetful(draw(6, 3), draw(3)), draw(4, 6))
    assert {key: c.ok for key, c in checks.items()} == {"x": True, "W": True, "b": False}


def test_partial_connections_are_left_out_by_where():
    connections = np.array([[1, 0], [1, 1], [0, 1]], bool)
    layer = PartialConvolution(draw(3, 2, 2, 2), draw(3), connections)
    assert not check_layer(layer, draw(2, 2, 4, 3))["W"]
    assert check_layer(layer, draw(2, 2, 4, 3), where={"W": connections[:, :, None, None]})["W"]


def test_dropout_needs_a_mask():
    layer, x = Dropout(0.5, rng=0), draw(20, 30)
    with pytest.raises(ValueError, match=r"Dropout\(0.5\) gives another output each time; inject a mask"):
        check_layer(layer, x)
    layer.inject(draw(20, 30) > 0)
    assert check_layer(layer, x)["x"]


def test_a_missing_gradient_is_refused():
    class NoBias(Affine):
        def backward(self, dout):
            dx = super().backward(dout)
            del self.grads["b"]
            return dx

    with pytest.raises(ValueError, match=r"expected a gradient of \(3,\) for b, got none"):
        check_layer(NoBias(draw(6, 3), draw(3)), draw(4, 6))
