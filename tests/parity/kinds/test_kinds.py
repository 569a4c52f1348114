"""A kind says of itself what the other rooms need, and agrees with the class that it names as ours."""

import inspect
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from helpers import python

import scratchcnn as sc
from parity.kinds import ALL_KINDS, KINDS, kind_of, kind_of_layer
from parity.kinds.kind import without_defaults
from parity.kinds.names import KNOWN, NAMES, kind_by_name
from parity.kinds.probes import probes


@pytest.mark.parametrize("kind", ALL_KINDS.values(), ids=ALL_KINDS)
def test_the_arguments_are_those_of_ours(kind):
    theirs = inspect.signature(kind.ours).parameters
    assert {*kind.order, *kind.optional, *kind.params} <= set(theirs)
    assert [name for name in theirs if name in kind.order] == list(kind.order)
    for name, value in kind.optional.items():
        assert theirs[name].default in (value, (value, value))


@pytest.mark.parametrize("kind", ALL_KINDS.values(), ids=ALL_KINDS)
def test_the_results_are_those_it_names(kind):
    probe = probes(kind.name)[0]
    found = set(kind.reference(probe))
    if kind.role == "optimizer":
        assert found == {"W step 1", "V step 1", "b step 1"}
    else:
        gradients = set() if kind.role == "function" else {"dx", *(f"d{name}" for name in kind.params)}
        assert found == {kind.out, *gradients, *kind.buffers}


def test_no_kind_of_that_name():
    with pytest.raises(ValueError, match=r"no kind named 'pooling'; there are im2col, col2im, convolution"):
        kind_of("pooling")


# -- names -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Conv2D", "convolution"),
        ("layers.py:MaxPool2d", "max_pooling"),
        ("nn.Linear", "affine"),
        ("swish", "silu"),
        ("LeakyReLU", "leaky_relu"),
        ("lrelu", "leaky_relu"),
        ("Leaky_ReLU", "leaky_relu"),
        ("ELU", "elu"),
        ("SELU", "selu"),
        ("SoftPlus", "softplus"),
        ("GELU", "gelu"),
        ("ReLU6", "relu6"),
        ("Softsign", "softsign"),
        ("Batch_Norm", "batch_norm"),
        ("LayerNorm", "layer_norm"),
        ("Layer_Normalization", "layer_norm"),
        ("SGD", "sgd"),
        ("AdaDelta", "adadelta"),
        ("Flatten", "flatten"),
        ("Model", None),
    ],
)
def test_a_class_is_known_by_its_name(name, kind):
    assert kind_by_name(name) == kind


def test_no_two_kinds_share_a_name():
    aliases = [alias for name in NAMES for alias in ALL_KINDS[name].aliases]
    assert len(KNOWN) == len(NAMES) + len(aliases)


# -- our layers ------------------------------------------------------------------------------------
def test_our_layer_is_of_the_kind_that_its_class_and_its_mode_say():
    class Mine(sc.Pooling):
        pass

    modes = {mode: kind_of_layer(Mine(2, 2, mode=mode)).name for mode in ("max", "average", "min")}
    assert modes == {mode: f"{mode}_pooling" for mode in modes}
    connections = np.ones((2, 3), bool)
    partial_convolution = sc.PartialConvolution(np.zeros((2, 3, 1, 1)), None, connections)
    assert kind_of_layer(partial_convolution) is KINDS["partial_convolution"]
    with pytest.raises(TypeError, match=r"no kind is known for Sequential; add one to parity\.kinds"):
        kind_of_layer(sc.Sequential())


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.role == "layer"], ids=lambda kind: kind.name)
def test_a_layer_built_again_from_its_arguments_is_the_same(kind):
    probe = probes(kind.name)[-1]
    layer = kind.ours(**{name: value for name, value in probe.args.items() if name != "training"})
    again = kind.arguments(layer)
    assert again.keys() >= probe.args.keys() - {"training"}
    np.testing.assert_equal(kind.arguments(kind.ours(**again)), again)


def test_arguments_are_copies():
    layer = sc.Affine(np.ones((2, 2)), np.ones(2))
    KINDS["affine"].arguments(layer)["W"][...] = 0
    assert (layer.W == 1).all()


def test_what_is_the_default_is_left_out():
    defaults = {"stride": 1, "pad": 0, "b": None}
    given = {"stride": (1, 1), "pad": (0, 1), "b": None, "W": np.zeros(2)}
    assert without_defaults(given, defaults).keys() == {"pad", "W"}


def test_an_argument_that_belongs_to_the_kind_is_no_other_kinds():
    kind = replace(KINDS["relu"], ours=partial(sc.Pooling, mode="max"))
    assert kind.fits(sc.Pooling, sc.Pooling(2, 2)) and not kind.fits(sc.Relu, sc.Relu())
    assert not kind.fits(sc.Pooling, sc.Pooling(2, 2, mode="min"))


# -- PyTorch ---------------------------------------------------------------------------------------
def test_names_calls_and_probes_do_without_pytorch():
    code = (
        "import sys, numpy as np\n"
        "from parity.kinds import ALL_KINDS\n"
        "from parity.kinds.names import kind_by_name\n"
        "assert kind_by_name('Conv2d') and ALL_KINDS['relu'].call\n"
        "assert list(ALL_KINDS['convolution'].probes(np.random.default_rng(0)))\n"
        "assert not {'torch', 'pandas'} & sys.modules.keys()"
    )
    assert python("-c", code).returncode == 0
