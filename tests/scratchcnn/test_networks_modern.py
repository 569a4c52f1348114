"""The networks that the chapter goes on to: counts and shapes of the papers, switches, gradients, names."""

import copy
import inspect
import pickle

import numpy as np
import pytest

from scratchcnn import (
    CHAPTER,
    NETWORKS,
    VGG,
    GoogLeNet,
    ResNet,
    SideHead,
    SoftmaxWithLoss,
    check_gradient,
)
from scratchcnn.networks import TorchvisionAlexNet
from scratchcnn.summary import summarize

# Simonyan and Zisserman 2014 (table 2, exact counts as in torchvision), He et al. 2015, Krizhevsky 2014.
COUNTS = {
    "alexnet_torchvision": 61_100_840,
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg11_bn": 132_868_840,
    "vgg13_bn": 133_053_736,
    "vgg16_bn": 138_365_992,
    "vgg19_bn": 143_678_248,
    "googlenet": 13_378_280,
    "googlenet_bn": 13_004_888,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
}


def images(network, N=2, seed=0):
    return np.random.default_rng(seed).random((N, *network.input_dim)), np.arange(N) % network.output_size


SMALL = {
    "alexnet_torchvision": lambda: TorchvisionAlexNet((3, 67, 63), 5, hidden_size=16, rng=0),
    "vgg11": lambda: VGG(11, input_dim=(3, 32, 40), output_size=5, width=8, hidden_size=16, rng=0),
    "vgg16_bn": lambda: VGG(16, True, (3, 32, 32), 5, width=8, hidden_size=16, rng=0),
    "googlenet": lambda: GoogLeNet(False, True, (3, 224, 210), 5, width=4, hidden_size=8, rng=0),
    "googlenet_bn": lambda: GoogLeNet(True, True, (3, 64, 70), 5, width=8, hidden_size=8, rng=0),
    "resnet18": lambda: ResNet(18, (3, 40, 36), 5, width=8, rng=0),
    "resnet50": lambda: ResNet(50, (3, 40, 36), 5, width=8, rng=0),
    "resnet50, stride in the 1x1": lambda: ResNet(50, (3, 40, 36), 5, "1x1", width=8, rng=0),
}


@pytest.mark.parametrize("name", COUNTS)
def test_parameter_counts(name, monkeypatch):
    def zeros(shape, *args, **options):
        return np.zeros(shape, np.float32)

    for place in ("vgg.he", "vgg.normal", "resnet.he", "alexnet_torchvision.normal", "googlenet.he"):
        monkeypatch.setattr(f"scratchcnn.networks.{place}", zeros)  # 138 million draws take seconds
    assert NETWORKS[name](rng=0).num_params == COUNTS[name]


OF_A_TABLE = [name for name in COUNTS if name not in ("alexnet_torchvision", "googlenet")]


@pytest.mark.parametrize("name", OF_A_TABLE)
def test_networks_of_a_table_are_ordinary_classes(name):
    cls = NETWORKS[name]
    assert inspect.getsource(cls).startswith(f"class {cls.__name__}(") and cls.__doc__
    parameters = inspect.signature(cls).parameters
    assert {p.kind for p in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}
    assert parameters["input_dim"].default == (3, 224, 224) and not parameters.keys() & {
        "depth",
        "batch_norm",
    }
    small = {"hidden_size": 8} if "hidden_size" in parameters else {}
    network = cls(input_dim=(3, 64, 64), output_size=3, width=8, rng=0, **small)
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert type(other) is cls and repr(other) == repr(network)
        assert all(np.array_equal(other.params[key], array) for key, array in network.params.items())


def test_every_network_beyond_the_chapter_is_counted():
    assert set(COUNTS) == set(NETWORKS) - set(CHAPTER)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        (
            "vgg16",
            {
                "conv1_2": (64, 224, 224),
                "pool1": (64, 112, 112),
                "conv5_3": (512, 14, 14),
                "pool5": (512, 7, 7),
                "avgpool": (512, 7, 7),
                "fc3": (1000,),
            },
        ),
        (
            "resnet50",
            {
                "conv1": (64, 112, 112),
                "maxpool": (64, 56, 56),
                "layer1.2.relu": (256, 56, 56),
                "layer2.3.relu": (512, 28, 28),
                "layer3.5.relu": (1024, 14, 14),
                "layer4.2.relu": (2048, 7, 7),
                "avgpool": (2048,),
                "fc": (1000,),
            },
        ),
        ("resnet18", {"layer1.1.relu": (64, 56, 56), "layer4.1.relu": (512, 7, 7), "avgpool": (512,)}),
        (
            "googlenet",
            {
                "norm1": (64, 56, 56),
                "maxpool2": (192, 28, 28),
                "maxpool3": (480, 14, 14),
                "maxpool4": (832, 7, 7),
                "avgpool": (1024,),
            },
        ),
        ("alexnet_torchvision", {"conv1": (64, 55, 55), "conv2": (192, 27, 27), "pool5": (256, 6, 6)}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_output_shapes_are_those_in_the_comments(name, shapes):
    rows = {row.name: row.output[1:] for row in summarize(NETWORKS[name](rng=0))}
    assert {layer: rows[layer] for layer in shapes} == shapes


def test_multiplications_are_the_papers():
    """He et al. 2015, table 1: 1.8, 3.6, 3.8 and 7.6 billion; torchvision's stride in the 3x3 costs 4.1."""
    found = {
        depth: sum(row.multiply_adds for row in summarize(ResNet(depth, stride_in="1x1", rng=0)))
        for depth in (18, 50)
    }
    assert round(found[18] / 1e9, 1) == 1.8 and 3.8 <= found[50] / 1e9 < 3.9
    later = sum(row.multiply_adds for row in summarize(ResNet(50, rng=0)))
    assert round(later / 1e9, 1) == 4.1


@pytest.mark.parametrize("name", SMALL)
def test_gradients_are_numerical_ones(name):
    network = SMALL[name]().astype(np.float64)
    dropouts = {path: layer for path, layer in network.layers.leaves() if path in network.rngs()}
    (x, t), rng = images(network, 3), np.random.default_rng(1)
    network.loss(x, t)
    for layer in dropouts.values():
        layer.inject(rng.random(layer.mask.shape) > 0.5)
    grads = network.gradient(x, t)
    assert list(grads) == list(network.params)
    chosen = [key for key in network.params if not (key.startswith("conv") and key.endswith(".b"))]
    for key in [*chosen[:2], *chosen[len(chosen) // 2 :][:2], *chosen[-2:]]:
        array = network.params[key]
        assert check_gradient(lambda _: network.loss(x, t), array, grads[key], directions=1), key
    assert check_gradient(lambda _: network.loss(x, t), x, network.dx, directions=1)


@pytest.mark.parametrize("name", SMALL)
def test_inference_takes_one_image_and_leaves_the_network_alone(name):
    network = SMALL[name]()
    x, _ = images(network)
    before = {key: array.copy() for key, array in network.buffers.items()}
    both, alone = network.predict(x), network.predict(x[:1])
    np.testing.assert_allclose(alone, both[:1], rtol=1e-5, atol=1e-6 * np.abs(both).max())
    assert all((network.buffers[key] == before[key]).all() for key in before)


def test_the_stride_of_a_bottleneck():
    strides = {}
    for where in ("3x3", "1x1"):
        body = ResNet(50, (3, 33, 33), 2, where, width=4, rng=0).layers["layer2"]["0"]["add"]["body"]
        strides[where] = [body[name].stride for name in ("conv1", "conv2")]
    assert strides == {"3x3": [(1, 1), (2, 2)], "1x1": [(2, 2), (1, 1)]}


def test_shortcuts_are_convolutions_only_where_the_shape_changes():
    def shortcuts(depth):
        network = ResNet(depth, (3, 33, 33), 2, width=4, rng=0)
        return sorted({p.partition(".add")[0] for p, _ in network.layers.leaves() if ".shortcut." in p})

    assert shortcuts(18) == ["layer2.0", "layer3.0", "layer4.0"]
    assert shortcuts(50) == ["layer1.0", "layer2.0", "layer3.0", "layer4.0"]


def test_the_auxiliary_heads_count_in_training_only():
    network = SMALL["googlenet_bn"]()
    x, t = images(network, 4)
    main = super(GoogLeNet, network).loss(x, t)
    heads = [head.loss(t) for head in network.heads]
    scores = [head.scores for head in network.heads]
    assert len(heads) == 2 and all(s.shape == (4, 5) for s in scores)
    for loss, s in zip(heads, scores, strict=True):
        assert loss == pytest.approx(0.3 * SoftmaxWithLoss().forward(s, t))
    network = SMALL["googlenet_bn"]()
    assert network.loss(x, t) == pytest.approx(main + sum(heads))
    grads = network.eval().gradient(x, t)
    aux = {key for key in grads if key.startswith("aux")}
    assert len(aux) == 14 and all((grads[key] == 0).all() for key in aux)
    assert (grads["conv1.conv.W"] != 0).any() and (grads["fc.W"] != 0).any()
    assert all(head.scores is None for head in network.heads)


def test_googlenet_without_heads():
    network = GoogLeNet(True, False, (3, 64, 64), 5, width=8, rng=0)
    assert network.heads == [] and not any(key.startswith("aux") for key in network.params)
    counts = [GoogLeNet(bn, False, rng=0).num_params for bn in (False, True)]
    assert counts == [6_998_552, 6_624_904]


def test_googlenet_branches_of_the_paper_and_of_torchvision():
    def filters(network):
        return network.layers["inception4c"]["branch3"]["1"]["conv"].W.shape

    assert filters(GoogLeNet(False, False, (3, 64, 64), 5, rng=0)) == (64, 24, 5, 5)
    assert filters(GoogLeNet(True, False, (3, 64, 64), 5, rng=0)) == (64, 24, 3, 3)


def test_googlenet_takes_torchvisions_smallest_images():
    network = NETWORKS["googlenet_bn"](input_dim=(3, 15, 15), output_size=5, width=8, hidden_size=8, rng=0)
    assert network.predict(np.zeros((2, 3, 15, 15))).shape == (2, 5)
    with pytest.raises(ValueError, match=r"^maxpool3 .* images must be at least 15x15$"):
        NETWORKS["googlenet_bn"](input_dim=(3, 14, 14), output_size=5, width=8, hidden_size=8, rng=0)


# What torchvision's constructors have by default, under our names.
TORCHVISION = {
    "alexnet_torchvision": {"dropout_ratio": 0.5},
    "vgg16": {"dropout_ratio": 0.5},
    "googlenet_bn": {"dropout_ratio": 0.2, "aux_dropout_ratio": 0.7},
}
THEIR_NAMES = {"dropout_ratio": "dropout", "aux_dropout_ratio": "dropout_aux"}


@pytest.mark.parametrize("name", TORCHVISION)
def test_dropout_is_torchvisions_by_default(name):
    parameters = inspect.signature(NETWORKS[name]).parameters
    assert {key: parameters[key].default for key in TORCHVISION[name]} == TORCHVISION[name]


@pytest.mark.parametrize(
    ("cls", "kind"), [("AlexNet", "alexnet_torchvision"), ("VGG", "vgg16"), ("GoogLeNet", "googlenet_bn")]
)
def test_the_defaults_are_those_of_the_installed_torchvision(cls, kind):
    models = pytest.importorskip("torchvision.models", reason="needs torchvision")
    theirs = inspect.signature(getattr(models, cls)).parameters
    assert {key: theirs[THEIR_NAMES[key]].default for key in TORCHVISION[kind]} == TORCHVISION[kind]


@pytest.mark.parametrize(("batch_norm", "ratio"), [(False, 0.4), (True, 0.2)])
def test_googlenet_drops_as_the_paper_or_as_torchvision(batch_norm, ratio):
    network = GoogLeNet(batch_norm, False, (3, 64, 64), 5, width=8, rng=0)
    assert network.layers["dropout"].dropout_ratio == ratio


def test_a_head_needs_a_forward_in_training():
    network = SMALL["googlenet_bn"]()
    assert isinstance(network.layers["aux1"], SideHead)
    with pytest.raises(RuntimeError, match=r"aux1 \(SideHead\): loss needs a forward in training"):
        network.layers["aux1"].loss(np.array([0]))


def test_names_of_pytorch():
    network = ResNet(18, (3, 33, 33), 2, width=4, rng=0)
    assert network.torch_path("layer2.0.add.body.conv1") == "layer2.0.conv1"
    assert network.torch_path("layer2.0.add.shortcut.1") == "layer2.0.downsample.1"
    assert network.torch_path("layer2.0.relu") == "layer2.0.relu" and network.torch_path("fc") == "fc"
    vgg = SMALL["vgg16_bn"]()
    wanted = {
        "conv1_1": "features.0",
        "bn1_1": "features.1",
        "pool1": "features.6",
        "conv5_3": "features.40",
        "fc1": "classifier.0",
        "fc3": "classifier.6",
        "flatten": "flatten",
    }
    assert {path: vgg.torch_path(path) for path in wanted} == wanted


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VGG(12), "VGG: depth must be one of 11, 13, 16, 19, got 12"),
        (lambda: ResNet(20), "ResNet: depth must be one of 18, 34, 50, 101, got 20"),
        (lambda: ResNet(50, stride_in="5x5"), 'ResNet: stride_in must be "3x3" or "1x1", got \'5x5\''),
    ],
    ids=["vgg", "resnet", "stride"],
)
def test_what_there_is_not(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_row_of_the_table_has_a_class_of_its_own():
    assert [NETWORKS[name].__name__ for name in ("vgg16", "vgg16_bn", "resnet50")] == [
        "VGG16",
        "VGG16BN",
        "ResNet50",
    ]
    with pytest.raises(TypeError, match="depth"):
        NETWORKS["vgg16"](depth=11)
