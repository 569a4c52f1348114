"""Faults in whole networks: the culprit is where they were put, and a correct network has none."""

import copy
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import scratchcnn as sc
from parity.faults.catalogue.fast import FAST_FAULTS
from parity.faults.catalogue.networks import NETWORK_FAULTS
from parity.faults.inject import (
    FAST_SUBJECTS,
    SUBJECTS,
    called_target,
    examine,
    examine_calls,
    fast_injections,
    layer_injections,
    network_injections,
    put,
    target,
)
from scratchcnn import fast


@pytest.fixture(scope="module")
def branched():
    return target("branched")


def copied(on):
    return copy.deepcopy(on.network)


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("name", SUBJECTS)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_correct_network_has_no_culprit(name, training, seed):
    on = target(name, seed, training)
    records, culprit = examine(copied(on), on)
    assert culprit is None and all(row.ok for row in records)
    assert {row.phase for row in records} == {"forward", "backward", "alone"}


@pytest.mark.parametrize("kind", ["convolution", "batch_norm", "dropout"])
def test_every_fault_of_a_layer_is_caught_and_placed(kind, branched):
    found = list(layer_injections(branched, (kind,)))
    assert len(found) >= 5
    assert [i for i in found if not (i.caught and i.right)] == []


def test_faults_between_layers_are_told_from_faults_of_layers(branched):
    found = list(network_injections(branched))
    assert len(found) >= 14 and [i for i in found if not i.right] == []
    phases = {i.fault: i.culprit.phase for i in found}
    assert phases["layer-skipped-backward"] == "wiring" and phases["square-weight-transposed"] == "weights"
    assert phases["gradients-under-each-others-names"] == "names"


def test_every_fault_between_layers_is_put_in_somewhere():
    networks = [target(name).network for name in ("simple_conv_net", "branched")]
    networks.append(target("branched", training=False).network)
    for fault in NETWORK_FAULTS.values():
        assert any(fault.apply(copy.deepcopy(network)) for network in networks), fault.name


# -- new bugs, in no catalogue --------------------------------------------------------------------
class BiasTwice(sc.Convolution):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["b"] = 2 * self.grads["b"]
        return dx


def bias_twice(network):
    inner = network.layers["inception"]["a"]
    put(network, "inception.a", BiasTwice(inner.W, inner.b, inner.stride, inner.pad))


def patched(layer, method, change):
    right = getattr(layer, method)
    setattr(layer, method, lambda *args: change(right(*args)))


def half_gradient_behind_pool(network):
    row, pool = network.layers, network.layers["pool"]

    def backward(dout):
        for _, layer in reversed(list(row.items())):
            dout = layer.backward(dout if layer is not pool else dout / 2)
        return dout

    row.backward = backward


def ones_added_before_affine2(network):
    row, affine = network.layers, network.layers["affine2"]

    def forward(x):
        for _, layer in row.items():
            x = layer.forward(x + 1 if layer is affine else x)
        return x

    row.forward = forward


def one_weight_moved(network):
    network.layers["affine1"].W[3, 2] += 1e-3


def decay_in_the_gradient(network):
    gradient = network.gradient
    network.gradient = lambda x, t: {k: g + 1e-3 * network.params[k] for k, g in gradient(x, t).items()}


def loss_of_a_sum(network):
    patched(network.last_layer, "forward", lambda loss: 3 * loss)


def relu2_loses_a_row(network):
    def zeroed(out):
        out[-1] = 0
        return out

    patched(network.layers["relu2"], "forward", zeroed)


def block_gradient_doubled(network):
    patched(network.layers["block"], "backward", lambda dx: 2 * dx)


NEW = [
    (bias_twice, {"inception.a, backward, db"}),
    (relu2_loses_a_row, {"relu2, forward, out"}),
    (half_gradient_behind_pool, {"pool, wiring, dout"}),
    (ones_added_before_affine2, {"affine2, wiring, x"}),
    (block_gradient_doubled, {"relu1, wiring, dout"}),
    (one_weight_moved, {"affine1, weights, out"}),
    (decay_in_the_gradient, {"conv1.W, names, grad"}),
    (loss_of_a_sum, {"loss, forward, loss"}),
]


@pytest.mark.parametrize(("bug", "places"), NEW, ids=lambda v: getattr(v, "__name__", ""))
def test_a_new_bug_in_a_network_is_caught_and_placed(bug, places, branched):
    network = copied(branched)
    bug(network)
    _, culprit = examine(network, branched)
    assert str(culprit) in places


def test_nan_and_a_crash_are_caught(branched):
    network = copied(branched)
    patched(network.layers["relu2"], "forward", lambda out: np.where(out > 0, np.nan, out))
    assert str(examine(network, branched)[1]) == "relu2, forward, out"
    network = copied(branched)
    patched(network.layers["lrn"], "backward", lambda dx: dx[:, :1])
    _, culprit = examine(network, branched)
    assert culprit is not None and culprit.layer == "lrn" and culprit.phase == "backward"


# -- scratchcnn.fast --------------------------------------------------------------------------------
def test_every_file_of_the_fast_implementations_has_faults_of_its_own():
    files = [file.stem for file in Path(fast.__file__).parent.glob("*.py") if file.stem != "__init__"]
    counts = Counter(fault.file for fault in FAST_FAULTS.values())
    assert {file: counts[file] for file in files if counts[file] < 2} == {}
    assert set(counts) == set(files)


@pytest.mark.parametrize("seed", [0, *(pytest.param(k, marks=pytest.mark.exhaustive) for k in (1, 2))])
@pytest.mark.parametrize("name", FAST_SUBJECTS)
def test_every_fault_of_the_fast_implementations_is_caught_in_the_calls_as_users_make_them(name, seed):
    on = called_target(name, seed)
    records, culprit = examine_calls(on)
    assert [row for row in records if not row.ok] == [] and culprit is None
    found = list(fast_injections(on))
    assert {i.fault for i in found} == {f.name for f in FAST_FAULTS.values() if name in f.networks}
    assert [(i.fault, str(i.culprit)) for i in found if not (i.caught and i.right)] == []
    assert all(row.ok for row in examine_calls(on)[0])  # nothing is left of them


def test_a_fault_of_a_line_that_is_no_longer_there_is_an_error():
    fault = replace(FAST_FAULTS["a-parts-gradient-lost"], before="copies[7:]")
    missing = r"add_gradients of batch_split.py has 0 times 'copies\[7:\]'"
    with pytest.raises(LookupError, match=missing), fault.put_in():
        pass
