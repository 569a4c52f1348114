"""Whole networks on whole numbers: equal by `==`, and the least of differences is caught."""

import json

import numpy as np
import pytest
import torch

from parity.checks.whole_numbers import MANTISSA, build, check_exact
from parity.cli import main
from scratchcnn.layers import Convolution, Relu


@pytest.fixture(scope="module")
def simple():
    return build("simple_conv_net", 0)


def changed_backward(monkeypatch, layer, change):
    right = layer.backward

    def backward(dout):
        dx = right(dout)
        return dx if (other := change(layer, dx)) is None else other

    monkeypatch.setattr(layer, "backward", backward)


@pytest.mark.parametrize("name", ["simple_conv_net", "lenet", "lenet5", "alexnet"])
def test_the_networks_of_the_chapter_are_equal(name):
    found = check_exact(name)
    assert found.outcome == "match", found.says
    assert 2 * found.k + np.log2(found.K) < MANTISSA


def test_a_small_network_is_one_chain_forward_and_backward(simple):
    found = check_exact("simple_conv_net", 1, simple)
    assert found.stages == (1, 1)
    assert not found.skipped
    assert found.tensors == 6 * 4 + 6  # x, out, dout, dx of 6 layers and the gradients of 3


def test_a_chain_that_leaves_the_bound_is_cut():
    found = check_exact("alexnet")
    assert min(found.stages) > 1
    assert found.skipped == {"lrn": 2}


def test_an_error_of_2_to_the_minus_40_in_one_number_of_a_gradient_is_caught(simple, monkeypatch):
    layer = simple[0].layers["Conv1"]

    def plant(layer, dx):
        layer.grads["W"][3, 0, 2, 1] *= 1 + 2.0**-40

    changed_backward(monkeypatch, layer, plant)
    found = check_exact("simple_conv_net", 0, simple)
    assert found.outcome == "mismatch"
    assert found.says.startswith("Conv1.dW[3, 0, 2, 1] is ")
    assert "; 1 of 750 numbers differ" in found.says


def test_a_filter_with_swapped_axes_is_caught(simple, monkeypatch):
    layer = simple[0].layers["Conv1"]
    wrong = Convolution(layer.W.swapaxes(2, 3).copy(), layer.b)
    monkeypatch.setattr(layer, "forward", wrong.forward)
    found = check_exact("simple_conv_net", 0, simple)
    assert found.outcome == "mismatch"
    assert found.says.startswith("Conv1.out[0, 0, 0, ")


def test_a_gradient_that_is_missing_is_a_difference(simple, monkeypatch):
    def forget(layer, dx):
        del layer.grads["b"]

    changed_backward(monkeypatch, simple[0].layers["Affine2"], forget)
    found = check_exact("simple_conv_net", 0, simple)
    assert (found.outcome, found.says) == ("mismatch", "Affine2.db is NoneType, PyTorch's (10,)")


def test_an_exception_is_a_difference(simple, monkeypatch):
    def refuse(layer, dx):
        raise ValueError("no")

    changed_backward(monkeypatch, simple[0].layers["Affine2"], refuse)
    found = check_exact("simple_conv_net", 0, simple)
    assert (found.outcome, found.says) == ("mismatch", "ours raised ValueError: no")


def test_what_is_0_everywhere_proves_nothing():
    network, module = build("lenet", 0)
    network.params["affine3.W"][...] = 0
    with torch.no_grad():
        module.affine3.weight.zero_()
    found = check_exact("lenet", 0, (network, module))
    assert (found.outcome, found.says) == (
        "undecided",
        "affine3.dx is 0 everywhere, which shows nothing",
    )


def test_weights_outside_the_bound_cannot_be_checked():
    network, module = build("lenet", 0)
    network.params["conv1.W"][0, 0, 0, 0] = 0.5
    found = check_exact("lenet", 0, (network, module))
    assert found.outcome == "undecided"
    assert "weights that are not whole" in found.says


def test_the_network_is_as_before(simple):
    network, _ = simple
    check_exact("simple_conv_net", 0, simple)
    assert not any("forward" in vars(layer) for _, layer in network.layers.leaves())
    assert isinstance(network.layers["Relu1"], Relu)


def test_the_command_prints_the_bound_and_the_stages(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["check", "--exact", "simple-conv-net", "lenet"])
    out = capsys.readouterr().out
    assert exit.value.code == 0
    assert "simple_conv_net equal: 30 tensors of 749,706 numbers are equal (==)" in out
    assert "whole numbers up to 2^18, sums of up to 4,321 terms; stages: 1 forward, 1 backward" in out
    assert "skipped, since their formulas are rounded: 4 sigmoid" in out
    assert "MATCH: 2 of 2 networks" in out


def test_the_command_reports_a_difference_as_json(simple, monkeypatch, capsys):
    def double(layer, dx):
        layer.grads["b"] *= 2

    changed_backward(monkeypatch, simple[0].layers["Affine1"], double)
    monkeypatch.setattr("parity.checks.whole_numbers.build", lambda name, seed: simple)
    with pytest.raises(SystemExit) as exit:
        main(["check", "--exact", "simple_conv_net", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (exit.value.code, found["outcome"]) == (1, "mismatch")
    assert found["networks"][0]["says"].startswith("Affine1.db[")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["relu"], "--exact checks whole networks, and relu is a layer"),
        (["lenet", "--device", "cuda"], "--exact compares networks with torch in float64 on the CPU"),
        (["lenet", "--train"], "leave out --train"),
    ],
)
def test_what_the_command_refuses(words, sentence, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["check", "--exact", *words])
    assert exit.value.code == 2
    assert sentence in capsys.readouterr().err
