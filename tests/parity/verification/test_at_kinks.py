"""At a kink any slope from the left to the right one is a derivative: another than PyTorch's is said, and
nothing else is excused."""

import numpy as np
import pytest

from parity.verification.verify import verify


class LeakyRelu:
    """The slope at 0 is that on the right."""

    def __init__(self, negative_slope=0.01):
        self.negative_slope = negative_slope

    def forward(self, x):
        self.x = x.copy()
        return np.where(x > 0, x, x.dtype.type(self.negative_slope) * x)

    def at_zero(self):
        return 1.0

    def backward(self, dout):
        slope = np.where(self.x < 0, self.negative_slope, 1.0)
        return dout * np.where(self.x == 0, self.at_zero(), slope).astype(dout.dtype)


class Mean(LeakyRelu):
    def at_zero(self):
        return (1 + self.negative_slope) / 2


class PyTorchs(LeakyRelu):
    def at_zero(self):
        return self.negative_slope


class NoSlope(LeakyRelu):
    """0 lies not between the slopes."""

    def at_zero(self):
        return 0.0


class Steep(LeakyRelu):
    def at_zero(self):
        return 2.0


class OneSlopeOnly(LeakyRelu):
    """Right with the default slope alone, and the other slope at 0 beside it."""

    def backward(self, dout):
        return dout * np.where(self.x >= 0, 1.0, 0.01).astype(dout.dtype)


class OfTwoMinds(LeakyRelu):
    """Sometimes this slope, sometimes that."""

    def at_zero(self):
        return 1.0 if self.x.dtype == np.float32 else self.negative_slope


class StaleAtZero(LeakyRelu):
    """Twice the gradient where all numbers have one sign."""

    def backward(self, dout):
        return super().backward(dout) * (2 if (self.x >= 0).all() else 1)


class Relu:
    """x >= 0 for x > 0: the slope at 0 is 1."""

    def forward(self, x):
        self.x = x.copy()
        return np.where(x >= 0, x, 0)

    def at_zero(self):
        return 1.0

    def backward(self, dout):
        return (dout * np.where(self.x == 0, self.at_zero(), self.x > 0)).astype(dout.dtype)


class ReluHalf(Relu):
    def at_zero(self):
        return 0.5


class ReluTwo(Relu):
    """No slope between those beside it."""

    def at_zero(self):
        return 2.0


class ReluLeaks(Relu):
    """1 at 0, and a little below."""

    def backward(self, dout):
        return (dout * np.where(self.x >= 0, 1.0, 0.01)).astype(dout.dtype)


class ReluOfOnes(Relu):
    """1 at 0 and straight through after the first row."""

    def backward(self, dout):
        dx = super().backward(dout)
        dx[1:] = dout[1:]
        return dx


class Relu6:
    """Its slope is 1 at 0 and at 6."""

    def forward(self, x):
        self.x = x.copy()
        return np.clip(x, 0, 6)

    def backward(self, dout):
        return dout * ((self.x >= 0) & (self.x <= 6))


class Relu6At6(Relu6):
    def backward(self, dout):
        return dout * ((self.x > 0) & (self.x <= 6))


def ask(factory, kind="leaky_relu", **options):
    return verify(factory, kind, isolated=False, **options)


@pytest.mark.parametrize(
    ("factory", "taken"), [(LeakyRelu, "the slope on the right"), (Mean, "the mean of both")]
)
def test_another_slope_is_said_and_can_be_declared(factory, taken):
    verdict = ask(factory)
    assert verdict.outcome == "right_but" and taken in verdict.headline, str(verdict)
    assert "[other-slope-at-the-kink]" in str(verdict) and not ask(factory, strict=True).ok
    assert ask(factory, allow=["other-slope-at-the-kink"]).declared


@pytest.mark.parametrize(
    ("factory", "taken", "known"),
    [
        (Relu, "the slope on the right (1)", "relu-gradient-one-at-zero"),
        (ReluHalf, "the mean of both slopes (0.5)", "relu-gradient-half-at-zero"),
    ],
)
def test_relu_at_zero_is_said_with_its_numbers(factory, taken, known):
    verdict = ask(factory, "relu")
    assert verdict.outcome == "right_but", str(verdict)
    assert f"dx takes {taken} and PyTorch the slope on the left (0)" in verdict.headline
    assert ask(factory, "relu", allow=["other-slope-at-the-kink"]).declared
    assert ask(factory, "relu", allow=[known]).declared


@pytest.mark.parametrize("factory", [ReluTwo, ReluLeaks, ReluOfOnes])
def test_a_relu_that_is_wrong_besides_is_wrong(factory):
    assert ask(factory, "relu").outcome == "wrong"


def test_each_kink_is_named():
    both, one = ask(Relu6, "relu6").headline, ask(Relu6At6, "relu6").headline
    assert "at x = 0" in both and "at x = 6" in both and "the slope on the left" in both
    assert "at x = 6" in one and "at x = 0" not in one


def test_pytorchs_own_is_right():
    assert ask(PyTorchs).outcome == "right"


@pytest.mark.parametrize("factory", [NoSlope, Steep, OneSlopeOnly, OfTwoMinds, StaleAtZero])
def test_nothing_else_is_excused(factory):
    verdict = ask(factory)
    assert verdict.outcome == "wrong", str(verdict)
