"""New bugs, in no catalogue: each is caught, its tensor is named, and its diagnosis is "unknown"."""

import numpy as np
import pytest

import scratchcnn as sc
from parity.checks.layer import check_kind
from parity.faults import FAULTS
from parity.faults.diagnose import UNKNOWN, diagnose, observe, wrong_first
from parity.kinds import kind_of
from parity.kinds.probes import probes


class LastFilterNegative(sc.Convolution):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["W"][-1] *= -1
        return dx


class AddsItsBias(sc.Convolution):
    def backward(self, dout):
        return super().backward(dout) + (0 if self.b is None else self.b.mean())


class GradientClipped(sc.Pooling):
    def backward(self, dout):
        return np.clip(super().backward(dout), -1, 1)


class CappedAtThree(sc.Relu):
    def forward(self, x):
        return np.minimum(super().forward(x), 3)


class SlightlySmaller(sc.LocalResponseNormalization):
    def backward(self, dout):
        return super().backward(dout) * (1 - 1e-6)


class RowsOfUnitLength(sc.SoftmaxWithLoss):
    def backward(self, dout=1):
        dx = super().backward(dout)
        return dx / np.linalg.norm(dx, axis=1, keepdims=True)


class SkipsEveryThird(sc.SGD):
    steps = 0

    def update(self, params, grads):
        self.steps += 1
        if self.steps % 3:
            super().update(params, grads)


class RestartsItsVelocity(sc.Momentum):
    steps = 0

    def update(self, params, grads):
        self.steps += 1
        if self.steps == 4:
            self.v = None
        super().update(params, grads)


class NoPatience(sc.Adam):
    def update(self, params, grads):
        super().update(params, {k: np.clip(g, -1, 1) for k, g in grads.items()})


class DriftsByEps(sc.BatchNormalization):
    def forward(self, x):
        out = super().forward(x)
        if self.training:
            self.running_var += self.eps
        return out


NEW = {
    "dW": ("convolution", LastFilterNegative),
    "dx": ("convolution", AddsItsBias),
    "dx ": ("max_pooling", lambda *a, **o: GradientClipped(*a, mode="max", **o)),
    "out": ("relu", CappedAtThree),
    "dx  ": ("lrn", SlightlySmaller),
    "dx   ": ("softmax_with_loss", RowsOfUnitLength),
    "W step 3": ("sgd", SkipsEveryThird),
    "W step 4": ("momentum", RestartsItsVelocity),
    "W step 2": ("adam", NoPatience),
    "running_var": ("batch_norm", DriftsByEps),
}


@pytest.mark.parametrize("tensor", NEW, ids=lambda t: f"{NEW[t][0]} {t.strip()}")
def test_a_new_bug_is_caught_its_tensor_named_and_nothing_guessed(tensor):
    kind, factory = NEW[tensor]
    seen = observe(kind, factory)
    first = next(row for row in seen.records if not row.ok)
    assert (first.dtype, first.tensor) == ("float64", tensor.strip())
    assert diagnose(seen) is UNKNOWN and str(UNKNOWN).startswith("unknown")


@pytest.mark.parametrize("name", ["conv-db-mean", "max-pool-ties-to-last", "adam-book-epsilon", "relu-leaky"])
def test_a_known_bug_is_named_with_what_is_left_over(name):
    fault = FAULTS[name]
    found = diagnose(observe(fault.kind, fault.make))
    assert found.fault == name and found.residual < 1e-12
    assert fault.says in str(found)


def test_a_known_bug_with_a_new_one_on_top_is_unknown():
    class Both(FAULTS["conv-db-mean"].make):
        def backward(self, dout):
            return super().backward(dout) * 1.001

    assert diagnose(observe("convolution", Both)) is UNKNOWN


def test_a_right_layer_has_no_diagnosis():
    seen = observe("affine", kind_of("affine").ours)
    assert seen.ok and diagnose(seen) is UNKNOWN


def test_the_check_knows_nothing_of_the_catalogue(monkeypatch):
    before = list(check_kind("relu", factory=CappedAtThree))
    for module in ("parity.faults", "parity.faults.catalogue", "parity.faults.diagnose"):
        monkeypatch.setattr(f"{module}.FAULTS", {})
    assert diagnose(observe("relu", FAULTS["relu-leaky"].make)) is UNKNOWN  # it is gone
    after = list(check_kind("relu", factory=CappedAtThree))
    assert any(not r.ok for r in before)
    assert [(r.case, r.tensor, r.ok) for r in before] == [(r.case, r.tensor, r.ok) for r in after]


def test_what_was_wrong_is_tried_first_and_nothing_is_left_out():
    class Widens(sc.Relu):
        def forward(self, x):
            return np.asarray(super().forward(x), np.float64)

    cases = probes("relu")
    seen = observe("relu", Widens, cases=cases)
    pairs = [(probe.id, dtype) for probe, dtype in wrong_first(seen, cases)]
    assert sorted(pairs) == sorted((probe.id, dtype) for probe in cases for dtype in ("float64", "float32"))
    assert {dtype for _, dtype in pairs[: len(cases)]} == {"float32"}
