"""Both frameworks trained side by side, on a few images so that it takes a second."""

from dataclasses import replace

import numpy as np
import pytest

import scratchcnn as sc
from parity.checks import training
from parity.checks.training import Outcome, Plan, predictions, torch_predictions, train_both
from scratchcnn.data import load


@pytest.fixture(autouse=True)
def few_images(monkeypatch):
    data = load()
    few = replace(
        data,
        x_train=data.x_train[:530],
        t_train=data.t_train[:530],
        x_test=data.x_test[:50],
        t_test=data.t_test[:50],
    )
    monkeypatch.setattr(training, "load", lambda *args, **options: few)


def plan(network="lenet", dtype="float64", **options):
    return Plan(network, dtype, epochs=2, batch_size=50, **options)


@pytest.mark.parametrize("network", ["simple_conv_net", "lenet", "lenet5"])
def test_float64_ends_with_the_same_predictions(network):
    told = []
    outcome = train_both(plan(network), lambda done, total: told.append((done, total)))
    assert outcome.same_predictions == 1 and outcome.accuracy == outcome.torch_accuracy
    assert outcome.ok == (network == "simple_conv_net")  # the LeNets learn nothing from so few images
    assert outcome.history["max_loss_difference"].max() < 1e-9
    assert told == [(k, 22) for k in range(1, 23)]


def test_float32_ends_alike():
    outcome = train_both(plan("simple_conv_net", "float32"))
    assert abs(outcome.accuracy - outcome.torch_accuracy) <= 0.02
    assert 0 < outcome.history["max_loss_difference"].max() < 1e-3


def test_it_learns_and_the_history_has_a_row_an_epoch():
    outcome = train_both(plan("simple_conv_net"))
    table = outcome.history
    assert table["epoch"].tolist() == [1, 2] and table["train_loss"].is_monotonic_decreasing
    assert set(table["network"]) == {"simple_conv_net"} and (table["images_per_s"] > 0).all()


def test_another_decay_on_one_side_does_not_pass(monkeypatch):
    monkeypatch.setattr(training, "Adam", lambda lr: sc.Adam(lr, beta1=0.5))
    outcome = train_both(plan("simple_conv_net"))
    assert not outcome.ok and outcome.same_predictions < 1


def outcome(dtype, same, ours, theirs):
    return Outcome(Plan("lenet", dtype), None, same, ours, theirs, chance=0.1)


VERDICTS = {
    "float64, all the same": (outcome("float64", 1.0, 0.8, 0.8), True),
    "float64, one apart": (outcome("float64", 0.999, 0.8, 0.8), False),
    "float32, half a point": (outcome("float32", 0.95, 0.804, 0.8), True),
    "float32, half a point to the digit": (outcome("float32", 0.99, 0.845, 0.84), True),
    "float32, more": (outcome("float32", 0.95, 0.8, 0.806), False),
    "float64, all the same, nothing learnt": (outcome("float64", 1.0, 0.1, 0.1), False),
    "float32, NaN": (outcome("float32", 0.0, np.nan, 0.8), False),
}


@pytest.mark.parametrize(("found", "ok"), VERDICTS.values(), ids=VERDICTS)
def test_verdicts(found, ok):
    assert found.ok is ok


def test_the_sentence():
    assert outcome("float32", 0.95, 0.804, 0.8).sentence() == (
        "lenet float32: test accuracy 80.40% (NumPy) and 80.00% (PyTorch) after 3 epochs; "
        "95.00% of the predictions are the same"
    )


@pytest.mark.parametrize("name", ["lenet", "lenet5"])
def test_predictions_of_both_sides_have_one_meaning(name):
    """LeNet-5's outputs are penalties: the smallest wins."""
    network, module = training.build_pair(name, np.dtype(np.float64), "cpu", 0)
    x = load().x_test[:30]
    ours = predictions(network, x, batch_size=7)
    np.testing.assert_array_equal(ours, network.predict(x).argmax(axis=1))
    np.testing.assert_array_equal(ours, torch_predictions(module, x, plan(name), batch_size=11))
    assert module.training
