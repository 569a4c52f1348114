"""The networks beyond the chapter, small: every tensor against PyTorch's, training and inferring."""

import numpy as np
import pytest
import torch
from helpers import failed
from small_networks import SMALL

import scratchcnn as sc
from parity.checks.network import Case, check_network, steps_of, subject_of, traced
from parity.checks.zero_gradients import Sum, cancelled, zero_gate
from parity.comparison.records import GRADIENT, PREDICT, TEXTBOOK, unproven
from parity.reference.googlenet import GoogLeNet
from parity.reference.networks import TORCH_NETWORKS
from parity.reference.trace import Trace, trace_torch
from parity.reference.vgg_resnet import VGG, ResNet
from scratchcnn import NETWORKS


@pytest.fixture
def small(monkeypatch, request):
    """A small network and its counterpart under a name of their own."""
    ours, theirs = SMALL[request.param]
    monkeypatch.setitem(NETWORKS, "small", ours)
    monkeypatch.setitem(TORCH_NETWORKS, "small", theirs)
    return request.param


normalised = pytest.mark.parametrize("small", ["vgg11_bn", "resnet18", "googlenet_bn"], indirect=True)


BOTH = [(name, "float64") for name in SMALL]
BOTH += [(name, "float32") for name in ("vgg11_bn", "googlenet", "resnet18")]


@pytest.mark.parametrize(("small", "dtype"), BOTH, indirect=["small"])
def test_is_the_same_function(small, dtype):
    rows = list(check_network(Case("small", dtype, steps=2, batch_size=4)))
    assert failed(rows) == []
    assert unproven(rows) == []
    assert all(row.margin < 0.1 for row in rows if dtype == "float64")
    cases = {(row.phase, row.case) for row in rows}
    infers = any(name in small for name in ("bn", "resnet", "googlenet"))
    assert (("forward", "inference") in cases) == infers
    assert (("backward", "inference") in cases) == (infers and dtype == "float64")
    assert {row.phase for row in rows} >= {"forward", "alone", "step 1", "step 2", PREDICT, GRADIENT}
    split = {row.phase for row in rows if row.tensor == "parts"}
    assert split == (set() if "googlenet_bn" in small else {PREDICT, GRADIENT})


@normalised
def test_running_statistics_are_compared_after_every_step(small):
    rows = list(check_network(Case("small", steps=2, batch_size=4)))
    buffers = {row.layer for row in rows if row.phase == "step 2" and row.tensor == "buffer"}
    assert buffers == set(NETWORKS["small"](rng=0).buffers) and buffers


@normalised
def test_an_error_that_only_inference_shows(small, monkeypatch):
    class Forgets(sc.BatchNormalization):
        def forward(self, x):
            if self.training:
                return super().forward(x)
            self.training = True  # normalises with the batch's statistics again
            kept = {key: a.copy() for key, a in self.buffers.items()}
            out = super().forward(x)
            self.buffers.update(kept)
            self.training = False
            return out

    make = NETWORKS["small"]

    def broken(rng):
        network = make(rng=rng)
        last = [layer for _, layer in network.layers.leaves() if isinstance(layer, sc.BatchNormalization)][-1]
        last.__class__ = Forgets
        return network

    monkeypatch.setitem(NETWORKS, "small", broken)
    wrong = [row for row in check_network(Case("small", steps=0, batch_size=4)) if not row.ok]
    assert {row.case for row in wrong if row.phase not in (PREDICT, TEXTBOOK)} == {"inference"}
    assert {row.phase for row in wrong} == {"forward", "backward", PREDICT, TEXTBOOK}


@pytest.mark.parametrize("small", ["vgg11_bn"], indirect=True)
@pytest.mark.parametrize("phase", ["backward", "alone", "step 1"])
def test_a_bias_that_should_have_no_gradient(small, monkeypatch, phase):
    """A db that counts each image's first row only is no longer 0, and every phase says so."""

    class FirstRow(sc.Convolution):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads["b"] = dout[:, :, 0].sum(axis=(0, 2))
            return dx

    make = NETWORKS["small"]

    def broken(rng):
        network = make(rng=rng)
        network.layers["conv1_1"].__class__ = FirstRow
        return network

    monkeypatch.setitem(NETWORKS, "small", broken)
    rows = list(check_network(Case("small", steps=1, batch_size=4)))
    wrong = {(row.phase, row.layer, row.tensor) for row in rows if not row.ok and not row.case}
    expected = {
        "backward": ("backward", "conv1_1.b", "grad"),
        "alone": ("alone", "conv1_1", "db"),
        "step 1": ("step 1", "conv1_1.b", "v"),
    }
    assert expected[phase] in wrong


@pytest.mark.parametrize("small", ["vgg11_bn"], indirect=True)
def test_rules_that_divide_by_rounding_are_refused(small):
    with pytest.raises(ValueError, match="and adam divides what is left, rounding, by its own size"):
        list(check_network(Case("small", steps=1, batch_size=4, optimizer="adam")))


def test_the_zero_gate():
    terms = Sum(10.0, 4)
    passes = zero_gate(np.full(3, 1e-10), (3,), "float64", terms)
    assert passes.ok and passes.proves and passes.margin == pytest.approx(0.01)
    assert not zero_gate(np.full(3, 1e-7), (3,), "float64", terms).ok
    assert zero_gate(np.full(3, 1e-7, np.float32), (3,), "float32", terms).ok
    assert not zero_gate(np.full(3, 1e-3, np.float32), (3,), "float32", terms).ok
    for ours, why in (
        (None, "missing"),
        (np.zeros(2), r"shape \(2,\)"),
        (np.zeros(3, np.float32), "dtype float32"),
        (np.full(3, np.nan), "not finite"),
    ):
        found = zero_gate(ours, (3,), "float64", terms)
        assert not found.ok and found.margin == np.inf and why.replace("\\", "") in found.why


def test_which_gradients_cancel():
    ours, theirs = SMALL["vgg11_bn"]
    network, module = ours(0).astype(np.float64), theirs().double()
    module.our_paths = {path: network.torch_path(path) for path, _ in network.layers.leaves()}
    x = np.random.default_rng(0).random((2, *network.input_dim))
    exact = trace_torch(module, network, x, np.array([0, 1]))
    assert set(cancelled(network, exact)) == {
        key for key in network.params if key.startswith("conv") and key.endswith(".b")
    }
    plain = SMALL["vgg11"][0](0)
    assert cancelled(plain, exact) == {}


def test_the_larger_networks_take_fewer_steps():
    assert {steps_of(name) for name in sc.CHAPTER} == {10}
    assert {steps_of(name) for name in set(NETWORKS) - set(sc.CHAPTER)} == {2}


@pytest.mark.slow
def test_the_heads_of_googlenet_at_the_size_of_the_paper(monkeypatch):
    """Narrow, but on 224x224: the heads' average leaves 4x4 of 14x14."""
    monkeypatch.setitem(
        NETWORKS, "small", lambda rng: sc.GoogLeNet(output_size=10, width=4, hidden_size=16, rng=rng)
    )
    monkeypatch.setitem(TORCH_NETWORKS, "small", lambda: GoogLeNet(False, True, 10, width=4, hidden_size=16))
    rows = list(traced(*subject_of(Case("small", steps=0, batch_size=1)), Trace()))
    assert failed(rows) == [] and unproven(rows) == []
    shapes = {(row.layer, row.phase, row.tensor): row.shape for row in rows}
    assert shapes["aux2.pool", "forward", "out"] == (1, 33, 4, 4)
    assert shapes["aux2.fc1.W", "backward", "grad"] == (8 * 4 * 4, 16)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18"])
def test_at_full_size(name):
    rows = list(check_network(Case(name, steps=0)))
    assert failed(rows) == [] and unproven(rows) == []
    shapes = {(row.layer, row.phase, row.tensor, row.case): row.shape for row in rows}
    assert shapes["conv1", "forward", "out", "inference"] == (2, 64, 112, 112)


def test_a_state_dict_has_torchvisions_names():
    names = set(ResNet(50).state_dict())
    assert {
        "layer1.0.downsample.0.weight",
        "layer4.2.bn3.running_var",
        "fc.bias",
        "bn1.num_batches_tracked",
    } <= names
    assert len(names) == 320
    with torch.device("meta"):
        assert {"features.28.weight", "classifier.6.bias"} <= set(VGG(16).state_dict())
