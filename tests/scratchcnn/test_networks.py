"""The networks: counts and constants of the papers, the common face, copies, refusals."""

import copy

import numpy as np
import pytest
from helpers import draw

from scratchcnn import (
    NETWORKS,
    Affine,
    AlexNet,
    BatchNormalization,
    Convolution,
    Dropout,
    Flatten,
    LeNet,
    LeNet5,
    Momentum,
    Network,
    PenaltyLoss,
    PixelRangeWarning,
    Relu,
    Sequential,
    SimpleConvNet,
    check_gradient,
)
from scratchcnn.networks.lenet import C3_TABLE
from scratchcnn.networks.lenet_codes import CODES


def tiny(dropout=0.5):
    """What networks can have, on 4x5 pixels: batch statistics, dropout, a generator."""
    conv = Convolution(draw(3, 2, 3, 3), draw(3), pad=1)
    layers = {
        "conv": conv,
        "bn": BatchNormalization(np.ones(3), np.zeros(3)),
        "relu": Relu(),
        "flatten": Flatten(),
    }
    head = {"drop": Dropout(dropout, rng=3), "fc": Affine(draw(60, 4, seed=1) / 8, draw(4))}
    return Network((2, 4, 5), 4, Sequential(layers | head))


X, T = draw(6, 2, 4, 5, seed=8), np.array([0, 3, 1, 2, 1, 0])
SMALL = ["simple_conv_net", "lenet", "lenet5"]


def images(network, N=3, seed=0):
    return np.random.default_rng(seed).random((N, *network.input_dim)), np.arange(N) % network.output_size


# -- the published ones ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "count"), [(SimpleConvNet, 433_890), (LeNet, 61_706), (LeNet5, 60_000)], ids=lambda v: str(v)
)
def test_parameter_counts(make, count):
    network = make(rng=0)
    assert network.num_params == count
    assert f"{count:,} parameters" in repr(network)


def test_lenet5_counts_layer_by_layer_as_in_the_paper():
    counts = {name: layer.num_params for name, layer in LeNet5(rng=0).layers.items() if layer.num_params}
    assert counts == {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48120, "f6": 10164}


def test_lenet5_constants():
    network = LeNet5(rng=0)
    assert repr(network.layers["squash1"]) == "Tanh(1.7159, 0.6667)"
    assert isinstance(network.last_layer, PenaltyLoss)
    for name, fan_in in (("c1", 25), ("c5", 400), ("f6", 120)):
        W = network.layers[name].W
        assert np.abs(W).max() <= 2.4 / fan_in and np.abs(W).max() > 2.3 / fan_in
    assert (network.layers["s2"].coefficient == 0.25).all()


def test_the_c3_table_is_the_papers():
    """Table I: six maps see 3 neighbours, six see 4 neighbours, three see 4 apart, one sees all."""
    assert [len(row) for row in C3_TABLE] == [3] * 6 + [4] * 9 + [6]
    assert np.bincount(np.concatenate(C3_TABLE)).tolist() == [10] * 6
    runs = [
        {tuple(sorted((first + i) % 6 for i in range(len(row)))) for first in range(6)} for row in C3_TABLE
    ]
    assert [row in run for row, run in zip(C3_TABLE, runs, strict=True)] == [True] * 12 + [False] * 3 + [True]
    assert len(set(C3_TABLE)) == 16


def test_the_codes_are_ten_different_bitmaps_of_ink_and_paper():
    assert CODES.shape == (10, 84) and set(np.unique(CODES)) == {-1, 1}
    assert min(((a - b) ** 2).sum() for i, a in enumerate(CODES) for b in CODES[:i]) >= 4 * 8


def test_lenet5_predicts_the_smallest_penalty():
    network = LeNet5(rng=0)
    x, _ = images(network)
    penalties = network.layers.forward(x.astype(np.float32))
    np.testing.assert_array_equal(network.predict(x), -penalties)


def test_lenet5_weights_without_a_connection_stay_0():
    network, optimizer = LeNet5(rng=0), Momentum(0.01)
    x, t = images(network, 10)
    before = network.params["c3.W"].copy()
    for _ in range(3):
        optimizer.update(network.params, network.gradient(x, t))
    c3 = network.layers["c3"]
    assert (c3.W[~c3.connections] == 0).all() and (~c3.connections).sum() == 36
    assert (c3.W[c3.connections] != before[c3.connections]).mean() > 0.9


@pytest.mark.parametrize("size", [0, 11])
def test_lenet5_has_codes_for_ten_classes(size):
    with pytest.raises(
        ValueError, match=rf"output_size must lie in 1..10, for which there are codes; got {size}"
    ):
        LeNet5(output_size=size)


# -- AlexNet --------------------------------------------------------------------------------------
ALEXNET = {
    "conv1": (96, 3, 11, 11),
    "conv2": (256, 48, 5, 5),
    "conv3": (384, 256, 3, 3),
    "conv4": (384, 192, 3, 3),
    "conv5": (256, 192, 3, 3),
    "fc6": (9216, 4096),
    "fc7": (4096, 4096),
    "fc8": (4096, 1000),
}


@pytest.fixture(scope="module")
def alexnet():
    return AlexNet(rng=0)


def test_alexnet_has_the_papers_parameters(alexnet):
    assert alexnet.num_params == 60_965_224
    assert {name: alexnet.params[f"{name}.W"].shape for name in ALEXNET} == ALEXNET


def test_alexnet_constants(alexnet):
    """Krizhevsky et al. 2012, sections 3 to 5."""
    layers = alexnet.layers
    for name in ("lrn1", "lrn2"):
        lrn = layers[name]
        assert (lrn.size, lrn.k, lrn.alpha, lrn.beta, lrn.paper_alpha) == (5, 2, 1e-4, 0.75, True)
    for name in ("pool1", "pool2", "pool5"):
        pool = layers[name]
        assert (pool.mode, pool.pool_h, pool.pool_w, pool.stride, pool.pad) == ("max", 3, 3, (2, 2), (0, 0))
    assert layers["dropout6"].dropout_ratio == layers["dropout7"].dropout_ratio == 0.5
    assert [layers[f"conv{i}"].groups for i in range(1, 6)] == [1, 2, 1, 2, 2]
    assert (
        layers["conv1"].stride == (4, 4) and layers["conv2"].pad == (2, 2) and layers["conv3"].pad == (1, 1)
    )


def test_alexnet_is_initialised_as_the_paper_says(alexnet):
    ones = {name for name in ALEXNET if (alexnet.params[f"{name}.b"] == 1).all()}
    assert ones == {"conv2", "conv4", "conv5", "fc6", "fc7"}
    assert all((alexnet.params[f"{name}.b"] == 0).all() for name in set(ALEXNET) - ones)
    for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc8"):
        W = alexnet.params[f"{name}.W"]
        assert abs(W.mean()) < 2e-4 and abs(W.std() - 0.01) < 2e-4


def test_alexnet_has_a_generator_for_each_dropout(alexnet):
    first, second = alexnet.rngs().values()
    assert list(alexnet.rngs()) == ["dropout6", "dropout7"]
    assert first.bit_generator.state != second.bit_generator.state


def test_alexnet_of_one_group():
    network = AlexNet((3, 67, 67), 10, groups=1, rng=0)
    shapes = {name: network.params[f"{name}.W"].shape for name in ("conv2", "conv4", "conv5", "fc6")}
    assert shapes == {
        "conv2": (256, 96, 5, 5),
        "conv4": (384, 384, 3, 3),
        "conv5": (256, 384, 3, 3),
        "fc6": (256, 4096),
    }


# -- the common face ------------------------------------------------------------------------------
@pytest.mark.parametrize("name", SMALL)
def test_the_same_seed_gives_the_same_network(name):
    first, second, other = (NETWORKS[name](rng=seed) for seed in (1, 1, 2))
    assert all((first.params[key] == second.params[key]).all() for key in first.params)
    assert any((first.params[key] != other.params[key]).any() for key in first.params)
    assert first.dtype == np.float32 and NETWORKS[name](rng=1, dtype=np.float64).dtype == np.float64


@pytest.mark.parametrize("name", SMALL)
def test_gradients_are_numerical_ones(name):
    network = NETWORKS[name](rng=0).astype(np.float64)
    x, t = images(network)
    grads = network.gradient(x, t)
    assert list(grads) == list(network.params)
    where = {"c3.W": network.layers["c3"].connections[:, :, None, None]} if name == "lenet5" else {}
    for key, array in network.params.items():
        mask = where.get(key, True)
        assert check_gradient(lambda _: network.loss(x, t), array, grads[key], directions=2, where=mask), key
    assert check_gradient(lambda _: network.loss(x, t), x, network.dx, directions=2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", SMALL)
def test_the_dtype_is_kept_everywhere(name, dtype):
    network = NETWORKS[name](rng=0, dtype=dtype)
    x, t = images(network)
    grads = network.gradient(x.astype(np.float32), t)
    assert network.predict(x).dtype == network.loss(x, t).dtype == network.dx.dtype == dtype
    assert {g.dtype for g in grads.values()} == {np.dtype(dtype)}


def test_integer_images_are_converted_and_left_alone():
    network = LeNet(rng=0)
    x = np.arange(784, dtype=np.uint8).reshape(1, 1, 28, 28)
    with pytest.warns(PixelRangeWarning):
        np.testing.assert_array_equal(network.predict(x), network.predict(x.astype(np.float64)))
    assert x.dtype == np.uint8


def test_one_hot_labels_give_the_same_loss_and_accuracy():
    network = tiny(dropout=0)
    assert network.loss(X, T) == pytest.approx(network.loss(X, np.eye(4)[T]), rel=1e-14)
    assert network.accuracy(X, T) == network.accuracy(X, np.eye(4)[T]) == network.accuracy(X, T[:, None])


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, "3"])
def test_accuracy_names_a_batch_size_that_is_no_count(batch_size):
    network = SimpleConvNet(X.shape[1:], output_size=4, conv_param={"filter_size": 3})
    with pytest.raises((TypeError, ValueError), match="accuracy: batch_size must be"):
        network.accuracy(X, T, batch_size)


@pytest.mark.parametrize("batch_size", [1, 4, 6, 100])
def test_accuracy_counts_the_last_smaller_batch(batch_size):
    network = tiny()
    labels = network.predict(X).argmax(axis=1)
    labels[5] = (labels[5] + 1) % 4
    assert network.accuracy(X, labels, batch_size) == 5 / 6


# -- train, eval and what a prediction leaves behind ------------------------------------------------
def test_predict_infers_and_loss_trains_unless_told_otherwise():
    network = tiny()
    np.testing.assert_array_equal(network.predict(X), network.predict(X))
    assert network.loss(X, T) != network.loss(X, T)  # dropout, and running statistics that move
    mean = network.buffers["bn.running_mean"].copy()
    assert network.eval().loss(X, T) == network.loss(X, T)
    np.testing.assert_array_equal(network.buffers["bn.running_mean"], mean)
    assert network.train().layers["drop"].training
    assert not np.array_equal(network.predict(X, train_flg=True), network.predict(X, train_flg=True))


@pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
def test_predict_restores_the_mode_even_when_it_fails(mode):
    network = tiny().train(mode)
    network.predict(X)
    with pytest.raises(TypeError), network.inference():
        raise TypeError
    assert all(layer.training is mode and layer.recording for _, layer in network.layers.leaves())


def test_a_prediction_between_forward_and_backward_does_no_harm():
    network, undisturbed = tiny(), tiny()
    expected = undisturbed.gradient(X, T)
    network.loss(X, T)
    network.predict(X[:2] + 5)
    network.accuracy(X + 3, T)
    network.layers.backward(network.last_layer.backward())
    for key, grad in network.layers.grads.items():
        np.testing.assert_array_equal(grad, expected[key])


def test_x_may_be_overwritten_after_loss():
    network, undisturbed, x = tiny(), tiny(), X.copy()
    expected = undisturbed.gradient(X, T)
    network.loss(x, T)
    x[...] = np.nan
    network.layers.backward(network.last_layer.backward())
    np.testing.assert_array_equal(network.layers.grads["conv.W"], expected["conv.W"])


def test_gradient_leaves_x_labels_and_parameters_alone():
    network, x, t = tiny(), X.copy(), T.copy()
    before = {key: p.copy() for key, p in network.params.items()}
    network.gradient(x, t)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(t, T)
    for key, p in network.params.items():
        np.testing.assert_array_equal(p, before[key])


# -- parameters and copies ------------------------------------------------------------------------
def test_writing_params_changes_the_layer():
    network = SimpleConvNet(rng=0)
    network.params["b1"] = np.full(30, 7.0)
    network.params["W1"] *= 0
    assert (network.layers["Conv1"].b == 7).all() and not network.layers["Conv1"].W.any()
    with pytest.raises(ValueError, match=r"W1: expected shape \(30, 1, 5, 5\), got \(5, 5\)"):
        network.params["W1"] = np.ones((5, 5))
    with pytest.raises(KeyError, match="no array named 'W4'; there are W1, b1, W2, b2, W3, b3"):
        network.params["W4"] = np.ones(3)


def test_astype_shares_nothing():
    network = tiny()
    for dtype in (np.float32, np.float64):
        other = network.astype(dtype)
        other.params["conv.W"][...] = other.buffers["bn.running_mean"][...] = 5
        assert (other.layers["conv"].W == 5).all() and other.layers["conv"].W.dtype == dtype
    assert (network.params["conv.W"] == draw(3, 2, 3, 3)).all() and not network.buffers[
        "bn.running_mean"
    ].any()


def test_astype_keeps_the_generators_state_but_not_the_generator():
    network = tiny()
    network.loss(X, T)
    other = network.astype(np.float64)
    assert network.loss(X, T) == other.loss(X, T)
    assert network.rngs()["drop"] is not other.rngs()["drop"] and list(network.rngs()) == ["drop"]


def test_a_deep_copy_shares_inside_and_not_with_the_original():
    network = SimpleConvNet(rng=0)
    other = copy.deepcopy(network)
    other.params["W1"][...] = 3
    assert other.layers["Conv1"].W is other.params["W1"]
    assert (other.layers["Conv1"].W == 3).all() and not (network.params["W1"] == 3).any()
    other.layers["Conv1"].W = np.zeros((30, 1, 5, 5))
    assert not other.params["W1"].any()


def test_numerical_gradient_repeats_the_masks_of_the_next_gradient():
    network = Network(
        (1, 2, 3), 2, Sequential({"drop": Dropout(0.5, rng=1), "fc": Affine(draw(6, 2), draw(2))})
    )
    x, t = draw(4, 1, 2, 3), np.array([0, 1, 1, 0])
    numerical = network.numerical_gradient(x, t)
    for key, grad in network.gradient(x, t).items():
        np.testing.assert_allclose(grad, numerical[key], atol=1e-8)


# -- refusals -------------------------------------------------------------------------------------
WRONG_IMAGES = {
    "(N, H, W, C)": (
        (3, 4, 5, 2),
        r"Network: expected x of shape \(N, 2, 4, 5\), got \(3, 4, 5, 2\)\. Is it \(N, H, W, C\)\?",
    ),
    "one image": ((2, 4, 5), r"expected x of shape \(N, 2, 4, 5\), got \(2, 4, 5\)\.$"),
    "other size": ((3, 2, 5, 4), r"got \(3, 2, 5, 4\)\.$"),
    "flat": ((3, 40), r"got \(3, 40\)\. x\.reshape\(-1, 2, 4, 5\) makes it so\.$"),
}


@pytest.mark.parametrize(("shape", "text"), WRONG_IMAGES.values(), ids=WRONG_IMAGES)
def test_wrong_images_are_refused(shape, text):
    for call in (
        lambda x: tiny().predict(x),
        lambda x: tiny().loss(x, T[:3]),
        lambda x: tiny().gradient(x, T[:3]),
    ):
        with pytest.raises(ValueError, match=text):
            call(np.zeros(shape))


def test_accuracy_refuses_other_numbers_of_labels():
    for x, t in ((X, T[:3]), (X[:0], T[:0]), (X, np.eye(3)[T % 3])):
        with pytest.raises(
            ValueError, match=r"accuracy: expected (as many labels as images and at least one|labels)"
        ):
            tiny().accuracy(x, t)


def test_conv_param_and_weight_init_std_are_checked():
    with pytest.raises(ValueError, match=r"conv_param has no \['filters'\]; it takes \['filter_num', "):
        SimpleConvNet(conv_param={"filters": 3})
    with pytest.raises(ValueError, match="""weight_init_std must be a number, "he" or "xavier", got 'big'"""):
        SimpleConvNet(weight_init_std="big")
    with pytest.raises(ValueError, match=r"a window of 5 does not fit into an input of 3; .* at least 6x6"):
        SimpleConvNet((1, 3, 3))


@pytest.mark.parametrize("kind", [SimpleConvNet, LeNet, LeNet5])
def test_an_input_dim_of_two_numbers_is_refused(kind):
    with pytest.raises(ValueError, match=r"input_dim must be \(C, H, W\).* got \(28, 28\); .* \(1, 28, 28\)"):
        kind((28, 28))


@pytest.mark.parametrize(
    ("name", "size", "layer", "least"),
    [
        ("lenet", 1, "pool1", 12),
        ("lenet", 9, "conv2", 12),
        ("lenet5", 20, "c5", 28),
        ("alexnet_torchvision", 32, "pool5", 63),
    ],
)
def test_images_that_are_too_small_are_refused_with_the_layer_and_the_size(name, size, layer, least):
    with pytest.raises(ValueError, match=rf"^{layer} .* images must be at least {least}x{least}$"):
        NETWORKS[name](input_dim=(1, size, size), rng=0)
    NETWORKS[name](input_dim=(1, least, least), rng=0)
    with pytest.raises(ValueError, match="at least"):
        NETWORKS[name](input_dim=(1, least - 1, least - 1), rng=0)


def test_param_names_must_name_every_parameter():
    class Misnamed(Network):
        param_names = {"W": "fc.W"}  # noqa: RUF012

    with pytest.raises(ValueError, match=r"param_names must name each of \['fc.W', 'fc.b'\] once"):
        Misnamed((1, 2, 3), 2, Sequential({"fc": Affine(draw(6, 2), draw(2))}))


@pytest.mark.parametrize(
    ("name", "near"), [("LeNet", "lenet"), ("resnet-50", "resnet50"), ("vgg16bn", "vgg16_bn")]
)
def test_a_name_that_is_not_there_gets_the_nearest_one(name, near):
    with pytest.raises(KeyError) as caught:
        NETWORKS[name]
    assert str(caught.value).startswith(f"there is no network {name!r}; there are simple_conv_net, lenet, ")
    assert str(caught.value).endswith(f", resnet101; did you mean {near}?")
    assert NETWORKS.get(name) is None and name not in NETWORKS


@pytest.mark.parametrize(
    "wrong",
    [
        {"output_size": "10"},
        {"output_size": 2.0},
        {"output_size": 0},
        {"hidden_size": "a"},
        {"conv_param": 3},
    ],
)
def test_a_size_that_is_no_count_is_named(wrong):
    (name,) = wrong
    with pytest.raises((TypeError, ValueError), match=f"{name} must be"):
        SimpleConvNet(**wrong)


@pytest.mark.parametrize("name", [n for n in NETWORKS if n != "simple_conv_net"])
def test_a_number_of_classes_as_text_is_named(name):
    with pytest.raises(TypeError, match="output_size must be a whole number, got '10'"):
        NETWORKS[name](output_size="10")
