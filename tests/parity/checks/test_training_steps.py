"""Training steps in lockstep: losses, parameters and optimizer state, and what betrays a bug late."""

import numpy as np
import pytest
from helpers import failed

import scratchcnn as sc
from parity.checks import training_steps as trajectory
from parity.checks.network import Case, check_network
from parity.checks.training_steps import check_steps
from parity.comparison.records import Place
from parity.reference.model_pair import Images
from parity.reference.networks import TORCH_NETWORKS
from parity.reference.vgg_resnet import ResNet
from scratchcnn import NETWORKS
from scratchcnn.optim import OPTIMIZERS

STATE = {
    "sgd": set(),
    "adagrad": {"h"},
    "rmsprop": {"h"},
    "adadelta": {"h", "d"},
    "momentum": {"v"},
    "nesterov": {"v"},
    "adam": {"m", "v"},
    "adamw": {"m", "v"},
    "adamax": {"m", "u"},
    "nadam": {"m", "v"},
}


def steps(rule="momentum", dtype="float64", count=3, network="lenet"):
    rows = check_network(Case(network, dtype, steps=count, optimizer=rule, batch_size=4))
    return [row for row in rows if row.phase.startswith("step")]


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_in_float64_everything_is_compared_at_every_step_and_hardly_differs(rule):
    rows = steps(rule)
    for k in (1, 2, 3):
        tensors = {row.tensor for row in rows if row.phase == f"step {k}"}
        assert tensors == {"loss", "param"} | STATE[rule]
    assert all(row.ok and row.margin < 0.01 for row in rows)


@pytest.mark.parametrize("rule", ["momentum", "adam"])
def test_in_float32_what_is_allowed_is_the_spread_of_pytorchs_own_runs(rule):
    rows = steps(rule, "float32")
    assert failed(rows) == []
    first = max(row.allowed for row in rows if row.tensor == "param" and row.phase == "step 1")
    assert 0 < first < 1e-2
    exact = {(r.phase, r.layer, r.tensor): r.allowed for r in steps(rule)}
    assert all(r.allowed > exact[r.phase, r.layer, r.tensor] for r in rows)


class LateRate(sc.Momentum):
    """Halves its rate from the third step on."""

    calls = 0

    def update(self, params, grads):
        self.calls += 1
        self.lr = 0.005 if self.calls > 2 else self.lr
        super().update(params, grads)


class SpoilsItsState(sc.Momentum):
    """The parameters are right after the first step; what it carries on is not."""

    def update(self, params, grads):
        super().update(params, grads)
        for v in self.v.values():
            v *= 1 + 1e-6


class NaNs(sc.Momentum):
    def update(self, params, grads):
        super().update(params, grads)
        next(iter(params.values())).flat[0] = np.nan


@pytest.mark.parametrize(
    ("wrong", "phase", "tensor"),
    [(LateRate, "step 3", "param"), (SpoilsItsState, "step 1", "v"), (NaNs, "step 1", "param")],
)
def test_a_bug_fails_at_the_step_and_in_the_tensor_where_it_shows(wrong, phase, tensor, monkeypatch):
    monkeypatch.setitem(trajectory.OPTIMIZERS, "momentum", wrong)
    first = next(row for row in steps() if not row.ok)
    assert (first.phase, first.tensor) == (phase, tensor)


def test_a_state_that_is_missing_fails(monkeypatch):
    class Stateless(sc.Momentum):
        def update(self, params, grads):
            super().update(params, grads)
            self.v.pop(next(iter(self.v)))

    monkeypatch.setitem(trajectory.OPTIMIZERS, "momentum", Stateless)
    first = next(row for row in steps(count=1) if not row.ok)
    assert (first.tensor, first.why) == ("v", "missing")


# -- float64 where batch normalization amplifies ---------------------------------------------------
class Side:
    """What a step leaves: the loss and one tensor."""

    def __init__(self, off):
        self.loss = np.asarray(1.0)
        self.array = np.array([1.0, 2.0]) + off

    def tensors(self):
        return {("W", "v"): self.array}


@pytest.mark.parametrize(
    ("off", "spread", "ok"),
    [
        (1e-9, None, True),  # of a scale of 2
        (5e-9, None, False),
        (5e-9, 1e-9, True),  # PyTorch itself moves by 1e-9; eight times that is granted
        (9e-9, 1e-9, False),
        (1e-9, 1e-15, True),  # never less than the logic gate
        (5e-9, np.nan, False),
    ],
)
def test_float64_is_granted_what_pytorch_itself_moves_by(off, spread, ok):
    runs = [] if spread is None else [Side(spread)]
    place = Place("resnet50", "float64", "cpu")
    rows = list(trajectory.compare_step(place, "step 2", Side(off), Side(0.0), runs))
    assert [(row.layer, row.ok, row.proves) for row in rows] == [("loss", True, True), ("W", ok, True)]


@pytest.mark.parametrize(("name", "runs"), [("small", 3), ("lenet", 0)])
def test_only_batch_normalization_asks_for_further_runs(monkeypatch, name, runs):
    monkeypatch.setitem(NETWORKS, "small", lambda rng: sc.ResNet(18, (3, 61, 50), 10, width=4, rng=rng))
    monkeypatch.setitem(TORCH_NETWORKS, "small", lambda: ResNet(18, 10, width=4))
    seen = []
    compare = trajectory.compare_step
    monkeypatch.setattr(trajectory, "compare_step", lambda *args: seen.append(len(args[4])) or compare(*args))
    network = NETWORKS[name](rng=0).astype(np.float64)
    rows = list(check_steps(Case(name, steps=1), network, Images(network, 4, 0), {}))
    assert seen == [runs] and all(row.ok for row in rows)


# -- float32 where a kink was crossed --------------------------------------------------------------
def steps32(monkeypatch):
    """A float32 step of simple_conv_net on one image, and how many of PyTorch's runs it was held against."""
    seen, in_lockstep = [], trajectory.lockstep
    monkeypatch.setattr(
        trajectory,
        "lockstep",
        lambda place, ours, exact, runs, *rest: (
            seen.append(len(runs)) or in_lockstep(place, ours, exact, runs, *rest)
        ),
    )
    network = NETWORKS["simple_conv_net"](rng=0).astype(np.float64)
    case = Case("simple_conv_net", "float32", steps=1, batch_size=1)
    return list(check_steps(case, network, Images(network, 1, 0), {})), seen


def test_a_step_that_passes_is_held_against_few_runs(monkeypatch):
    rows, seen = steps32(monkeypatch)
    assert failed(rows) == [] and seen == [4]


def test_a_bug_fails_against_further_runs_too(monkeypatch):
    right = sc.Affine.backward
    monkeypatch.setattr(sc.Affine, "backward", lambda self, dout: right(self, dout) * np.float32(1.5))
    rows, seen = steps32(monkeypatch)
    assert failed(rows) and seen == [4, 10]


def test_what_further_runs_allow_passes(monkeypatch):
    monkeypatch.setattr(trajectory, "moves", lambda network: ((), (100_000,)))
    network = NETWORKS["simple_conv_net"](rng=0).astype(np.float64)
    case = Case("simple_conv_net", "float32", steps=1, batch_size=1)
    slightly = sc.Affine.backward
    monkeypatch.setattr(sc.Affine, "backward", lambda self, dout: slightly(self, dout) * np.float32(1.0001))
    rows = list(check_steps(case, network, Images(network, 1, 0), {}))
    assert failed(rows) == []
    monkeypatch.setattr(trajectory, "moves", lambda network: ((), (1,)))
    assert failed(check_steps(case, network, Images(network, 1, 0), {}))
