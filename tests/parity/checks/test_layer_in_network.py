"""A layer by itself on the reference's numbers: where its terms cancel, it is asked once more."""

import numpy as np
import pytest

import scratchcnn as sc
from parity.checks.layer_in_network import ONE_SIGN, check_alone, each_probe
from parity.comparison.records import Place
from parity.reference.trace import trace_ours

RNG = np.random.default_rng(0)


class Slightly(sc.Convolution):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["b"] = self.grads["b"] * np.float32(1.01)
        return dx


def network(kind):
    conv = kind(RNG.standard_normal((2, 1, 3, 3), dtype=np.float32), np.zeros(2, np.float32), 1, 1)
    affine = sc.Affine(RNG.standard_normal((2 * 48 * 50, 3), dtype=np.float32), np.zeros(3, np.float32))
    return sc.Network((1, 48, 50), 3, sc.Sequential({"conv": conv, "affine": affine}))


def rows_of(kind, cancels):
    """The records of conv's db; its cotangent, a hundred times as large as its sum, cancels or not."""
    ours = network(kind)
    x, t = RNG.standard_normal((4, 1, 48, 50), dtype=np.float32), np.arange(4) % 3
    exact = trace_ours(network(sc.Convolution).astype(np.float64), x, t)
    dout = exact.douts["conv"] = np.ones((4, 2, 48, 50))
    if cancels:
        dout[:, :, :, ::2] = -1 + 1e-4
    dout[:, 1] *= 2
    found = check_alone(Place("small", "float32", "cpu"), ours, each_probe(ours, exact, t, {}))
    return [row for row in found if (row.layer, row.tensor) == ("conv", "db")]


def test_a_gradient_that_cancels_is_compared_again():
    rows = rows_of(sc.Convolution, cancels=True)
    assert [(row.case, row.ok, row.proves) for row in rows] == [("", True, False), (ONE_SIGN, True, True)]


def test_and_an_error_that_the_first_comparison_lets_pass_is_seen():
    rows = rows_of(Slightly, cancels=True)
    assert [(row.case, row.ok) for row in rows] == [("", True), (ONE_SIGN, False)]


@pytest.mark.parametrize(("kind", "ok"), [(sc.Convolution, True), (Slightly, False)])
def test_one_that_does_not_cancel_is_compared_once(kind, ok):
    assert [(row.case, row.ok) for row in rows_of(kind, cancels=False)] == [("", ok)]
