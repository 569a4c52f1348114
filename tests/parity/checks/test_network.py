"""check_network passes correct networks and points at the layer that is wrong; check_kind likewise."""

import numpy as np
import pytest
from helpers import failed

import scratchcnn as sc
from parity.checks import network as check
from parity.checks import training_steps as trajectory
from parity.checks.layer import check_kind
from parity.checks.network import Case, check_network, subject_of, traced
from parity.comparison.records import frame
from parity.kinds import KINDS
from parity.reference.networks import TORCH_NETWORKS, AlexNet
from parity.reference.trace import Trace
from scratchcnn import NETWORKS
from scratchcnn.optim import OPTIMIZERS

SMALL = ["simple_conv_net", "lenet", "lenet5"]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", SMALL)
def test_correct_networks_pass(name, dtype, seed):
    rows = list(check_network(Case(name, dtype, seed=seed, steps=2)))
    assert failed(rows) == []
    assert {row.phase for row in rows} >= {"forward", "alone", "step 1", "step 2"}
    assert all(row.margin < 0.01 for row in rows if dtype == "float64")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_every_optimizer_keeps_step(rule, dtype):
    rows = list(check_network(Case("lenet", dtype, steps=3, optimizer=rule)))
    assert failed(rows) == []
    states = {row.tensor for row in rows if row.phase == "step 3"} - {"loss", "param"}
    assert states == {
        "sgd": set(),
        "adagrad": {"h"},
        "rmsprop": {"h"},
        "adadelta": {"h", "d"},
        "adamax": {"m", "u"},
    }.get(rule, {"m", "v"} if "adam" in rule else {"v"})


@pytest.mark.parametrize("name", SMALL)
def test_every_layer_and_parameter_is_compared(name):
    rows, network = list(check_network(Case(name, steps=1))), NETWORKS[name](rng=0)
    found = {(row.phase, row.layer, row.tensor) for row in rows}
    for path, layer in network.layers.leaves():
        assert {
            ("forward", path, "out"),
            ("backward", path, "dx"),
            ("alone", path, "out"),
            ("alone", path, "dx"),
        } <= found
        assert {("alone", path, f"d{key}") for key in layer.params} <= found
    for key in network.params:
        assert {("backward", key, "grad"), ("step 1", key, "param"), ("step 1", key, "v")} <= found
    assert {("forward", "loss", "loss"), ("step 1", "loss", "loss")} <= found
    assert {("step 1", key, "buffer") for key in network.buffers} <= found


@pytest.mark.slow
def test_alexnet_passes(monkeypatch):
    """In full, of four units and for images of 99x99; its gradients at full size follow below."""
    monkeypatch.setitem(
        NETWORKS, "alexnet", lambda rng: sc.AlexNet((3, 99, 99), hidden_size=4, output_size=10, rng=rng)
    )
    monkeypatch.setitem(
        TORCH_NETWORKS, "alexnet", lambda: AlexNet(input_size=99, hidden_size=4, output_size=10)
    )
    rows = list(check_network(Case("alexnet", "float64", steps=2)))
    assert failed(rows) == [] and max(row.max_rel for row in rows) < 1e-9
    assert {row.phase for row in rows} >= {"forward", "backward", "alone", "step 1", "step 2"}


@pytest.mark.slow
def test_alexnet_of_full_size_passes():
    rows = list(traced(*subject_of(Case("alexnet", "float64", steps=0, batch_size=1)), Trace()))
    assert failed(rows) == []
    shapes = {(row.layer, row.phase, row.tensor): row.shape for row in rows}
    assert shapes["conv1", "forward", "out"] == (1, 96, 55, 55)
    assert shapes["fc6.W", "backward", "grad"] == (9216, 4096)
    assert max(row.max_rel for row in rows) < 1e-9


def test_the_same_seed_gives_the_same_records():
    first, second = (list(check_network(Case("lenet", seed=4, steps=1))) for _ in range(2))
    assert first == second
    other = list(check_network(Case("lenet", seed=5, steps=1)))
    assert [row.max_abs for row in other] != [row.max_abs for row in first]


def test_there_is_a_torch_network_for_each_of_ours():
    assert set(TORCH_NETWORKS) == set(NETWORKS)


def test_the_frame_is_tidy():
    table = frame(check_network(Case("simple_conv_net", "float32", steps=1)))
    columns = [
        "network",
        "layer",
        "phase",
        "tensor",
        "dtype",
        "device",
        "shape",
        "max_abs",
        "max_rel",
        "allowed",
        "margin",
        "exact",
        "ok",
    ]
    assert [column for column in table.columns if column in columns] == columns
    assert table["ok"].dtype == bool and table["ok"].all() and table["margin"].dtype == float
    assert set(table["network"]) == {"simple_conv_net"} and set(table["device"]) == {"cpu"}
    assert (
        table.loc[table["phase"].eq("forward") & table["layer"].eq("Conv1"), "shape"].item() == "8x30x24x24"
    )
    assert table.loc[table["phase"].eq("forward") & table["layer"].eq("loss"), "shape"].item() == "scalar"
    assert frame([]).empty and list(frame([]).columns) == list(table.columns)


# -- networks with one wrong layer ----------------------------------------------------------------
class MeanDb(sc.Convolution):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["b"] = dout.mean(axis=(0, 2, 3))
        return dx


class FlippedDx(sc.Convolution):
    def backward(self, dout):
        dx = super().backward(dout)
        return dx[:, :, ::-1]


class AllTies(sc.Pooling):
    """dout goes to every pixel that is as large as the winner."""

    def backward(self, dout):
        out = self.out.repeat(2, axis=2).repeat(2, axis=3)
        return (self.x == out) * dout.repeat(2, axis=2).repeat(2, axis=3)

    def forward(self, x):
        self.x, self.out = x.copy(), super().forward(x)
        return self.out


class SumPooling(sc.Pooling):
    def forward(self, x):
        return 4 * super().forward(x)


class ForgetfulSigmoid(sc.Sigmoid):
    def backward(self, dout):
        (y,) = self.recall()
        return dout * (1 - y)


class ShiftedRelu(sc.Relu):
    def forward(self, x):
        return super().forward(x) + x.dtype.type(1e-3)


class HalfDw(sc.Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["W"] = self.grads["W"] / len(dout)
        return dx


class UnmaskedDw(sc.PartialConvolution):
    def backward(self, dout):
        connections, self.connections = self.connections, np.ones_like(self.connections)
        try:
            return super().backward(dout)
        finally:
            self.connections = connections


class NoCoefficient(sc.Subsampling):
    def backward(self, dout):
        return super().backward(dout) / self.coefficient[:, None, None]


class NotMean(sc.SoftmaxWithLoss):
    def backward(self, dout=1):
        return super().backward(dout) * len(self.y)


BROKEN = {  # network, layer, what it becomes, the tensor that is wrong
    "conv: db is a mean": ("simple_conv_net", "Conv1", MeanDb, "db"),
    "pooling: dx to all ties": ("simple_conv_net", "Pool1", AllTies, "dx"),
    "relu: shifted": ("simple_conv_net", "Relu2", ShiftedRelu, "out"),
    "affine: dW is a mean": ("simple_conv_net", "Affine2", HalfDw, "dW"),
    "conv: dx upside down": ("lenet", "conv2", FlippedDx, "dx"),
    "pooling: a sum": ("lenet", "pool1", SumPooling, "out"),
    "sigmoid: y forgotten": ("lenet", "sigmoid2", ForgetfulSigmoid, "dx"),
    "partial convolution: dW everywhere": ("lenet5", "c3", UnmaskedDw, "dW"),
    "subsampling: coefficient forgotten": ("lenet5", "s2", NoCoefficient, "dx"),
}


def broken(monkeypatch, path, wrong):
    """check_network gets a pair whose layer at `path` is wrong in ours."""
    build_pair = check.build_pair

    def build(*args):
        network, module = build_pair(*args)
        layer = network.last_layer if path == "loss" else dict(network.layers.leaves())[path]
        layer.__class__ = wrong
        return network, module

    monkeypatch.setattr(check, "build_pair", build)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "path", "wrong", "tensor"), BROKEN.values(), ids=BROKEN)
def test_a_broken_layer_is_the_only_one_that_fails_alone(name, path, wrong, tensor, dtype, monkeypatch):
    broken(monkeypatch, path, wrong)
    rows = [row for row in check_network(Case(name, dtype, steps=0)) if not row.ok]
    alone = [row for row in rows if row.phase == "alone"]
    assert (alone[0].layer, alone[0].tensor) == (path, tensor)
    assert {row.layer for row in alone} == {path}


# Ties behind a Relu are zeros, whose gradient the Relu drops again: only `alone` can see that fault.
SHOWS = {case: fault[:3] for case, fault in BROKEN.items() if fault[2] is not AllTies}


@pytest.mark.parametrize(("name", "path", "wrong"), SHOWS.values(), ids=SHOWS)
def test_a_broken_layer_shows_in_a_training_step_too(name, path, wrong, monkeypatch):
    broken(monkeypatch, path, wrong)
    rows = [row for row in check_network(Case(name, "float64", steps=1)) if not row.ok]
    assert any(row.phase == "step 1" and row.tensor == "param" for row in rows)


def test_the_first_failing_output_is_that_of_the_broken_layer(monkeypatch):
    broken(monkeypatch, "pool1", SumPooling)
    first = next(row for row in check_network(Case("lenet", steps=0)) if not row.ok)
    assert (first.phase, first.layer, first.tensor) == ("forward", "pool1", "out")


def test_a_broken_loss_is_named(monkeypatch):
    broken(monkeypatch, "loss", NotMean)
    rows = [row for row in check_network(Case("lenet", steps=0)) if not row.ok]
    assert {(row.layer, row.tensor) for row in rows if row.phase == "alone"} == {("loss", "dx")}


def test_a_missing_gradient_fails(monkeypatch):
    class Silent(sc.Affine):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads["b"] = np.zeros(0)
            return dx

    broken(monkeypatch, "affine3", Silent)
    rows = [row for row in check_network(Case("lenet", steps=0)) if not row.ok]
    assert ("affine3.b", "grad", "shape (0,), expected (10,)") in {
        (row.layer, row.tensor, row.why) for row in rows
    }


# -- a wrong optimizer ----------------------------------------------------------------------------
class Hasty(sc.Momentum):
    """One percent too fast."""

    def update(self, params, grads):
        super().update(params, {key: grad * grad.dtype.type(1.01) for key, grad in grads.items()})


class Forgetful(sc.Momentum):
    """Starts anew at every step: right at the first, wrong from the second on."""

    def update(self, params, grads):
        for velocity in self.v.values():
            velocity[...] = 0
        super().update(params, grads)


@pytest.mark.parametrize(("wrong", "step"), [(Hasty, 1), (Forgetful, 2)], ids=["rate", "momentum lost"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_wrong_optimizer_fails_from_the_step_at_which_it_shows(wrong, step, dtype, monkeypatch):
    monkeypatch.setitem(trajectory.OPTIMIZERS, "momentum", wrong)
    rows = [row for row in check_network(Case("simple_conv_net", dtype, steps=3)) if not row.ok]
    assert rows[0].phase == f"step {step}" and rows[0].tensor in ("param", "v")
    assert {row.phase for row in rows} == {f"step {k}" for k in range(step, 4)}


# -- layers by themselves -------------------------------------------------------------------------
KIND_FAULTS = {
    "convolution": (MeanDb, "db"),
    "sigmoid": (ForgetfulSigmoid, "dx"),
    "relu": (ShiftedRelu, "out"),
    "affine": (HalfDw, "dW"),
    "partial_convolution": (UnmaskedDw, "dW"),
    "subsampling": (NoCoefficient, "dx"),
    "softmax_with_loss": (NotMean, "dx"),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("kind", "fault"), KIND_FAULTS.items(), ids=KIND_FAULTS)
def test_check_kind_fails_the_wrong_tensor_only(kind, fault, dtype):
    wrong, tensor = fault
    rows = [row for row in check_kind(kind, dtype, factory=wrong) if row.phase in ("forward", "backward")]
    assert {row.tensor for row in rows if not row.ok} == {tensor}


@pytest.mark.parametrize("kind", ["convolution", "affine"])
def test_check_kind_says_which_tensor_is_missing(kind):
    class Mute(sc.Affine if kind == "affine" else sc.Convolution):
        db = None

    why = {row.why for row in check_kind(kind, factory=Mute) if row.tensor == "db" and not row.ok}
    assert why == {"missing"}


def test_unknown_kinds_are_refused():
    with pytest.raises(
        ValueError, match="no kind named 'convolutions'; there are im2col, col2im, convolution"
    ):
        list(check_kind("convolutions", factory=sc.Relu))
    assert "convolution" in KINDS
