"""Two known bugs at once are named together; a known one beside an unknown one stays unknown."""

import numpy as np
import pytest

from parity.adapters.conventions import ADAPTERS
from parity.faults.diagnose import diagnose, observe
from parity.faults.diagnose_dtypes import diagnose_apart
from parity.kinds.probes import probes


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.shape, self.x = x.shape, x.reshape(len(x), -1).copy()
        return self.x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return (dout @ self.W.T).reshape(self.shape)


class BothMeans(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW, self.db = self.dW / len(dout), dout.mean(axis=0)
        return dx


class OneKnown(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW, self.db = self.dW * 1.25, dout.mean(axis=0)
        return dx


class Loss:
    """The book's logarithm, and y - t without its division."""

    def forward(self, x, t):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        self.t = t if t.ndim == 1 else t.argmax(axis=1)
        right = self.y[np.arange(len(x)), self.t]
        return -np.log(right + x.dtype.type(1e-7)).sum() / x.dtype.type(len(x))

    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(dx)), self.t] -= 1
        return dx


PAIRS = {
    "dW and db": ("affine", BothMeans, {"affine-db-mean", "affine-dw-mean"}),
    "loss and dx": ("softmax_with_loss", Loss, {"loss-gradient-not-divided", "loss-clamped-logarithm"}),
}


@pytest.mark.parametrize(("kind", "broken", "names"), PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("seed", [0, 7])
def test_two_bugs_in_different_results_are_named_together(kind, broken, names, seed):
    takes_b = [p for p in probes(kind, seed) if kind != "affine" or "b" in p.args]
    found = diagnose(observe(kind, broken, cases=takes_b, seed=seed), takes_b, seed)
    assert set(found.fault.split(" + ")) == names


def test_a_known_bug_beside_an_unknown_one_is_unknown():
    cases = [p for p in probes("affine") if "b" in p.args]
    assert not diagnose(observe("affine", OneKnown, cases=cases), cases).fault


def test_two_bugs_are_named_through_float64_from_float32():
    class Wide(BothMeans):
        def forward(self, x):
            return super().forward(x).astype(np.float64)

    cases = [p for p in probes("affine") if "b" in p.args]
    seen = observe("affine", Wide, cases=cases)
    found = diagnose_apart(seen, cases, 0, ADAPTERS["book"])
    assert set(found.fault.split(" + ")) == {"affine-db-mean", "affine-dw-mean"} and found.besides
