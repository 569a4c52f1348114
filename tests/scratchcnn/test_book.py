"""The snippets of chapter 7 (and of common/) as the book has them, on our package."""
# ruff: noqa: NPY002  (the book draws from numpy's global generator)

import numpy as np
import pytest

from scratchcnn import Affine, Convolution, Pooling, Relu, SimpleConvNet, SoftmaxWithLoss, Trainer, im2col
from scratchcnn.optim import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSProp


@pytest.fixture(autouse=True)
def seed():
    np.random.seed(0)


def small(weight_init_std=0.01, rng=None):
    return SimpleConvNet(
        input_dim=(1, 10, 10),
        conv_param={"filter_num": 10, "filter_size": 3, "pad": 0, "stride": 1},
        hidden_size=10,
        output_size=10,
        weight_init_std=weight_init_std,
        rng=rng,
    )


def test_7_4_1_a_four_dimensional_array():
    x, network = np.random.rand(10, 1, 28, 28), SimpleConvNet(rng=0)
    y = network.predict(x)
    assert y.shape == (10, 10)
    np.testing.assert_allclose(network.predict(x[3:4]), y[3:4], rtol=1e-4, atol=1e-7)
    with pytest.raises(ValueError, match=r"expected x of shape \(N, 1, 28, 28\), got \(1, 28, 28\)"):
        network.predict(x[0])


def test_7_4_3_im2col():
    x1 = np.random.rand(1, 3, 7, 7)
    col1 = im2col(x1, 5, 5, stride=1, pad=0)
    assert col1.shape == (9, 75)
    x2 = np.random.rand(10, 3, 7, 7)
    col2 = im2col(x2, 5, 5, stride=1, pad=0)
    assert col2.shape == (90, 75)


def test_7_4_3_convolution():
    W, b = np.random.randn(30, 3, 5, 5), np.zeros(30)
    conv = Convolution(W, b, stride=1, pad=0)
    x = np.random.rand(2, 3, 7, 7)
    out = conv.forward(x)
    assert out.shape == (2, 30, 3, 3)
    np.testing.assert_allclose(out[1, 7, 2, 0], (x[1, :, 2:7, 0:5] * W[7]).sum())
    dx = conv.backward(np.ones_like(out))
    assert dx.shape == x.shape and conv.dW.shape == W.shape
    np.testing.assert_array_equal(conv.db, 2 * 9)
    assert conv.W is W and conv.b is b and conv.stride == (1, 1) and conv.pad == (0, 0)


def test_7_4_4_pooling():
    pool = Pooling(2, 2, 2)
    x = np.random.rand(10, 3, 4, 6)
    out = pool.forward(x)
    assert out.shape == (10, 3, 2, 3)
    assert out[4, 2, 1, 2] == x[4, 2, 2:4, 4:6].max()
    assert (pool.backward(np.ones_like(out)) != 0).sum() == out.size


def test_figure_7_14_max_pooling():
    x = np.array([[1.0, 2, 1, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 4, 0, 1]])
    np.testing.assert_array_equal(Pooling(2, 2, stride=2).forward(x[None, None])[0, 0], [[2, 3], [4, 2]])


def test_figure_7_4_convolution_and_bias():
    x = np.array([[1.0, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]])
    W = np.array([[2.0, 0, 1], [0, 1, 2], [1, 0, 2]])
    out = Convolution(W[None, None], np.array([3.0])).forward(x[None, None])
    np.testing.assert_array_equal(out[0, 0], [[18, 19], [9, 18]])


def test_7_5_simple_conv_net():
    network = SimpleConvNet(
        input_dim=(1, 28, 28),
        conv_param={"filter_num": 30, "filter_size": 5, "pad": 0, "stride": 1},
        hidden_size=100,
        output_size=10,
        weight_init_std=0.01,
    )
    shapes = {key: p.shape for key, p in network.params.items()}
    assert shapes == {
        "W1": (30, 1, 5, 5),
        "b1": (30,),
        "W2": (4320, 100),
        "b2": (100,),
        "W3": (100, 10),
        "b3": (10,),
    }
    assert list(network.layers.keys()) == ["Conv1", "Relu1", "Pool1", "Affine1", "Relu2", "Affine2"]
    assert isinstance(network.last_layer, SoftmaxWithLoss)
    assert sum(p.size for p in network.params.values()) == 433_890
    assert SimpleConvNet(rng=0).params["W1"].std() == pytest.approx(0.01, rel=0.1)


def test_7_5_predict_loss_gradient_accuracy():
    network = small()
    x, t = np.random.rand(5, 1, 10, 10), np.random.randint(0, 10, 5)
    y = x.astype(np.float32)
    for layer in network.layers.values():
        y = layer.forward(y)
    np.testing.assert_array_equal(network.predict(x), y)
    assert network.loss(x, t) == pytest.approx(np.log(10), rel=0.01)
    assert network.last_layer.y.shape == (5, 10)

    # the book's gradient, written out
    dout = network.last_layer.backward(1)
    for layer in reversed(list(network.layers.values())):
        dout = layer.backward(dout)
    grads = {"W1": network.layers["Conv1"].dW, "b1": network.layers["Conv1"].db}
    grads |= {"W2": network.layers["Affine1"].dW, "b2": network.layers["Affine1"].db}
    grads |= {"W3": network.layers["Affine2"].dW, "b3": network.layers["Affine2"].db}
    ours = network.gradient(x, t)
    assert list(ours) == list(network.params)
    for key, grad in grads.items():
        np.testing.assert_array_equal(ours[key], grad)
    assert network.accuracy(x, t) == (y.argmax(axis=1) == t).mean()


def test_gradient_check():
    network = small(rng=0)
    X = np.random.rand(100).reshape((1, 1, 10, 10))
    T = np.array([1]).reshape((1, 1))

    grad_num = network.numerical_gradient(X, T)
    grad = network.gradient(X, T)

    assert list(grad_num) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    for key, val in grad_num.items():
        assert val.shape == grad[key].shape
        assert np.abs(grad_num[key] - grad[key]).mean() < 1e-8, key
        assert np.abs(val).max() > 0, key


@pytest.mark.parametrize("scale", [1.0, 0.99], ids=["right", "off by a percent"])
def test_gradient_check_tells_right_from_wrong(scale):
    network = SimpleConvNet(
        (1, 6, 6), {"filter_num": 2, "filter_size": 3}, 4, 3, 0.5, rng=0, dtype=np.float64
    )
    x, t = np.random.rand(2, 1, 6, 6), np.array([1, 2])
    numerical, grads = network.numerical_gradient(x, t), network.gradient(x, t)
    far = [key for key in grads if np.abs(numerical[key] - scale * grads[key]).max() > 1e-7]
    assert far == ([] if scale == 1 else list(grads))


OPTIMIZERS = [SGD, Momentum, Nesterov, AdaGrad, Adam, RMSProp]


@pytest.mark.parametrize("make", OPTIMIZERS, ids=lambda m: m.__name__)
def test_6_1_optimizers_update_in_place_and_bring_the_loss_down(make):
    network, optimizer = small("he", rng=0), make(lr=0.01)
    x, t = np.random.rand(20, 1, 10, 10), np.arange(20) % 10
    arrays, first = dict(network.params), network.loss(x, t)
    for _ in range(30):
        grads = network.gradient(x, t)
        optimizer.update(network.params, grads)
    assert network.loss(x, t) < 0.95 * first
    assert all(network.params[key] is array for key, array in arrays.items())
    assert network.layers["Conv1"].W is network.params["W1"]


def test_7_5_the_book_trains_by_name():
    x, t = np.random.rand(30, 1, 10, 10).astype(np.float32), np.arange(30) % 10
    network = small()
    trainer = Trainer(
        network,
        x,
        t,
        x[:10],
        t[:10],
        epochs=2,
        mini_batch_size=10,
        optimizer="Adam",
        optimizer_param={"lr": 0.001},
        evaluate_sample_num_per_epoch=10,
    )
    before = network.params["W1"].copy()
    trainer.train()
    assert len(trainer.train_loss_list) == 6 and len(trainer.test_acc_list) == 2
    assert (network.params["W1"] != before).any()


def test_common_layers_two_layer_net():
    """Chapter 5's network from the same layers."""
    W1, W2 = 0.1 * np.random.randn(4, 5), 0.1 * np.random.randn(5, 3)
    layers = [Affine(W1, np.zeros(5)), Relu(), Affine(W2, np.zeros(3))]
    last, x, t = SoftmaxWithLoss(), np.random.rand(6, 4), np.arange(6) % 3
    losses = []
    for _ in range(20):
        out = x
        for layer in layers:
            out = layer.forward(out)
        losses.append(last.forward(out, t))
        dout = last.backward(1)
        for layer in reversed(layers):
            dout = layer.backward(dout)
        for layer in (layers[0], layers[2]):
            layer.W -= 0.5 * layer.dW
            layer.b -= 0.5 * layer.db
    assert losses[-1] < losses[0] and layers[0].W is W1
