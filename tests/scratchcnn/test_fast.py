"""The fast rung is the textbook's function, on one thread and on two, and owes its caller the same."""

import inspect
import pickle
import sys
import threading
from contextlib import nullcontext
from copy import deepcopy

import numpy as np
import pytest
from helpers import close
from threadpoolctl import threadpool_limits

import scratchcnn as sc
from scratchcnn import fast
from scratchcnn.fast import batch_norm, batch_split, convolution, layout, memory, pooling, products, winograd
from scratchcnn.fast import threads as workers
from scratchcnn.fast.dispatch import IMPLEMENTATIONS, FastMemory
from scratchcnn.fast.layout import workspace_above_ones
from scratchcnn.layers import (
    BatchNormalization,
    Convolution,
    Flatten,
    LocalResponseNormalization,
    PartialConvolution,
    Pooling,
    Relu,
    Sequential,
    Sigmoid,
)


@pytest.fixture
def team(threads, monkeypatch):
    """One thread and two; a batch is split into a part per thread, from two images on."""
    monkeypatch.setattr(batch_split, "MIN_SPLIT_ELEMENTS", 1)
    return threads


def rng(seed=0):
    return np.random.default_rng(seed)


# -- layers ---------------------------------------------------------------------------------------
GEOMETRIES = [
    # x, (FN, FH, FW), stride, pad, dilation, groups
    ((3, 2, 7, 6), (4, 3, 2), 1, 0, 1, 1),
    ((2, 3, 6, 7), (5, 3, 3), 1, 1, 1, 1),
    ((2, 1, 5, 6), (2, 5, 5), 1, 2, 1, 1),
    ((2, 4, 9, 8), (6, 3, 3), (2, 3), (1, 2), 1, 2),
    ((1, 2, 9, 9), (3, 2, 3), 1, (2, 1), (2, 3), 1),
    ((2, 3, 5, 5), (2, 2, 2), 1, 3, 1, 1),  # a pad beyond the window
    ((3, 6, 4, 5), (6, 1, 1), 1, 0, 1, 3),
    ((0, 2, 4, 4), (3, 3, 3), 1, 1, 1, 1),
]


def both(layer, x, seed=1):
    """out, dx and gradients of the layer on both rungs."""
    results = []
    for rung in (fast.textbook(), workers.team()):
        with rung:
            out = layer.forward(x)
            dout = rng(seed).standard_normal(out.shape).astype(x.dtype)
            results.append({"out": out, "dx": layer.backward(dout), **layer.grads})
    return results


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
@pytest.mark.parametrize("columns", [1, 10**6], ids=["row by row", "all rows at once"])
@pytest.mark.parametrize("large", [1, 10**9], ids=["shared", "alone"])
def test_convolution(case, columns, large, team, monkeypatch):
    monkeypatch.setattr(convolution, "MIN_COLUMNS", columns)
    monkeypatch.setattr(convolution, "COLUMN_BYTES", 1)
    monkeypatch.setattr(convolution, "MIN_SHARED_PRODUCTS", large)
    shape, (FN, FH, FW), stride, pad, dilation, groups = case
    W = rng().standard_normal((FN, shape[1] // groups, FH, FW))
    layer = Convolution(W, rng(2).standard_normal(FN), stride, pad, dilation, groups)
    wanted, found = both(layer, rng(3).standard_normal(shape))
    for name in ("out", "dx", "W", "b"):
        close(found[name], wanted[name])


@pytest.fixture
def fewer_products(monkeypatch):
    """3x3 convolutions by Winograd's way, whatever their size, in blocks; how often it was gone."""
    calls, ways = [], (winograd.correlate, winograd.weight_gradient)
    for limit in ("MIN_CHANNELS", "MIN_PIXELS", "MIN_PIXELS_OF_FEW", "MIN_OF_GRADIENT"):
        monkeypatch.setattr(winograd, limit, 1)
    monkeypatch.setattr(winograd, "MAX_WASTE", 4)
    for way in ways:
        monkeypatch.setattr(winograd, way.__name__, lambda *given, way=way: calls.append(1) or way(*given))
    return calls


@pytest.mark.parametrize("pad", [0, 1, 2, (2, 1), (0, 2)], ids=str)
@pytest.mark.parametrize("shape", [(2, 3, 6, 8), (1, 4, 7, 5), (3, 2, 3, 3), (2, 2, 12, 3)], ids=str)
@pytest.mark.parametrize(("tiles", "numbers"), [(1, 1), (8, 150), (512, 1 << 17)], ids=str)
def test_convolution_by_fewer_products(shape, pad, tiles, numbers, team, fewer_products, monkeypatch):
    monkeypatch.setattr(winograd, "TILES", tiles)
    monkeypatch.setattr(winograd, "BLOCK_NUMBERS", numbers)
    monkeypatch.setattr(workers, "MIN_SHARED_PASSES", 1)
    layer = Convolution(rng().standard_normal((5, shape[1], 3, 3)), rng(2).standard_normal(5), pad=pad)
    wanted, found = both(layer, rng(3).standard_normal(shape))
    for name in ("out", "dx", "W", "b"):
        close(found[name], wanted[name])
    assert len(fewer_products) == 3  # out, dW and dx


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e308])
def test_what_is_not_finite_stays_where_it_belongs(value, team, fewer_products):
    layer, x = Convolution(rng().uniform(0.5, 1, (3, 2, 3, 3)), pad=1), rng(1).random((2, 2, 9, 8))
    x[1, 0, 4, 4] = value
    out = layer.forward(x)
    with fast.textbook():
        wanted = layer.forward(x)
    np.testing.assert_allclose(out, wanted, rtol=1e-9)
    assert np.isfinite(wanted).mean() < 1 or value == 1e308
    assert fewer_products


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_reaches_only_its_filter(value, team, fewer_products):
    layer, x, dW = Convolution(rng().random((3, 2, 3, 3)), pad=1), rng(1).random((2, 2, 9, 8)), []
    dout = rng(2).random((2, 3, 9, 8))
    dout[1, 0, 4, 4] = value
    for rung in (fast.textbook, nullcontext):
        with rung():
            layer.forward(x)
            layer.backward(dout)
        dW.append(layer.dW)
    np.testing.assert_allclose(dW[1], dW[0], rtol=1e-9)
    assert fewer_products and not np.isfinite(dW[0][0]).any() and np.isfinite(dW[0][1:]).all()


def test_fewer_products_are_for_many_channels_and_pixels():
    W = np.empty((128, 128, 3, 3), np.float32)
    assert winograd.suits(W, (28, 28), 1) and winograd.suits(W, (14, 14), 4)
    assert not winograd.suits(W, (14, 14), 1) and not winograd.suits(W[:64], (56, 56), 8)
    assert not winograd.suits(W, (7, 7), 16)  # a third of the tiles beyond the border
    assert not winograd.suits(W[:96], (28, 28), 1) and winograd.suits(W[:96], (28, 28), 4)
    assert winograd.suits_gradient(W.shape, (28, 28), 4) and not winograd.suits_gradient(W.shape, (28, 28), 1)
    assert not winograd.suits_gradient((64, 512, 3, 3), (56, 56), 8)


@pytest.mark.parametrize(("stride", "groups", "size"), [(2, 1, 3), (1, 2, 3), (1, 1, 2)], ids=str)
def test_other_convolutions_go_the_usual_way(stride, groups, size, team, fewer_products):
    layer = Convolution(rng().standard_normal((4, 4 // groups, size, size)), None, stride, 1, groups=groups)
    wanted, found = both(layer, rng(1).standard_normal((2, 4, 6, 6)))
    for name in ("out", "dx", "W"):
        close(found[name], wanted[name])
    assert not fewer_products


@pytest.mark.parametrize("columns", [5, 64, 96, 100, 331], ids="{} columns".format)
@pytest.mark.parametrize(("M", "K"), [(3, 5), (40, 5), (3, 100)], ids=str)
def test_products_as_stacks(M, K, columns, monkeypatch):
    # 32 columns per product: 2 and 3 of a size, 4, a rest
    monkeypatch.setattr(products, "MAX_SMALL_PRODUCT", 32 * M * K)
    products._width.cache_clear()
    A, B, D = (rng(i).standard_normal(shape) for i, shape in enumerate([(M, K), (K, columns), (M, columns)]))
    wide = np.full((M, columns + 2), np.nan)
    products.product(A, B, wide[:, 1:-1])
    close(wide[:, 1:-1], A @ B)
    assert np.isnan(wide[:, [0, -1]]).all()
    close(products.product_over_columns(D, B), D @ B.T)
    products._width.cache_clear()


def test_a_large_bias_does_not_round_the_products_away():
    x, W = rng().random((1, 64, 9, 9), np.float32), 1e-3 * rng(1).random((2, 64, 3, 3), np.float32)
    out = Convolution(W, np.full(2, 1e3, np.float32)).forward(x)
    exact = Convolution(W.astype(float), np.full(2, 1e3)).forward(x.astype(float))
    assert np.abs(out - exact).max() < 2 * np.spacing(np.float32(1e3))  # a few roundings of the sum, not 576


def test_the_row_of_ones_stays():
    for rows, columns in [(2, 7), (3, 4), (9, 5), (1, 50), (2, 7)]:
        space = workspace_above_ones(rows, columns, np.dtype(np.float32))
        assert space.shape == (rows + 1, columns) and (space[-1] == 1).all()
        space[:-1] = np.nan


def test_partial_convolution():
    table = rng().random((4, 3)) < 0.5
    layer = PartialConvolution(rng(1).standard_normal((4, 3, 2, 2)), np.zeros(4), table)
    wanted, found = both(layer, rng(2).standard_normal((2, 3, 5, 6)))
    assert not found["W"][~table].any()
    for name in wanted:
        close(found[name], wanted[name])


POOLINGS = {
    "2x2": {"pool_h": 2, "pool_w": 2, "stride": 2},
    "overlap": {"pool_h": 3, "pool_w": 2, "stride": (2, 1)},
    "gaps": {"pool_h": 1, "pool_w": 2, "stride": 3},
    "pad": {"pool_h": 3, "pool_w": 3, "stride": 2, "pad": 1},
    "ceil": {"pool_h": 3, "pool_w": 2, "stride": 2, "ceil_mode": True},
    "all": {"pool_h": 7, "pool_w": 6},
}


SPECIAL = [("average", None), *((m, v) for m in ("max", "min") for v in (None, np.nan, -np.inf, np.inf))]


@pytest.mark.parametrize("options", POOLINGS.values(), ids=POOLINGS)
@pytest.mark.parametrize(("mode", "special"), SPECIAL, ids=str)
@pytest.mark.parametrize("cell_bytes", [1, 1 << 20], ids=["channel by channel", "all channels at once"])
def test_pooling_with_ties(mode, options, special, cell_bytes, monkeypatch):
    monkeypatch.setattr(pooling, "CELL_BYTES", cell_bytes)
    x = rng().integers(-2, 2, (2, 3, 7, 6)).astype(np.float64)  # mostly ties
    if special is not None:
        x[0, 1, 1:5, 1:5] = special
    layer = Pooling(**options, mode=mode)
    wanted, found = both(layer, x)
    np.testing.assert_array_equal(found["out"], wanted["out"])
    close(found["dx"], wanted["dx"])


@pytest.mark.parametrize("beta", [0.75, 0.5])
@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_lrn(size, beta, monkeypatch):
    monkeypatch.setattr("scratchcnn.fast.lrn.BLOCK_BYTES", 1)
    layer = LocalResponseNormalization(size, alpha=0.3, beta=beta, k=2)
    wanted, found = both(layer, rng().standard_normal((3, 6, 5, 5)))
    close(found["out"], wanted["out"])
    close(found["dx"], wanted["dx"])


def lying(a, images_last):
    """The same numbers, in memory as (C, H, W, N) or as they are."""
    return np.ascontiguousarray(a.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2) if images_last else a


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("images_last", [(False, False), (True, True), (False, True), (True, False)], ids=str)
@pytest.mark.parametrize("block_bytes", [1, 1 << 20], ids=["channel by channel", "all channels at once"])
@pytest.mark.parametrize("shape", [(3, 6, 4, 5), (1, 6, 3, 2), (2, 6, 1, 1), (64, 6, 40, 9)], ids=str)
def test_batch_normalization(shape, block_bytes, images_last, training, monkeypatch):
    monkeypatch.setattr(batch_norm, "BLOCK_BYTES", block_bytes)
    r, running = rng(), {}
    layer = BatchNormalization(
        r.uniform(-1, 2, 6),
        r.standard_normal(6),
        momentum=0.7,
        running_mean=r.standard_normal(6),
        running_var=r.uniform(0.1, 3, 6),
    ).train(training)
    x, dout = 3 + r.standard_normal(shape), rng(1).standard_normal(shape)
    x, dout = (lying(a, last) for a, last in zip((x, dout), images_last, strict=True))
    before = {key: a.copy() for key, a in layer.buffers.items()}
    for rung in (fast.textbook(), nullcontext()):
        layer.buffers.update(before)
        with rung:
            out = layer.forward(x)
            dx = layer.backward(dout)
        running[len(running)] = {"out": out, "dx": dx, **layer.grads, **deepcopy(layer.buffers)}
    assert running[0].keys() == running[1].keys()
    for name in running[0]:
        close(running[1][name], running[0][name])
    assert training == any((layer.buffers[key] != before[key]).any() for key in before)


def test_batch_normalization_leaves_its_class_the_rest():
    layer = BatchNormalization(np.ones(3), np.zeros(3))
    assert layer.forward(rng().standard_normal((4, 3))).shape == (4, 3)
    with pytest.raises(
        ValueError, match=r"training needs more than one value per channel, got x of \(1, 3, 1, 1\)"
    ):
        layer.forward(np.ones((1, 3, 1, 1)))
    with pytest.raises(
        ValueError, match=r"expected x of shape \(N, 3\) or \(N, 3, H, W\), got \(2, 4, 5, 5\)"
    ):
        layer.forward(np.ones((2, 4, 5, 5)))
    assert layer.eval().forward(np.ones((0, 3, 2, 2))).shape == (0, 3, 2, 2)


@pytest.mark.parametrize("layer", [Relu(), Sigmoid()], ids=["relu", "sigmoid"])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 0, 1, 2)], ids=["as it lies", "images last"])
@pytest.mark.parametrize("scale", [1, 1e4], ids=["small", "large"])
def test_elementwise(layer, order, scale):
    x = scale * rng().standard_normal((2, 3, 4, 5)).transpose(order)
    wanted, found = both(layer, x)
    close(found["out"], wanted["out"])
    close(found["dx"], wanted["dx"])


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
@pytest.mark.parametrize(
    "make", [lambda: Convolution(np.ones((2, 3, 2, 2))), Sigmoid, Flatten], ids=["conv", "sigmoid", "flatten"]
)
def test_only_neighbours_are_trusted_not_to_overwrite(make, private):
    x = rng().standard_normal((3, 5, 5, 4)).transpose(3, 0, 1, 2)  # images last, as the fast rung keeps them
    layer = batch_split.replicas([Relu(), make()])[1] if private else make()
    out, kept = layer.forward(x), layer._memory.values
    kept = [a for a in (kept if isinstance(kept, tuple) else [kept]) if isinstance(a, np.ndarray)]
    pairs = [(out, x), *((a, b) for a in kept for b in (x, out))]
    assert private == any(np.shares_memory(a, b) for a, b in pairs)


def test_the_parts_of_a_batch_trust_each_other_but_not_the_caller():
    layers = list(sc.LeNet(rng=0).layers.values())
    copies = batch_split.replicas(layers[:7])
    assert [memory.is_private(layer) for layer in copies] == [False, *[True] * 6]
    assert not any(memory.is_private(layer) for layer in layers)


def test_relu_clears_infinite_gradients_where_it_was_off():
    layer = Relu()
    layer.forward(np.array([[-1.0, 2.0, 0.0]]))
    assert layer.backward(np.array([[np.inf, np.inf, np.nan]])).tolist() == [[0, np.inf, 0]]


def test_a_subclass_runs_what_its_class_says():
    class Mine(Relu):
        pass

    def is_fast(layer):
        layer.forward(rng().standard_normal((2, 3)))
        return isinstance(layer._memory, FastMemory)

    assert is_fast(Relu()) and not is_fast(Mine())
    with fast.textbook():
        assert not is_fast(Relu())
    assert is_fast(Relu())


ACCELERATED = {
    "Affine": lambda: sc.Affine(rng().standard_normal((24, 5)), np.ones(5)),
    "BatchNormalization": lambda: BatchNormalization(np.array([1.5, -0.5]), np.ones(2)),
    "Convolution": lambda: Convolution(rng().standard_normal((5, 2, 3, 2)), np.ones(5)),
    "Dropout": lambda: sc.Dropout(0.3, rng=0),
    "ELU": sc.ELU,
    "Flatten": Flatten,
    "GELU": sc.GELU,
    "LeakyRelu": sc.LeakyRelu,
    "LocalResponseNormalization": lambda: LocalResponseNormalization(3, 0.3),
    "PartialConvolution": lambda: PartialConvolution(np.ones((2, 2, 2, 2)), None, np.eye(2)),
    "Pooling": lambda: Pooling(2, 2),
    "RBF": lambda: sc.RBF(rng().standard_normal((5, 3))),
    "Relu": Relu,
    "Relu6": sc.Relu6,
    "SELU": sc.SELU,
    "Sigmoid": Sigmoid,
    "Subsampling": lambda: sc.Subsampling(np.arange(1.0, 3), np.ones(2), 3),
    "Tanh": lambda: sc.Tanh(1.7, 0.7),
}


@pytest.mark.parametrize("first", ["textbook", "fast"])
@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_backward_is_run_by_whoever_did_the_forward(name, first):
    layer, x = ACCELERATED[name](), rng().standard_normal((4, 3) if name == "RBF" else (3, 2, 4, 3))
    rungs = [fast.textbook(), nullcontext()]
    with rungs[first == "fast"]:
        out = layer.forward(x)
        assert isinstance(layer._memory, FastMemory) == (first == "fast")
        dout = rng(1).standard_normal(out.shape)
        wanted = {"dx": layer.backward(dout), **layer.grads}
    with rungs[first != "fast"]:
        found = {"dx": layer.backward(dout), **layer.grads}
    assert wanted.keys() == found.keys() == {"dx", *layer.params}
    assert all(np.array_equal(wanted[name], found[name]) for name in wanted)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_the_class_shows_the_textbooks_code(name):
    cls = getattr(sc, name)
    for method in (cls.forward, cls.backward):
        source = inspect.getsource(method)
        assert source.lstrip().startswith(f"def {method.__name__}(self, ") and "fast" not in source
        assert inspect.signature(method).parameters.keys() <= {"self", "x", "dout", "train_flg"}


def test_memory_of_the_fast_rung_is_none_of_the_classs_business():
    layer = Relu()
    layer.forward(rng().standard_normal((2, 3)))
    with pytest.raises(RuntimeError, match=r"^Relu: backward needs a forward before it$"):
        layer.recall()


# -- networks -------------------------------------------------------------------------------------
def small_alexnet():
    return sc.AlexNet((3, 67, 67), 5, hidden_size=32, rng=0, dtype=np.float64)


NETWORKS = {
    "simple_conv_net": lambda: sc.SimpleConvNet(rng=0, dtype=np.float64),
    "lenet": lambda: sc.LeNet(rng=0, dtype=np.float64),
    "lenet5": lambda: sc.LeNet5(rng=0, dtype=np.float64),
    "alexnet": small_alexnet,
}


def batch(network, N=5):
    x = rng(4).standard_normal((N, *network.input_dim))
    return x, rng(5).integers(0, network.output_size, N)


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("N", [1, 5])
def test_a_network_is_the_same_function(make, N, team):
    results = []
    for rung in (fast.textbook(), workers.team()):
        network = make()
        x, t = batch(network, N)
        with rung:
            grads = network.gradient(x, t)
            results.append({**grads, "loss": network.last_loss, "dx": network.dx, "y": network.predict(x)})
    wanted, found = results
    for name in wanted:
        close(np.asarray(found[name]), np.asarray(wanted[name]), 1e-10)


def test_the_same_bits_every_time(team):
    network = sc.LeNet(rng=0)
    x, t = batch(network, 7)
    first = network.gradient(x.astype(np.float32), t)
    again = network.gradient(x.astype(np.float32), t)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not any(np.shares_memory(first[name], again[name]) for name in first)


def test_gradients_are_in_the_layers_too(team):
    network = sc.SimpleConvNet(rng=0)
    grads = network.gradient(*batch(network))
    assert network.layers["Conv1"].dW is grads["W1"] and network.layers["Affine2"].db is grads["b3"]


def test_a_backward_by_hand_needs_a_loss_before_it(team):
    network = sc.LeNet(rng=0)
    network.loss(*batch(network, 3))
    network.gradient(*batch(network))
    with pytest.raises(RuntimeError, match=r"^loss \(SoftmaxWithLoss\): backward needs a forward before it$"):
        network.last_layer.backward(1)
    with pytest.raises(RuntimeError, match="backward needs a forward before it"):
        network.layers.backward(np.zeros((5, 10), np.float32))


def test_a_gradient_that_fails_leaves_no_older_batch(team):
    network = sc.LeNet(rng=0)
    x, t = batch(network)
    network.loss(x, t)
    with pytest.raises(ValueError, match="labels must lie in"):
        network.gradient(x, t + 10)
    assert all(layer._memory is None for _, layer in network.layers.leaves())


def test_a_loss_of_ones_own_counts(team):
    class Penalised(sc.LeNet):
        def loss(self, x, t):
            self.data_loss = super().loss(x, t)
            return self.data_loss + 1

    network, plain = Penalised(rng=0), sc.LeNet(rng=0)
    wanted, found = plain.gradient(*batch(plain)), network.gradient(*batch(plain))
    assert network.last_loss == network.data_loss + 1 == plain.last_loss + 1
    assert all(np.array_equal(wanted[name], found[name]) for name in wanted)


def test_a_loss_that_runs_the_layers_twice(team):
    class Twice(sc.LeNet):
        def loss(self, x, t):
            super().loss(x[::-1], t)
            return super().loss(x, t)

    network, plain = Twice(rng=0), sc.LeNet(rng=0)
    wanted, found = plain.gradient(*batch(plain)), network.gradient(*batch(plain))
    assert all(np.array_equal(wanted[name], found[name]) for name in wanted)


def test_dx_is_that_of_the_parameters_it_saw(team):
    network, same = sc.LeNet(rng=0, dtype=np.float64), sc.LeNet(rng=0, dtype=np.float64)
    x, t = batch(network)
    sc.SGD(lr=10).update(network.params, network.gradient(x, t))
    same.gradient(x, t)
    close(network.dx, same.dx)
    assert network.dx is network.dx


def test_dx_needs_a_gradient():
    with pytest.raises(RuntimeError, match=r"^LeNet: dx needs a gradient before it$"):
        _ = sc.LeNet(rng=0).dx


def test_prediction_between_forward_and_backward_does_no_harm(team):
    network = sc.LeNet(rng=0, dtype=np.float64)
    x, t = batch(network)
    wanted = network.gradient(x, t)["conv1.W"]
    network.loss(x, t)
    network.predict(x[::-1])
    network.layers.backward(network.last_layer.backward())
    close(network.layers.grads["conv1.W"], wanted)


def test_prediction_keeps_nothing(team):
    network = sc.LeNet(rng=0)
    network.predict(batch(network)[0])
    assert all(layer._memory is None for _, layer in network.layers.leaves())
    assert type(network.layers) is Sequential


def test_the_batch_may_be_overwritten_after_the_loss(team):
    network = sc.SimpleConvNet(rng=0, dtype=np.float64)
    x, t = batch(network)
    wanted = network.gradient(x.copy(), t)
    network.loss(x, t)
    x[...] = 7
    network.layers.backward(network.last_layer.backward())
    close(network.layers.grads["Conv1.W"], wanted["W1"])


def test_a_network_can_be_pickled_after_a_step():
    network = sc.LeNet(rng=0)
    network.gradient(*batch(network))
    copied = pickle.loads(pickle.dumps(network))
    assert np.array_equal(copied.params["conv1.W"], network.params["conv1.W"])


def test_a_first_layer_that_changes_backward_is_asked():
    class Doubled(Convolution):
        def backward(self, dout):
            return 2 * super().backward(dout)

    network = sc.LeNet(rng=0, dtype=np.float64)
    x, t = batch(network)
    network.gradient(x, t)
    wanted = network.dx
    network.layers["conv1"].__class__ = Doubled
    network.gradient(x, t)
    close(network.dx, 2 * wanted)


# -- parts of a batch -----------------------------------------------------------------------------
def test_gradient_and_predict_split_the_batch_and_loss_does_not(team, monkeypatch):
    parts, replicas = [], batch_split.replicas
    monkeypatch.setattr(batch_split, "replicas", lambda layers: parts.append(1) or replicas(layers))
    network = sc.LeNet(rng=0)
    x, t = batch(network)
    for call, times in [(network.loss, 0), (network.gradient, 2), (lambda x, t: network.predict(x), 2)]:
        parts.clear()
        call(x, t)
        assert len(parts) == (times if team > 1 else 0)
    parts.clear()
    network.predict(x, train_flg=True)  # a backward may follow
    assert not parts


def test_what_is_split():
    assert batch_split.leading(list(sc.LeNet(rng=0).layers.values())) == 7  # up to flatten
    assert batch_split.leading([Relu(), Pooling(2, 2)]) == 0  # nothing to work with


def test_a_layer_that_was_opened_up_is_not_split():
    network = sc.LeNet(rng=0)
    layer = network.layers["pool1"]
    layer.forward = layer.forward
    assert batch_split.leading(list(network.layers.values())) == 2


@pytest.mark.parametrize("change", ["subclass", "shared"])
def test_what_could_not_be_split_is_not(change):
    conv, relu = Convolution(np.ones((2, 2, 1, 1))), Relu()
    if change == "subclass":
        conv = type("Mine", (Convolution,), {})(np.ones((2, 2, 1, 1)))
    layers = [conv, relu] if change == "subclass" else [conv, relu, conv]
    assert batch_split.leading(layers) == 0


@pytest.mark.parametrize(
    ("mode", "order"), [("max", [0, 2, 1, 3]), ("average", [0, 1, 2, 3]), ("min", [0, 1, 2, 3])]
)
def test_relu_changes_places_with_a_max_pooling_after_it(mode, order, team):
    W = rng().integers(-2, 3, (3, 1, 2, 2)).astype(np.float64)
    layers = Sequential(Convolution(W), Relu(), Pooling(2, 2, stride=2, mode=mode), Relu())
    x = rng(1).integers(-3, 2, (4, 1, 7, 9)).astype(np.float64)  # ties, and windows without a positive number
    with fast.textbook():
        out = layers.forward(x)
        dout = rng(2).standard_normal(out.shape)
        wanted = {"dx": layers.backward(dout), **layers.grads}
    with workers.team():
        split = batch_split.SplitSequential(layers)
        close(split.forward(x), out)
        found = {"dx": split.backward(dout).compute(), **layers.grads}
    for name in wanted:
        close(found[name], wanted[name])
    placed = list(layers.values())
    assert [placed.index(layer) for layer in batch_split.in_order(placed)] == order


def test_a_relu_of_ones_own_keeps_its_place():
    class Mine(Relu):
        pass

    layers = [Mine(), Pooling(2, 2)]
    assert batch_split.in_order(layers) == layers


def test_an_error_in_a_part_reaches_the_caller(team):
    network = sc.LeNet(rng=0)
    network.layers["conv1"].cast(np.float64)
    with pytest.raises(TypeError, match=r"^conv1 \(Convolution\): x is float32"):
        network.predict(np.zeros((8, 1, 28, 28), np.float32))
    assert workers.count() == team


# -- threads --------------------------------------------------------------------------------------
def test_blas_has_one_thread_in_a_team_and_its_own_after_it():
    with threadpool_limits(2):
        with pytest.raises(ZeroDivisionError), workers.team() as size:
            assert size == 2 and workers.blas().get() == 1
            with workers.team() as inner:
                assert inner == 2
            assert workers.blas().get() == 1
            _ = 1 / 0
        assert workers.blas().get() == 2


def test_workers_keep_the_order_and_have_one_thread():
    with threadpool_limits(2), workers.team():
        found = workers.each(lambda i: (i, workers.count(), threading.get_ident()), range(5))
    assert [i for i, *_ in found] == [0, 1, 2, 3, 4]
    assert {count for _, count, _ in found} == {1}
    assert [here == threading.get_ident() for *_, here in found] == [True, True, False, False, False]


def test_without_threadpoolctl_numpys_own_openblas_is_found(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    workers.blas.cache_clear()
    try:
        library = workers.blas()
        if library is None:
            pytest.skip("this NumPy was not built with OpenBLAS in its wheel")
        before = library.get()
        library.set(2)
        assert library.get() == 2
        library.set(before)
    finally:
        workers.blas.cache_clear()


def test_without_a_blas_to_control_there_is_one_thread(monkeypatch):
    monkeypatch.setattr(workers, "blas", lambda: None)
    with workers.team() as size:
        assert size == workers.count() == 1


@pytest.mark.parametrize(("size", "pieces", "lengths"), [(5, 2, [2, 3]), (1, 2, [1]), (4, 9, [1] * 4)])
def test_parts(size, pieces, lengths):
    found = workers.parts(size, pieces)
    assert [s.stop - s.start for s in found] == lengths
    assert np.array_equal(np.concatenate([np.arange(size)[s] for s in found]), np.arange(size))


# -- memory ---------------------------------------------------------------------------------------
SHAPE = (3, memory.MIN_BUFFER_BYTES)


def test_memory_is_used_again_once_nobody_holds_it():
    first = memory.empty(SHAPE, np.float32)
    place = first.ctypes.data
    assert memory.empty(SHAPE, np.float32).ctypes.data != place
    del first
    assert memory.empty(SHAPE, np.float32).ctypes.data == place


def test_a_view_holds_its_memory():
    view = memory.empty(SHAPE, np.float32)[1:2, 5:9].T
    view[...] = 3
    other = memory.empty(SHAPE, np.float32)
    other.fill(7)
    assert (view == 3).all() and not np.shares_memory(view, other)


def test_unused_memory_is_given_back(monkeypatch):
    monkeypatch.setattr(memory, "MAX_UNUSED_BYTES", 0)
    buffers = memory.Buffers()
    buffers.take(1000), buffers.take(2000)
    held = buffers.take(3000)
    buffers.take(4000)
    assert {size: len(kept) for size, kept in buffers.by_size.items() if kept} == {3000: 1, 4000: 1}
    assert held.size == 3000


def test_empty_like_keeps_the_order_of_memory():
    x = np.empty((3, 4, 5, 6), np.float32).transpose(3, 0, 2, 1)
    like = memory.empty_like(x, bool)
    assert like.shape == x.shape and like.dtype == bool
    assert np.argsort(like.strides).tolist() == np.argsort(x.strides).tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("N", [1, 2, 3, 4, 5, 8, 9])
def test_pixels_are_copied_whole(N, dtype):
    a = rng().standard_normal((3, 9, 8, N)).astype(dtype)
    a[0, 0, 0] = np.nan, *[-0.0] * (N - 1)
    for images in (slice(None), slice(None, None, -1)):
        out = np.full((3, 9, 8, N), 7, dtype)
        layout.copy_pixels(out[:, 1::2, ::3], a[:, :8:2, ::3, images])
        wanted = np.full((3, 9, 8, N), 7, dtype)
        wanted[:, 1::2, ::3] = a[:, :8:2, ::3, images]
        assert np.array_equal(out.view(np.uint8), wanted.view(np.uint8))
