"""Bugs of a longer life: each scenario fails the layer that has the bug, and passes ours."""

import numpy as np
import pytest

from parity.checks.layer import check_kind
from parity.checks.long_life import CALLS, LIVES


class Relu:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class TiresOut(Relu):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x) if self.calls < CALLS // 2 else x.copy()


class SharedMask(Relu):
    kept = {}  # noqa: RUF012  the bug: one for all objects

    def forward(self, x):
        self.kept["mask"] = x > 0
        return x * self.kept["mask"]

    def backward(self, dout):
        return dout * self.kept["mask"]


class TrustsStrides(Relu):
    def forward(self, x):
        steps = np.cumprod((1, *x.shape[:0:-1]))[::-1] * x.itemsize
        return super().forward(np.lib.stride_tricks.as_strided(x, x.shape, steps))


BUGS = {"a hundred calls": TiresOut, "two instances at once": SharedMask, "memory layouts": TrustsStrides}


@pytest.mark.parametrize("scenario", LIVES)
def test_the_scenario_fails_the_layer_with_its_bug_and_no_other(scenario):
    rows = list(check_kind("relu", factory=BUGS[scenario], lives=True))
    assert {row.phase for row in rows if not row.ok} == {scenario}


@pytest.mark.parametrize(
    "kind", ["relu", "convolution", "batch_norm", "dropout", "softmax_with_loss", "im2col"]
)
def test_ours_lives_long(kind):
    rows = [row for row in check_kind(kind, lives=True) if row.phase in LIVES]
    assert rows and all(row.ok for row in rows)
