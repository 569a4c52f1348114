"""A network as an ONNX file: checked by onnx, run by ONNX Runtime, the same scores as `predict`."""

import sys
from functools import partial

import helpers
import numpy as np
import onnx
import onnxruntime
import pytest

import scratchcnn as sc
from scratchcnn.onnx_export import onnx_model
from scratchcnn.onnx_rules import averages

draw = partial(helpers.draw, dtype=np.float32)
close = partial(helpers.close, tolerance=1e-5)


def run(model, x, t=None):
    """scores, and with labels the loss, by ONNX Runtime."""
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x} if t is None else {"x": x, "t": t})


def batch_norm(C):
    statistics = {"running_mean": draw(C, seed=1), "running_var": np.abs(draw(C, seed=2)) + 0.5}
    return sc.BatchNormalization(draw(C), draw(C, seed=3), eps=1e-3, **statistics)


LAYERS = {  # layer: the shape of one image
    "convolution": (sc.Convolution(draw(4, 3, 3, 2), draw(4), (2, 1), (1, 2)), (3, 9, 8)),
    "convolution, no bias": (sc.Convolution(draw(4, 3, 3, 3)), (3, 9, 8)),
    "convolution, groups and dilation": (
        sc.Convolution(draw(6, 2, 3, 2), draw(6), 2, (2, 1), (2, 3), 3),
        (6, 11, 10),
    ),
    "partial convolution": (
        sc.PartialConvolution(draw(2, 3, 3, 3), draw(2), [[1, 1, 0], [0, 1, 1]]),
        (3, 7, 6),
    ),
    "affine of images": (sc.Affine(draw(24, 5), draw(5)), (2, 3, 4)),
    "affine, no bias": (sc.Affine(draw(24, 5)), (24,)),
    "flatten": (sc.Flatten(), (2, 3, 4)),
    "adaptive average that divides": (sc.AdaptiveAveragePooling(2, 3), (2, 8, 9)),
    "adaptive average of unequal windows": (sc.AdaptiveAveragePooling(3, 4), (2, 8, 9)),
    "adaptive average that repeats": (sc.AdaptiveAveragePooling(5, 4), (2, 3, 9)),
    "dilated maxima": (sc.Pooling(2, 3, 2, 1, ceil_mode=True, dilation=(3, 2)), (2, 10, 9)),
    "dilated minima": (sc.Pooling(2, 2, 1, mode="min", dilation=2), (2, 7, 6)),
    "divisor of one's own": (
        sc.Pooling(3, 2, 2, 1, "average", True, divisor_override=5),
        (2, 8, 8),
    ),
    "uneven zeros": (sc.Pad(((1, 2), (0, 3))), (3, 4, 5)),
    "a reflected border": (sc.Pad((1, 2), "reflect"), (3, 4, 5)),
    "a repeated border": (sc.Pad(2, "replicate"), (3, 4, 5)),
    "global average": (sc.GlobalAveragePooling(), (3, 5, 4)),
    "subsampling": (sc.Subsampling(draw(3), draw(3), 2), (3, 7, 6)),
    "rbf": (sc.RBF(draw(5, 8)), (8,)),
    "relu": (sc.Relu(), (3, 4, 5)),
    "sigmoid": (sc.Sigmoid(), (3, 4, 5)),
    "tanh": (sc.Tanh(), (3, 4, 5)),
    "lenet5's tanh": (sc.Tanh(1.7159, 2 / 3), (3, 4, 5)),
    "silu": (sc.SiLU(), (3, 4, 5)),
    "leaky relu": (sc.LeakyRelu(0.1), (3, 4, 5)),
    "elu": (sc.ELU(), (3, 4, 5)),
    "selu": (sc.SELU(), (3, 4, 5)),
    "softplus": (sc.Softplus(), (3, 4, 5)),
    "gelu": (sc.GELU(), (3, 4, 5)),
    "gelu, tanh": (sc.GELU("tanh"), (3, 4, 5)),
    "relu6": (sc.Relu6(), (3, 4, 5)),
    "softsign": (sc.Softsign(), (3, 4, 5)),
    "identity": (sc.Identity(), (3, 4, 5)),
    "elu, alpha 0.3": (sc.ELU(0.3), (3, 4, 5)),
    "softmax": (sc.Softmax(), (6,)),
    "softmax of images": (sc.Softmax(), (6, 2, 3)),
    "softmax along the width": (sc.Softmax(3), (6, 2, 3)),
    "the last axis": (sc.Linear(draw(5, 3), draw(3)), (3, 4, 5)),
    "the last axis, no bias": (sc.Linear(draw(5, 3)), (3, 4, 5)),
    "lrn": (sc.LocalResponseNormalization(5, 0.5, 0.75, 2.0), (7, 4, 5)),
    "lrn, the paper's alpha": (sc.LocalResponseNormalization(3, 0.5, 0.75, 2.0, True), (7, 4, 5)),
    "lrn, even window": (sc.LocalResponseNormalization(4, 0.5, 0.75, 2.0), (7, 4, 5)),
    "lrn, window larger than the channels": (sc.LocalResponseNormalization(6, 0.5), (3, 4, 5)),
    "batch normalization of images": (batch_norm(3), (3, 4, 5)),
    "batch normalization of vectors": (batch_norm(6), (6,)),
    "layer normalization of rows": (sc.LayerNorm(draw(6), draw(6), 1e-3), (6,)),
    "layer normalization of the width": (sc.LayerNorm(draw(5), draw(5)), (3, 4, 5)),
    "layer normalization of images": (sc.LayerNorm(draw(3, 4, 5), draw(3, 4, 5)), (3, 4, 5)),
    "layer normalization, no beta": (sc.LayerNorm(draw(5)), (3, 4, 5)),
    "layer normalization, no gamma": (sc.LayerNorm(), (3, 4, 5)),
    "dropout": (sc.Sequential(sc.Dropout(0.5), sc.Relu()), (3, 4, 5)),
    "concat": (sc.Concat({"a": sc.Relu(), "b": sc.Convolution(draw(2, 3, 1, 1))}), (3, 4, 5)),
    "residual": (sc.Residual(sc.Sigmoid()), (3, 4, 5)),
    "residual with a shortcut": (
        sc.Residual(sc.Convolution(draw(2, 3, 3, 3), None, 2, 1), sc.Convolution(draw(2, 3, 1, 1), None, 2)),
        (3, 5, 7),
    ),
    "side head": (sc.Sequential({"head": sc.SideHead({"fc": sc.Affine(draw(60, 3))}, 0.3)}), (3, 4, 5)),
}


class Plain(sc.Network):
    """Any layers in a row; the trained ones go along even if there are none."""

    def __init__(self, layer, shape):
        layers = sc.Sequential({"layer": layer})
        if not layers.params:
            layers.add("scale", sc.BatchNormalization(*np.ones((2, self.channels(layer, shape)), np.float32)))
        super().__init__(shape, 1, layers)

    @staticmethod
    def channels(layer, shape):
        return layer.eval().forward(np.ones((1, *shape), np.float32)).shape[1]

    def check_images(self, x):
        return x


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(name):
    layer, shape = LAYERS[name]
    network, x = Plain(layer, shape), draw(3, *shape)
    model = onnx_model(network)
    close(run(model, x)[0], network.predict(x))
    close(run(model, x[:1])[0], network.predict(x[:1]))  # any number of images


POOLINGS = [
    ({"pool_h": 2, "pool_w": 2, "stride": 2}, (2, 8, 7)),
    ({"pool_h": 3, "pool_w": 2, "stride": (2, 1), "pad": (1, 1)}, (2, 8, 7)),
    ({"pool_h": 3, "pool_w": 3, "stride": 2, "ceil_mode": True}, (2, 8, 7)),
    ({"pool_h": 3, "pool_w": 3, "stride": 2, "pad": 1, "ceil_mode": True}, (2, 6, 7)),
    ({"pool_h": 2, "pool_w": 2, "stride": 3, "pad": 1, "ceil_mode": True}, (2, 6, 8)),  # drops a last window
    ({"pool_h": 3, "pool_w": 3, "stride": 4}, (2, 9, 10)),  # gaps
]


@pytest.mark.parametrize("mode", ["max", "min", "average", "average of pixels"])
@pytest.mark.parametrize(("options", "shape"), POOLINGS)
def test_pooling(mode, options, shape):
    counts = {"count_include_pad": False} if mode == "average of pixels" else {}
    layer = sc.Pooling(**options, mode=mode.split()[0], **counts)
    network, x = Plain(layer, shape), draw(2, *shape) - 3  # a padding of 0 would win
    close(run(onnx_model(network), x)[0], network.predict(x))


NETWORKS = {
    "simple_conv_net": lambda: sc.SimpleConvNet(rng=1),
    "lenet": lambda: sc.LeNet(rng=1),
    "lenet5": lambda: sc.LeNet5(rng=1),
    "alexnet_torchvision": lambda: sc.TorchvisionAlexNet((3, 67, 63), 10, hidden_size=16, rng=1),
    "vgg11_bn": lambda: sc.VGG(11, True, (3, 48, 40), 10, width=8, hidden_size=16, rng=1),
    "googlenet": lambda: sc.GoogLeNet(False, True, (3, 127, 79), 10, width=8, hidden_size=16, rng=1),
    "googlenet_bn": lambda: sc.GoogLeNet(True, True, (3, 97, 110), 10, width=8, hidden_size=16, rng=1),
    "resnet18": lambda: sc.ResNet(18, (3, 61, 50), 10, width=8, rng=1),
    "resnet50": lambda: sc.ResNet(50, (3, 61, 50), 10, width=4, rng=1),
}


def settled(network):
    """The network after a step in training, so that running statistics are not 0 and 1."""
    network.loss(draw(3, *network.input_dim), np.array([0, 1, 2]))
    return network


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_and_its_loss(name):
    network = settled(NETWORKS[name]())
    x, t = draw(2, *network.input_dim), np.array([3, 7])
    scores, loss = run(onnx_model(network, loss=True), x, t)
    close(scores, network.predict(x))
    close(np.asarray(loss), np.asarray(network.eval().loss(x, t)))


def test_the_file(tmp_path):
    network = sc.LeNet(rng=0)
    sc.export_onnx(network, tmp_path / "lenet.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["lenet.onnx"]
    graph = onnx.load(tmp_path / "lenet.onnx").graph
    assert {weight.name for weight in graph.initializer} == set(network.params)
    assert [
        [d.dim_param or d.dim_value for d in port.type.tensor_type.shape.dim]
        for port in (*graph.input, *graph.output)
    ] == [["N", 1, 28, 28], ["N", 10]]
    assert (graph.input[0].name, graph.output[0].name, graph.name) == ("x", "scores", "LeNet")


def test_float64_is_float64_throughout():
    model = onnx_model(sc.LeNet(rng=0, dtype=np.float64), loss=True)
    onnx.checker.check_model(model, full_check=True)
    types = {weight.data_type for weight in model.graph.initializer}
    assert types == {onnx.TensorProto.DOUBLE}


def test_a_mode_is_left_as_it_was():
    network = NETWORKS["resnet18"]()
    before = {key: array.copy() for key, array in network.buffers.items()}
    onnx_model(network)
    assert network.layers.training and all(layer.training for _, layer in network.layers.leaves())
    assert all(np.array_equal(before[key], array) for key, array in network.buffers.items())


class Doubled(sc.Relu):
    def forward(self, x):
        return 2 * super().forward(x)


def test_a_layer_without_a_form_is_named():
    network = Plain(sc.Sequential({"twice": Doubled()}), (3, 4, 5))
    with pytest.raises(TypeError, match=r"^layer\.twice \(Doubled\) has no ONNX form; add a rule to "):
        onnx_model(network)


def test_scores_of_their_own_kind_are_refused():
    class Squared(sc.LeNet):
        def scores(self, out):
            return out**2

    with pytest.raises(TypeError, match=r"^Squared\.scores has no ONNX form: "):
        onnx_model(Squared())


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"expected a file name ending in \.onnx, got .*lenet\.pb"):
        sc.export_onnx(sc.LeNet(), tmp_path / "lenet.pb")


def test_without_onnx_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModuleNotFoundError, match=r"not installed: pip install 'scratchcnn\[onnx\]' \(in"):
        sc.export_onnx(sc.LeNet(), tmp_path / "lenet.onnx")
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_format_holds_is_refused(monkeypatch):
    monkeypatch.setattr("scratchcnn.onnx_export.MAX_WEIGHT_BYTES", 1000)
    with pytest.raises(
        ValueError, match=r"the weights are 246,824 bytes, and an ONNX file holds at most 2 GiB"
    ):
        onnx_model(sc.LeNet())


def test_averages():
    windows = sc.layers.AdaptiveAveragePooling(2, 2)._windows(3, 2)
    assert np.array_equal(averages(3, windows), [[0.5, 0.5, 0], [0, 0.5, 0.5]])


def test_a_border_that_this_version_of_onnx_lacks():
    with pytest.raises(ValueError, match="a circular border cannot be exported"):
        onnx_model(Plain(sc.Pad(1, "circular"), (3, 4, 5)))
