"""The fast activations and dropout are the textbook's functions, and what they return is the caller's."""

import math
import warnings
from contextlib import nullcontext

import numpy as np
import pytest

import scratchcnn as sc
from scratchcnn import fast
from scratchcnn.fast import activations, layout, normal
from scratchcnn.fast.dispatch import FastMemory

LAYERS = {
    "leaky relu": sc.LeakyRelu,
    "leaky relu, 0.75": lambda: sc.LeakyRelu(0.75),
    "elu": sc.ELU,
    "elu, 1.75": lambda: sc.ELU(1.75),
    "elu, 0.5": lambda: sc.ELU(0.5),
    "selu": sc.SELU,
    "gelu": sc.GELU,
    "gelu by tanh": lambda: sc.GELU("tanh"),
    "relu": sc.Relu,
    "relu6": sc.Relu6,
    "sigmoid": sc.Sigmoid,
    "dropout": lambda: sc.Dropout(0.3, rng=0),
}
SHAPES = {
    "rows": lambda a: a[:4, :3, 0, 0],
    "images": lambda a: a,
    "images last": lambda a: a.copy().transpose(1, 2, 3, 0).copy().transpose(3, 0, 1, 2),
    "every other column": lambda a: a[:, :, :, ::2],
    "backwards": lambda a: a[::-1, :, ::-1],
    "one number for all": lambda a: np.broadcast_to(a[:1, :1], a.shape),
    "none": lambda a: a[:0],
}


def rng(seed=0):
    return np.random.default_rng(seed)


def both(make, x, dout):
    """(out, dx) of the textbook and of the fast layer."""
    results = []
    for rung in (fast.textbook(), nullcontext()):
        layer = make()
        with rung, warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # inf * 0, on both
            results.append((layer.forward(x), layer.backward(dout)))
    assert isinstance(layer._memory, FastMemory)
    return results


def same(found, wanted, dtype, scale=1.0):
    assert found.dtype == wanted.dtype == dtype and found.shape == wanted.shape
    np.testing.assert_allclose(
        found, wanted, rtol=8 * np.finfo(dtype).eps, atol=8 * scale * np.finfo(dtype).eps
    )


@pytest.fixture
def small_blocks(monkeypatch):
    """Several blocks, and parts for two threads, also of small arrays."""
    monkeypatch.setattr(layout, "BLOCK", 100)
    monkeypatch.setattr("scratchcnn.fast.threads.MIN_SHARED_PASSES", 1)
    layout._constants.cache_clear()
    yield
    layout._constants.cache_clear()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_any_memory_order(make, shape, dtype, threads, small_blocks):
    x, dout = (shape(3 * rng(i).standard_normal((4, 5, 6, 7))).astype(dtype, "K") for i in (0, 1))
    before = x.copy(), dout.copy()
    (out, dx), (fast_out, fast_dx) = both(make, x, dout)
    same(fast_out, out, dtype, 10)
    same(fast_dx, dx, dtype, 10)
    assert np.array_equal(x, before[0]) and np.array_equal(dout, before[1])


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_a_gradient_in_another_memory_order_or_dtype(make):
    x = SHAPES["images last"](rng().standard_normal((4, 5, 6, 7)).astype(np.float32))
    (_, dx), (_, found) = both(make, x, rng(1).standard_normal(x.shape))
    np.testing.assert_allclose(found, dx, rtol=1e-5, atol=1e-5)
    (_, dx), (_, found) = both(make, x, rng(1).standard_normal(x.shape).astype(np.float32))
    same(found, dx, np.float32, 10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_extremes(make, dtype):
    x = np.array([0, 6, 1, 1e-40, 1e-20, 1e-3, 20, 90, 300, 800, 1e5, 1e13, 1e30, np.inf, np.nan], dtype)
    x = np.tile(np.concatenate([x, -x]), 2)
    dout = np.where(np.arange(x.size) < x.size // 2, 1.5, np.inf).astype(dtype)
    if make is sc.Sigmoid:
        dout[...] = 1.5  # where the textbook's y is a subnormal number, the fast one's is 0
    (out, dx), (fast_out, fast_dx) = both(make, x, dout)
    same(fast_out, out, dtype)
    same(fast_dx, dx, dtype)


@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_results_are_the_callers_to_keep_and_to_overwrite(make, recording):
    x, dout = (rng(i).standard_normal((8, 5, 60, 60)) for i in (0, 1))  # of buffers that are used again
    layer = make().record(recording)
    out, kept = layer.forward(x), layer.forward(x)
    if isinstance(layer, sc.Dropout):
        layer.inject(layer.mask)
        kept = layer.forward(x)
    wanted = kept.copy()
    layer.forward(-x)
    assert np.array_equal(kept, wanted)
    if recording:
        given = x.copy()
        out = layer.forward(given)
        dx = layer.backward(dout)
        wanted = dx.copy()
        given[...], out[...] = 7, 7
        again = layer.backward(dout)
        assert np.array_equal(again, wanted) and not np.shares_memory(again, dx)
        layer.backward(-dout)
        assert np.array_equal(dx, wanted)


def test_dropouts_mask_may_be_overwritten_before_backward():
    layer, x = sc.Dropout(0.5, rng=0), np.ones((3, 40))
    out = layer.forward(x)
    assert layer.mask.dtype == bool and np.array_equal(out != 0, layer.mask)
    layer.mask[...] = True
    assert np.array_equal(layer.backward(x), out)


@pytest.mark.parametrize("size", [7, 100, 250, 1001])
def test_dropout_draws_the_textbooks_masks(size, small_blocks):
    masks = []
    for rung in (fast.textbook(), nullcontext()):
        layer = sc.Dropout(0.4, rng=3)
        with rung:
            for _ in range(3):
                layer.forward(np.ones((1, size), np.float32))
                masks.append(layer.mask)
    assert all(map(np.array_equal, masks[:3], masks[3:])) and not np.array_equal(masks[3], masks[4])


@pytest.mark.parametrize("ratio", [0.0, 0.3, 1.0])
def test_dropout_of_an_injected_mask_and_in_inference(ratio):
    x, dout = rng().standard_normal((2, 3, 50)), rng(1).standard_normal((2, 3, 50))
    results = []
    for rung in (fast.textbook(), nullcontext()):
        layer = sc.Dropout(ratio, rng=0)
        layer.inject(rng(2).random(x.shape) < 0.5)
        with rung:
            results.append([layer.forward(x), layer.backward(dout), layer.forward(x, train_flg=False)])
            results[-1] += [layer.backward(dout), layer.eval().forward(x), layer.forward(x, train_flg=True)]
    for wanted, found in zip(*results, strict=True):
        np.testing.assert_array_equal(found, wanted)
    layer.inject(np.ones((2, 2), bool))
    with pytest.raises(ValueError, match=r"^Dropout: the injected mask is \(2, 2\), x is \(2, 3, 50\)$"):
        layer.train().forward(x)


@pytest.mark.parametrize(
    "layer", [sc.LeakyRelu(1.5), sc.LeakyRelu(0.0), sc.LeakyRelu(-0.2), sc.ELU(0.2), sc.ELU(16)], ids=repr
)
def test_rare_constants_are_left_to_the_textbook(layer):
    x = rng().standard_normal((3, 4))
    out = layer.forward(x)
    assert not isinstance(layer._memory, FastMemory)
    with fast.textbook():
        assert np.array_equal(layer.forward(x), out)


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_float16_is_left_to_the_textbook_or_computed_in_it(make):
    assert make().forward(np.ones((2, 3), np.float16)).dtype == np.float16


# -- the normal distribution --------------------------------------------------------------------
def below(x):
    found = np.empty_like(x)
    for blocks in zip(layout.pieces(x), layout.pieces(found), strict=True):
        normal.distribution(*blocks)
    return found


def exactly_below(x):
    return np.array([math.erfc(-v / math.sqrt(2)) / 2 for v in x.tolist()])


def test_the_distribution_in_float64():
    x = np.concatenate(
        [np.linspace(-39, 39, 20_001), np.geomspace(1e-300, 1, 500), -np.geomspace(1e-300, 1, 500)]
    )
    found, wanted = below(x), exactly_below(x)
    assert np.abs(found - wanted).max() <= 2 * np.finfo(np.float64).eps
    x, found, wanted = (a[wanted > 1e-300] for a in (x, found, wanted))  # the others have fewer digits
    assert (np.abs(found / wanted - 1) / (4 + x * x)).max() <= 2 * np.finfo(np.float64).eps


def test_the_distribution_in_float32():
    x = np.linspace(-14, 14, 20_001).astype(np.float32)
    error = np.abs(below(x) - exactly_below(x))
    assert (error * np.maximum(1, np.abs(x))).max() <= 4 * np.finfo(np.float32).eps


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ends_of_the_axis_and_the_density(dtype):
    x = np.array([-np.inf, -1e30, 0, 1e30, np.inf, np.nan], dtype)
    density = np.empty_like(x)
    found = np.empty_like(x)
    normal.distribution(x, found, density)
    assert np.array_equal(found, np.array([0, 0, 0.5, 1, 1, np.nan], dtype), equal_nan=True)
    wanted = np.array([0, 0, 1 / math.sqrt(2 * math.pi), 0, 0, np.nan], dtype)
    assert np.array_equal(density, wanted, equal_nan=True)


def test_gelu_in_float32_is_as_exact_as_float32():
    x = np.linspace(-8, 8, 20_001)
    layer, exact = sc.GELU(), sc.GELU()
    out, dx = layer.forward(x.astype(np.float32)), layer.backward(np.ones(x.shape, np.float32))
    with fast.textbook():
        wanted, slope = exact.forward(x.astype(np.float32).astype(float)), exact.backward(np.ones(x.shape))
    allowed = 4 * np.finfo(np.float32).eps * np.maximum(1, np.abs(x))
    assert (np.abs(out - wanted) <= allowed).all() and (np.abs(dx - slope) <= allowed).all()


def test_a_slope_of_elu_is_exact_on_the_positive_side():
    for make in (lambda: sc.ELU(0.7), lambda: sc.ELU(1.9), sc.SELU):
        (_, dx), (_, found) = both(make, np.array([1e-3, 2, 50], np.float32), np.ones(3, np.float32))
        assert np.array_equal(dx, found)
    assert np.finfo(np.float32).tiny < activations.MIN_SLOPE
