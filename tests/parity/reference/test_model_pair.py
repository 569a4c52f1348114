"""The two sides: the same weights, real images, and float32 runs one unit in the last place apart."""

import numpy as np
import pytest
import torch

from parity.kinds.kind import to_numpy
from parity.reference.model_pair import ONE_ULP, Images, build_pair, has_kinks, nudge, ulp_runs
from parity.reference.trace import draw_masks, dropout_shapes, injected, torch_injected
from parity.reference.weights import links, named_tensors
from scratchcnn import Affine, Dropout, Network, Sequential
from scratchcnn.data import load


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_both_sides_start_alike_and_from_the_seed(dtype):
    network, module = build_pair("lenet5", np.dtype(dtype), "cpu", seed=3)
    tensors = named_tensors(module)
    for link in links(network):
        np.testing.assert_array_equal(link.out(), to_numpy(tensors[link.theirs]))
    assert network.dtype == dtype and module.training
    again, _ = build_pair("lenet5", np.dtype(np.float32), "cpu", seed=3)
    assert all((network.params[key] == again.params[key]).all() for key in again.params)


def test_images_are_real_dequantised_and_repeat_with_the_seed():
    network, _ = build_pair("lenet", np.dtype(np.float32), "cpu", 0)
    (x, t), (again, _) = Images(network, 8, 1).batch(), Images(network, 8, 1).batch()
    np.testing.assert_array_equal(x, again)
    assert x.shape == (8, 1, 28, 28) and x.dtype == np.float32 and t.dtype == np.int64
    assert x.min() >= 0 and x.max() <= 1
    pixels = (load().x_train * 255).round().astype(int).reshape(5000, -1)
    rows = np.floor(x.reshape(8, -1).astype(np.float64) * 256).astype(int)
    for row, label in zip(rows, t, strict=True):
        same = np.flatnonzero((np.abs(pixels - row) <= 1).all(axis=1))
        assert label in load().t_train[same]
    assert len(np.unique(x)) > 0.95 * x.size  # no ties by accident


def test_the_batches_of_a_run_differ():
    images = Images(build_pair("lenet", np.dtype(np.float32), "cpu", 0)[0], 8, 1)
    assert not np.array_equal(images.batch()[0], images.batch()[0])


def test_nudge_moves_every_weight_by_one_unit_in_the_last_place():
    _, module = build_pair("lenet", np.dtype(np.float32), "cpu", 0)
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    nudge(module.parameters(), seed=1)
    for name, p in module.named_parameters():
        up = torch.nextafter(before[name], torch.tensor(torch.inf))
        down = torch.nextafter(before[name], torch.tensor(-torch.inf))
        assert ((p == up) | (p == down)).all() and not torch.equal(p, before[name])


def test_ulp_runs_are_the_plain_one_and_nudged_ones():
    network, module = build_pair("lenet", np.dtype(np.float32), "cpu", 0)
    plain, *others = ulp_runs("lenet", network, "cpu")
    assert len(others) == len(ONE_ULP)
    assert torch.equal(plain.conv1.weight, module.conv1.weight)
    weights = [tuple(m.conv1.weight.flatten().tolist()) for m in (plain, *others)]
    assert len(set(weights)) == len(others) + 1


def test_nudge_by_several_units():
    _, module = build_pair("lenet", np.dtype(np.float32), "cpu", 0)
    before = module.conv1.weight.detach().clone()
    nudge(module.parameters(), seed=1, ulps=64)
    moved = ((module.conv1.weight - before) / torch.from_numpy(np.spacing(before.abs().numpy()))).abs()
    assert ((moved >= 32) & (moved <= 64)).all()


@pytest.mark.parametrize(("name", "kinks"), [("simple_conv_net", True), ("lenet", False), ("lenet5", False)])
def test_kinks(name, kinks):
    assert has_kinks(build_pair(name, np.dtype(np.float32), "cpu", 0)[0]) is kinks


# -- dropout masks --------------------------------------------------------------------------------
def with_dropout():
    layers = {"fc1": Affine(np.ones((6, 50)), np.zeros(50)), "drop": Dropout(0.3, rng=0)}
    return Network((1, 2, 3), 2, Sequential(layers | {"fc2": Affine(np.ones((50, 2)), np.zeros(2))}))


def test_both_sides_use_the_same_masks():
    network = with_dropout()
    shapes = dropout_shapes(network)
    assert shapes == {"drop": ((50,), 0.3)}
    masks = draw_masks(shapes, 40, np.random.default_rng(0))
    assert masks["drop"].shape == (40, 50) and abs(masks["drop"].mean() - 0.7) < 0.05
    module, x = torch.nn.Sequential(), np.ones((40, 50))
    module.add_module("drop", torch.nn.Dropout(0.3))
    with injected(network, masks), torch_injected(module, masks):
        ours = network.layers["drop"].forward(x)
        np.testing.assert_allclose(ours, module(torch.tensor(x)).numpy(), rtol=1e-15)
    np.testing.assert_array_equal(ours != 0, masks["drop"])
    assert not np.array_equal(network.layers["drop"].forward(x), ours)
    assert not np.array_equal(module(torch.tensor(x)).numpy(), ours)


def test_a_mask_for_what_is_no_dropout_is_refused():
    module = torch.nn.Sequential()
    module.add_module("drop", torch.nn.ReLU())
    mask = np.ones((2, 3), bool)
    with pytest.raises(TypeError, match=r"drop: expected nn.Dropout in the torch network, found ReLU"):
        torch_injected(module, {"drop": mask}).__enter__()
    with pytest.raises(KeyError, match=r"the torch network has no module named 'Drop2' or 'drop2'; it has"):
        torch_injected(module, {"Drop2": mask}).__enter__()
