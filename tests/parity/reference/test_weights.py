"""Weights both ways: every tensor accounted for, bit for bit, and nothing written where one does not fit."""

from functools import partial

import helpers
import numpy as np
import pytest
import torch
from torch import nn

import scratchcnn as sc
from parity.kinds.kind import to_numpy
from parity.reference import layer_modules as twins
from parity.reference import weights
from parity.reference.layer_modules import Name, Rule, twin
from parity.reference.networks import TORCH_NETWORKS
from parity.reference.weights import (
    TensorMismatch,
    copy_from_torch,
    copy_to_torch,
    links,
    named_tensors,
    same_bits,
)
from scratchcnn import NETWORKS

SMALL = ["simple_conv_net", "lenet", "lenet5"]
draw = partial(helpers.draw, dtype=np.float32)


def layers():
    bn = sc.BatchNormalization(draw(4), draw(4), 0.9, draw(4, seed=1), np.abs(draw(4, seed=2)))
    body = sc.Sequential({"conv": sc.Convolution(draw(4, 4, 3, 3), draw(4), pad=1), "bn": bn})
    return sc.Sequential(
        {"block": sc.Residual(body), "flatten": sc.Flatten(), "fc": sc.Affine(draw(24, 5), draw(5))}
    )


def snapshot(ours, module):
    arrays = [link.array.copy() for link in links(ours)] + [
        t.detach().clone() for t in module.state_dict().values()
    ]
    return [np.asarray(a) for a in arrays]


def unchanged(before, ours, module):
    return all(np.array_equal(a, b) for a, b in zip(before, snapshot(ours, module), strict=True))


# -- what is copied -------------------------------------------------------------------------------
@pytest.mark.parametrize("name", SMALL)
def test_every_tensor_of_both_sides_is_accounted_for(name):
    network, module = NETWORKS[name](rng=0), TORCH_NETWORKS[name]()
    copied = copy_to_torch(network, module)
    assert sorted(copied) == sorted([*network.params, *network.buffers])
    assert sorted(link.theirs for link in links(network)) == sorted(named_tensors(module))


def test_names_of_ours_and_of_torchs():
    found = {link.ours: (link.theirs, link.transposed) for link in links(sc.SimpleConvNet(rng=0))}
    assert found["W1"] == ("conv1.weight", False) and found["W2"] == ("affine1.weight", True)
    found = {link.ours: (link.theirs, link.transposed) for link in links(layers())}
    assert found["block.body.bn.running_var"] == ("block.body.bn.running_var", False)
    assert found["fc.W"] == ("fc.weight", True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", SMALL)
def test_there_and_back_is_bit_for_bit(name, dtype):
    network, other = NETWORKS[name](rng=0, dtype=dtype), NETWORKS[name](rng=1, dtype=dtype)
    module = TORCH_NETWORKS[name]().to(getattr(torch, np.dtype(dtype).name))
    copy_to_torch(network, module)
    copy_from_torch(module, other)
    for key, array in {**network.params, **network.buffers}.items():
        assert same_bits(array, {**other.params, **other.buffers}[key]), key


def test_both_directions_carry_buffers_and_transpose():
    ours, module = layers(), twin(layers())
    copy_to_torch(ours, module)
    np.testing.assert_array_equal(to_numpy(module.fc.weight), ours["fc"].W.T)
    np.testing.assert_array_equal(
        to_numpy(module.block.body.bn.running_var), ours["block"]["body"]["bn"].running_var
    )
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.add_(1)
    copy_from_torch(module, ours)
    np.testing.assert_array_equal(ours["fc"].W, to_numpy(module.fc.weight).T)
    np.testing.assert_array_equal(ours["block"]["body"]["bn"].running_mean, draw(4, seed=1) + 1)


def test_copying_shares_no_memory():
    ours, module = layers(), twin(layers())
    copy_to_torch(ours, module)
    before = ours["fc"].W.copy()
    with torch.no_grad():
        module.fc.weight.zero_()
    np.testing.assert_array_equal(ours["fc"].W, before)


def test_special_numbers_are_copied_bit_for_bit():
    ours, module = sc.Affine(np.float32([[np.nan, -0.0], [np.inf, 1e-45]])), twin(sc.Affine(draw(2, 2)))
    copy_to_torch(ours, module)
    assert same_bits(to_numpy(module.weight).T, ours.W)
    assert not same_bits(np.float32([0.0]), np.float32([-0.0]))
    assert not same_bits(np.zeros(2, np.float32), np.zeros(2, np.float64))
    assert not same_bits(np.zeros((1, 2)), np.zeros((2, 1)))


def test_a_square_weight_that_is_not_transposed_is_caught(monkeypatch):
    """Its shape fits either way, so only the outputs can tell."""
    layer, x = sc.Affine(draw(5, 5)), draw(3, 5)

    def is_alike():
        module = twin(layer)
        copy_to_torch(layer, module)
        return np.allclose(layer.forward(x), to_numpy(module(torch.tensor(x))), atol=1e-5)

    assert is_alike()
    rule = twins.RULES[sc.Affine]
    monkeypatch.setitem(twins.RULES, sc.Affine, Rule(rule.build, {"W": Name("weight", transposed=False)}))
    assert not is_alike()


# -- what does not fit ----------------------------------------------------------------------------
class Wrong(nn.Module):
    """conv of another size, fc without a bias, and one layer too many."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(24, 5, bias=False, dtype=torch.float64)
        self.extra = nn.Linear(2, 2)


def test_a_mismatch_lists_everything_and_writes_nothing():
    ours = sc.Sequential(
        {"conv": sc.Convolution(draw(4, 3, 5, 5), draw(4)), "fc": sc.Affine(draw(24, 5), draw(5))}
    )
    module = Wrong()
    before = snapshot(ours, module)
    for copy in (lambda: copy_to_torch(ours, module), lambda: copy_from_torch(module, ours)):
        with pytest.raises(sc.WeightMismatch) as refusal:
            copy()
        assert refusal.value.problems == [
            "conv.W: shape (4, 3, 5, 5) does not fit conv.weight of (4, 3, 3, 3)",
            "fc.W: float32 here, fc.weight is torch.float64",
            "fc.b: torch has no fc.bias",
            "extra.weight: in torch, but nothing of ours maps to it",
            "extra.bias: in torch, but nothing of ours maps to it",
        ]
        assert str(refusal.value).startswith("the weights do not fit:\n  conv.W: shape")
        assert unchanged(before, ours, module)


def test_a_weight_that_is_transposed_already_is_refused():
    ours, module = sc.Affine(draw(4, 3)), nn.Linear(3, 4, bias=False)
    with pytest.raises(
        TensorMismatch, match=r"W: shape \(4, 3\) does not fit weight of \(4, 3\) \(transposed on copy\)"
    ):
        copy_to_torch(ours, module)


def test_a_missing_buffer_and_a_surplus_one_are_named():
    ours = sc.Sequential({"bn": sc.BatchNormalization(draw(3), draw(3))})
    module = nn.Sequential()
    module.add_module("bn", nn.BatchNorm1d(3, track_running_stats=False))
    module.register_buffer("count", torch.zeros(2))
    with pytest.raises(TensorMismatch) as refusal:
        copy_to_torch(ours, module)
    assert refusal.value.problems == [
        "bn.running_mean: torch has no bn.running_mean",
        "bn.running_var: torch has no bn.running_var",
        "count: in torch, but nothing of ours maps to it",
    ]


def test_two_of_ours_on_one_of_torchs_are_refused(monkeypatch):
    names = {"W": Name("weight", True), "b": Name("weight")}
    monkeypatch.setitem(twins.RULES, sc.Affine, Rule(twins.RULES[sc.Affine].build, names))
    with pytest.raises(TensorMismatch, match="weight: claimed twice"):
        copy_to_torch(sc.Affine(draw(1, 1), draw(1)), nn.Linear(1, 1))


def test_what_reads_back_different_is_caught(monkeypatch):
    """As if the write had been rounded on its way."""
    monkeypatch.setattr(weights, "to_numpy", lambda tensor: np.nextafter(to_numpy(tensor), np.float32(9)))
    with pytest.raises(TensorMismatch, match="W: reads back different bits"):
        copy_to_torch(sc.Affine(draw(4, 3)), nn.Linear(4, 3, bias=False))
