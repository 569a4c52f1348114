"""A sigmoid whose input is cut off before the exponential is right but for that; another bug is wrong."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Sigmoid:
    low, high = -20, 20

    def forward(self, x):
        self.x = x
        self.y = 1.0 / (1.0 + np.exp(-np.clip(x, self.low, self.high)))
        return self.y

    def backward(self, dout):
        return dout * self.y * (1.0 - self.y)


class AboveAlone(Sigmoid):
    """Cut off where the exponential overflows, below 0, and with no slope there."""

    low, high = -15, None

    def backward(self, dout):
        return super().backward(dout) * (self.x >= self.low)


class Swish(Sigmoid):
    def forward(self, x):
        return x * super().forward(x)

    def backward(self, dout):
        return dout * (self.y + self.x * self.y * (1.0 - self.y))


class TooNear(Sigmoid):
    low, high = -3, 3


class OfHalf(Sigmoid):
    def backward(self, dout):
        return super().backward(dout) / 2


class SwishWithoutX(Swish):
    def backward(self, dout):
        return dout * (self.y + self.y * (1.0 - self.y))


@pytest.mark.parametrize(
    ("layer", "kind", "limits"),
    [(Sigmoid, "sigmoid", "-20 and 20"), (AboveAlone, "sigmoid", "-15"), (Swish, "silu", "-20 and 20")],
    ids=["sigmoid", "below 0 alone", "swish"],
)
def test_right_but_for_the_limits(layer, kind, limits):
    verdict = verify(layer, kind)
    assert verdict.outcome == "right_but", str(verdict)
    assert f"the input of its sigmoid is cut off at {limits}" in verdict.buts, str(verdict)
    assert verify(layer, kind, allow=["clips-its-input", "float64-from-float32"]).outcome == "right"


@pytest.mark.parametrize(
    ("layer", "kind"),
    [(TooNear, "sigmoid"), (OfHalf, "sigmoid"), (SwishWithoutX, "silu")],
    ids=["3", "half", "x"],
)
def test_another_bug_is_wrong(layer, kind):
    assert verify(layer, kind).outcome == "wrong"


class LabelsToo:
    """A binary cross entropy of each output, whose labels its constructor takes."""

    eps = 1e-7
    part = 1.0

    def __init__(self, y):
        self.y = np.clip(y, self.eps, 1.0 - self.eps)

    def forward(self, x):
        self.p = np.clip(x, self.eps, 1.0 - self.eps)
        return -(self.y * np.log(self.p) + self.part * (1 - self.y) * np.log(1 - self.p))

    def backward(self, dout):
        return dout * (self.p - self.y) / (self.p - self.p**2)


class LabelsFar(LabelsToo):
    eps = 1e-2


class LabelsAndABug(LabelsToo):
    part = 0.5


class LabelsSign(LabelsToo):
    def backward(self, dout):
        return -super().backward(dout)


def test_labels_that_are_cut_off():
    verdict = verify(LabelsToo, "binary_cross_entropy", isolated=False)
    assert verdict.outcome == "right_but", str(verdict)
    assert "its labels are cut off at 1e-07 and 1 - 1e-07" in verdict.buts, str(verdict)
    declared = verify(LabelsToo, "binary_cross_entropy", isolated=False, allow=["clips-its-input"])
    assert declared.ok and declared.declared == "clips-its-input", str(declared)


@pytest.mark.parametrize("loss", [LabelsFar, LabelsAndABug, LabelsSign])
def test_labels_that_are_cut_off_excuse_nothing_else(loss):
    assert verify(loss, "binary_cross_entropy", isolated=False).outcome == "wrong"
