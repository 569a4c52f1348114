"""What `predict` runs on the fast rung is what the textbook's layers give, whatever follows a convolution."""

import numpy as np
import pytest
from helpers import close

import scratchcnn as sc
from scratchcnn import fast
from scratchcnn.fast import batch_split, convolution, inference
from scratchcnn.layers import (
    BatchNormalization,
    Concat,
    Convolution,
    Flatten,
    Pooling,
    Relu,
    Residual,
    Sequential,
)
from scratchcnn.networks import Network

C = 4


@pytest.fixture
def team(threads, monkeypatch):
    monkeypatch.setattr(batch_split, "MIN_SPLIT_ELEMENTS", 1)
    return threads


@pytest.fixture
def finished(monkeypatch):
    """How often a convolution finished its own output."""
    calls, forward = [], convolution.forward_finished
    monkeypatch.setattr(
        convolution, "forward_finished", lambda *given: calls.append(given) or forward(*given)
    )
    return calls


def rng(seed=0):
    return np.random.default_rng(seed)


def conv(seed, FN=C, size=3, bias=False, channels=C, **options):
    W = rng(seed).standard_normal((FN, channels, size, size)) / 4
    return Convolution(W, rng(seed + 50).standard_normal(FN) if bias else None, pad=size // 2, **options)


def norm(seed, channels=C):
    r = rng(seed)
    return BatchNormalization(
        r.uniform(-1, 2, channels),
        r.standard_normal(channels),
        running_mean=r.standard_normal(channels),
        running_var=r.uniform(0.1, 3, channels),
    )


LAYERS = {
    "norm and relu": lambda: [conv(1), norm(2), Relu()],
    "norm alone": lambda: [conv(1), norm(2)],
    "bias": lambda: [conv(1, bias=True), Relu(), conv(2, bias=True), norm(3), Relu()],
    "groups and stride": lambda: [conv(1, groups=2, channels=2, stride=2), norm(2), Relu()],
    "identity": lambda: [Residual(Sequential(conv(1), norm(2), Relu(), conv(3), norm(4))), Relu()],
    "shortcut": lambda: [
        Residual(
            Sequential(conv(1, stride=2), norm(2), Relu(), conv(3), norm(4)),
            Sequential(conv(5, size=1, stride=2), norm(6)),
        ),
        Relu(),
    ],
    "no relu after the sum": lambda: [Residual(Sequential(conv(1), norm(2))), Pooling(2, 2, stride=2)],
    "relu before the sum": lambda: [Residual(Sequential(conv(1), norm(2), Relu()))],
    "relu before the sum and after": lambda: [Residual(Sequential(conv(1), norm(2), Relu())), Relu()],
    "no norm in the body": lambda: [Residual(conv(1)), Relu()],
    "a body without convolution": lambda: [Residual(Sequential(Relu())), Relu(), conv(1)],
    "block in block": lambda: [Residual(Residual(Sequential(conv(1), norm(2)))), Relu()],
    "norm first": lambda: [norm(1), Relu(), conv(2), Relu(), norm(3)],
    "two norms": lambda: [conv(1), norm(2), norm(3), Relu(), Relu()],
    "branches": lambda: [
        Concat(
            {
                "a": Sequential(conv(1), norm(2), Relu()),
                "b": Sequential(Pooling(3, 3, stride=1, pad=1), conv(3, FN=2, size=1, bias=True), Relu()),
                "c": conv(4),
            }
        ),
        Relu(),
    ],
    "an empty row": lambda: [conv(1), Sequential(), Residual(Sequential()), Relu()],
}


def network_of(layers):
    return Network((C, 6, 5), 1, Sequential(*layers, Flatten()))


def images(N=3):
    return rng(9).standard_normal((N, C, 6, 5))


def textbook(network, x):
    with fast.textbook():
        return network.predict(x)


@pytest.mark.filterwarnings("ignore::scratchcnn.pixel_range.PixelRangeWarning")
@pytest.mark.parametrize("N", [1, 3])
@pytest.mark.parametrize("name", LAYERS)
def test_a_prediction_is_the_textbooks(name, N, team):
    network = network_of(LAYERS[name]())
    close(network.predict(images(N)), textbook(network, images(N)))
    assert all(layer._memory is None for _, layer in network.layers.leaves())
    assert network.layers.training and network.layers.recording


@pytest.mark.filterwarnings("ignore::scratchcnn.pixel_range.PixelRangeWarning")
def test_a_large_output_is_finished_block_by_block(team, monkeypatch, finished):
    monkeypatch.setattr(convolution, "FINISH_NUMBERS", 16)
    monkeypatch.setattr(convolution, "FINISH_COLUMNS", 7)
    network = network_of(LAYERS["shortcut"]())
    close(network.predict(images()), textbook(network, images()))
    assert len(finished) == 3 * team


@pytest.mark.parametrize("depth", [18, 50])
def test_a_resnet_finishes_every_convolution(depth, team, finished):
    network = sc.ResNet(depth, (3, 32, 32), 10, width=4, rng=0, dtype=np.float64)
    for name, buffer in network.buffers.items():
        buffer[...] = rng(len(name)).uniform(0.5, 2, buffer.shape)
    x = rng().random((2, 3, 32, 32))
    close(network.predict(x), textbook(network, x))
    convolutions = sum(isinstance(layer, Convolution) for _, layer in network.layers.leaves())
    assert len(finished) == convolutions * team


@pytest.mark.filterwarnings("ignore::scratchcnn.pixel_range.PixelRangeWarning")
def test_what_is_written_into_an_array_counts_at_the_next_call(team):
    network = network_of(LAYERS["identity"]())
    network.predict(images())
    for array in (*network.params.values(), *network.buffers.values()):
        array *= 1.5
    close(network.predict(images()), textbook(network, images()))


@pytest.mark.filterwarnings("ignore::scratchcnn.pixel_range.PixelRangeWarning")
def test_a_layer_that_was_changed_is_asked(team, monkeypatch):
    class Doubled(BatchNormalization):
        def forward(self, x):
            return 2 * super().forward(x)

    network = network_of(LAYERS["norm alone"]())
    wanted = 2 * network.predict(images())
    layer = network.layers["1"]
    layer.__class__ = Doubled
    close(network.predict(images()), wanted)
    layer.__class__ = BatchNormalization
    layer.forward = lambda x: 2 * BatchNormalization.forward(layer, x)
    close(network.predict(images()), wanted)
    del layer.forward
    forward = BatchNormalization.forward
    monkeypatch.setattr(BatchNormalization, "forward", lambda self, x: 2 * forward(self, x))
    close(network.predict(images()), wanted)


@pytest.mark.filterwarnings("ignore::scratchcnn.pixel_range.PixelRangeWarning")
@pytest.mark.parametrize(
    "layers",
    [
        lambda: [Residual(Sequential(conv(1, FN=3), norm(2, 3)))],
        lambda: [Residual(conv(1), Pooling(2, 2, stride=2)), Relu()],
        lambda: [Concat({"a": conv(1), "b": conv(2, stride=2)})],
        lambda: [conv(1), norm(2, 3)],
    ],
)
def test_what_does_not_fit_is_said_as_in_the_textbook(layers, team):
    network = network_of(layers())
    with pytest.raises(ValueError) as wanted:
        textbook(network, images(1))
    with pytest.raises(ValueError) as found:
        network.predict(images(1))
    assert str(found.value) == str(wanted.value)


@pytest.mark.filterwarnings("ignore::scratchcnn.pixel_range.PixelRangeWarning")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_nan_and_infinities_pass(team):
    network, x = network_of(LAYERS["identity"]()), images()
    x[1, 0, 2, 2], x[2, 1, 0, 0] = np.nan, np.inf
    found, wanted = network.predict(x), textbook(network, x)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    assert np.isnan(wanted[1:]).any() and not np.isnan(found[0]).any()


def test_the_scale_and_shift_of_a_bias():
    layer, b, x = norm(1).eval(), rng(2).standard_normal(C), rng(3).standard_normal((2, C))
    scale, shift = inference.scale_and_shift(layer, b)
    close(scale * x + shift, layer.forward(x + b))
