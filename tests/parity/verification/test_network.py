"""Whole networks against a torch module: right ones pass, wrong ones are placed where they are wrong."""

from pathlib import Path

import numpy as np
import pytest
from torch import nn

import scratchcnn as sc
from parity.reference.networks import TORCH_NETWORKS
from parity.verification.names_map import Entry, fitted, guessed, read_names
from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"
TWIN, NAMES = f"{HOMEWORK}/twin.py:Twin", HOMEWORK / "names.toml"


def network(name, **options):
    given = {"twin": TWIN, "names": NAMES} | options
    return verify(f"{HOMEWORK}/nets.py:{name}", "network", **given)


@pytest.mark.parametrize("name", ["Net", "Net32", "NetWithoutLayers"])
def test_a_right_network_passes(name):
    verdict = network(name)
    assert verdict.ok and not verdict.not_checked, str(verdict)
    assert set(verdict.findings["layer"]) >= {"loss", "W1", "b1", "W2", "b2", "W3", "b3"}


@pytest.mark.parametrize(
    ("name", "culprit", "sentence", "fault"),
    [
        ("NetOfWrongLayer", "Conv1, backward, db", "Conv1 introduces the error", "conv-db-mean"),
        ("NetOfWrongLoss", "loss, backward, dx", "loss introduces the error", "loss-gradient-not-divided"),
        ("NetOfExchangedNames", "b1, names, grad", "hands out another array as b1", ""),
        ("NetOfWrongWiring", "Relu2, wiring, dout", "Relu2 was never called in the backward pass", ""),
    ],
)
def test_a_wrong_network_is_placed(name, culprit, sentence, fault):
    verdict = network(name)
    assert not verdict.ok and str(verdict.culprit) == culprit
    assert sentence in str(verdict) and verdict.diagnosis.fault == fault


def test_the_reproduction_runs(capsys):
    exec(network("NetOfExchangedNames").reproduction, {})
    assert "b1" in capsys.readouterr().out


def test_without_layers_no_more_is_said_than_was_seen():
    class Face:
        input_dim = (3,)

        def __init__(self):
            self.params = {"W": np.arange(6.0).reshape(3, 2), "b": np.ones(2)}

        def loss(self, x, t):
            return sc.SoftmaxWithLoss().forward(x @ self.params["W"] + self.params["b"], t)

        def gradient(self, x, t):
            loss = sc.SoftmaxWithLoss()
            loss.forward(x @ self.params["W"] + self.params["b"], t)
            dout = loss.backward()
            return {"W": x.T @ dout, "b": dout.mean(axis=0)}

    verdict = verify(Face, "network", twin=lambda: nn.Linear(3, 2), names={"W": "weight", "b": "bias"})
    assert not verdict.ok
    assert "the gradient of b is wrong, and the network shows no layers to look at" in str(verdict)


def test_a_network_that_hangs_is_a_finding():
    verdict = network("NetThatHangs", timeout=1)
    assert verdict.ending == "hung: no answer within 1 s" and "hung" in str(verdict)


def test_ours_against_its_hand_written_twin():
    twin = TORCH_NETWORKS["simple_conv_net"]
    names = {
        "W1": "conv1.weight",
        "b1": "conv1.bias",
        "W2": ("affine1.weight", True),
        "b2": "affine1.bias",
        "W3": ("affine2.weight", True),
        "b3": "affine2.bias",
    }
    net = sc.SimpleConvNet(rng=0, dtype=np.float64)
    assert verify(net, "network", twin=twin, names=names).ok
    assert any(
        "Affine1" in layer for layer in verify(net, "network", twin=twin, names=names).findings["layer"]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"twin": None}, "a network needs a twin"),
        ({"twin": f"{HOMEWORK}/twin.py:DroppingTwin"}, "the twin drops at random"),
        ({"names": "none.toml"}, "there is no file of names none.toml"),
        ({"names": {"W1": "conv.weight"}}, "the names do not fit:\n  b1: ours has it, the map has not"),
        ({"input_shape": (3, 8, 7)}, r"the twin does not take images of shape \(3, 8, 7\)"),
    ],
    ids=["no twin", "dropout", "no file", "names", "shape"],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        network("Net", **options)


class AmbiguousNet:
    input_dim = (4,)

    def __init__(self):
        self.params = {"A": np.eye(4), "B": np.eye(4)}

    def loss(self, x, t):
        return 0.0

    def gradient(self, x, t):
        return {}


class AmbiguousTwin(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)

    def forward(self, x):
        return self.b(self.a(x))


def test_shapes_that_could_be_either_are_refused():
    with pytest.raises(ValueError, match="the shapes do not show which array is which"):
        verify(AmbiguousNet, "network", twin=AmbiguousTwin)


def test_an_object_that_is_no_network_is_refused():
    with pytest.raises(ValueError, match="NoNet lacks loss, gradient"):
        network("NoNet")


# -- names ----------------------------------------------------------------------------------------
def test_a_square_matrix_must_be_said():
    with pytest.raises(ValueError, match=r"W: a square \(4, 4\) may be transposed or not"):
        fitted({"W": Entry("w")}, {"W": (4, 4)}, {"w": (4, 4)})
    assert fitted({"W": Entry("w", True)}, {"W": (4, 4)}, {"w": (4, 4)})["W"].transposed


def test_shapes_are_believed_where_they_leave_no_choice():
    assert guessed({"W": (3, 2), "b": (2,)}, {"fc.w": (2, 3), "fc.b": (2,)}) == {
        "W": Entry("fc.w"),
        "b": Entry("fc.b"),
    }
    with pytest.raises(ValueError, match="which array is which"):
        guessed({"W": (3, 2), "V": (2, 3)}, {"a": (2, 3), "b": (3, 2)})


@pytest.mark.parametrize(
    ("text", "message"),
    [("W1 = 3", "W1: expected"), ("W1 = ", "is not TOML"), ('W = {name = "x"}', "W: expected")],
)
def test_a_map_that_is_none(tmp_path, text, message):
    (tmp_path / "names.toml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_names(tmp_path / "names.toml")
