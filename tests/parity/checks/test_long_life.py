"""Bugs of a longer life: each scenario fails the layer that has the bug, and passes ours."""

import numpy as np
import pytest

from parity.checks.layer import check_kind
from parity.checks.long_life import CALLS, LIVES, by_image
from parity.kinds import ALL_KINDS, kind_of


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


class SharedByShape(Relu):
    kept = {}  # noqa: RUF012  the bug: objects that see one shape share it

    def forward(self, x):
        self.kept[x.shape] = x > 0
        return x * self.kept[x.shape]

    def backward(self, dout):
        return dout * self.kept[dout.shape]


class NeedsBothSigns(Relu):
    def backward(self, dout):
        return super().backward(dout) * (2 if (dout == 1).all() else 1)


class TrustsStrides(Relu):
    def forward(self, x):
        steps = np.cumprod((1, *x.shape[:0:-1]))[::-1] * x.itemsize
        return super().forward(np.lib.stride_tricks.as_strided(x, x.shape, steps))


class SpreadsNaN(Relu):
    """One odd number takes the whole batch with it."""

    def forward(self, x):
        return super().forward(x) + 0 * x.sum(dtype=x.dtype)


class WritesOver(Relu):
    def used_twice(self, x):  # as an engine of numbers has it
        return {"x + x": np.ones_like(x)}


class TakesNumbersWrongly(Relu):
    def expressions(self, x, slope):  # as an operator of an engine has them
        return {"out of x - 3": x + 3}


BUGS = [
    ("a hundred calls", TiresOut),
    ("two instances at once", SharedMask),
    ("two instances at once", SharedByShape),
    ("memory layouts", TrustsStrides),
    ("one sign", NeedsBothSigns),
    ("NaN and infinity", SpreadsNaN),
    ("a number used twice", WritesOver),
    ("plain numbers and axes", TakesNumbersWrongly),
]


def test_every_scenario_has_its_bug():
    assert {scenario for scenario, _ in BUGS} == {*LIVES}


@pytest.mark.parametrize("scenario, bug", BUGS)
def test_the_scenario_fails_the_layer_with_its_bug_and_no_other(scenario, bug):
    rows = list(check_kind("relu", factory=bug, lives=True))
    assert {row.phase for row in rows if not row.ok} == {scenario}


@pytest.mark.parametrize(
    "kind", ["relu", "convolution", "batch_norm", "dropout", "softmax_with_loss", "im2col"]
)
def test_ours_lives_long(kind):
    rows = [row for row in check_kind(kind, lives=True) if row.phase in LIVES]
    assert rows and all(row.ok for row in rows)


@pytest.mark.parametrize("kind", [kind for kind in ALL_KINDS if kind_of(kind).role == "layer"])
def test_our_layers_keep_odd_images_apart(kind):
    rows = [row for row in check_kind(kind, lives=True) if row.phase == "NaN and infinity"]
    assert all(row.ok for row in rows)
    assert {row.tensor for row in rows} == ({"out", "dx"} if by_image(kind) else set())


class RefusesNaN(Relu):
    def forward(self, x):
        if not np.isfinite(x).all():
            raise ValueError("x holds NaN")
        return super().forward(x)


class TurnsNaNTo0(Relu):
    def forward(self, x):
        return super().forward(np.nan_to_num(x))


@pytest.mark.parametrize("right", [RefusesNaN, TurnsNaNTo0])
def test_what_becomes_of_an_odd_image_is_free(right):
    assert all(row.ok for row in check_kind("relu", factory=right, lives=True))
