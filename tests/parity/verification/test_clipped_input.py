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
