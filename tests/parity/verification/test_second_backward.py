"""A second backward without a new forward: one that raises is a remark, as PyTorch raises; wrong numbers are
wrong, but for a loss that works in the softmax it has kept: its first backward is right."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Frees:
    """What forward kept is gone after one backward."""

    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, x.dtype.type(0))

    def backward(self, dout):
        dx = dout * self.mask
        del self.mask
        return dx


class Pops(Frees):
    def forward(self, x):
        self.kept = [x > 0]
        return np.where(self.kept[0], x, x.dtype.type(0))

    def backward(self, dout):
        return dout * self.kept.pop()


class Spoils(Frees):
    """The second gradient is another number."""

    def backward(self, dout):
        dx = dout * self.mask
        self.mask = ~self.mask
        return dx


class WrongAtFirst(Frees):
    """The first gradient is wrong too."""

    def backward(self, dout):
        return 2 * super().backward(dout)


class IntoX:
    """Backward makes its mask in the array that forward was handed."""

    def forward(self, x):
        self.x = x
        return np.maximum(x, x.dtype.type(0))

    def backward(self, dout):
        self.x[self.x < 0] = 0
        self.x[self.x > 0] = 1
        self.x *= dout
        return self.x.copy()


class IntoXAndSpoils(IntoX):
    """Another bug beside it: every other gradient has the other sign."""

    sign = -1

    def backward(self, dout):
        self.sign = -self.sign
        return self.sign * super().backward(dout)


class Loss:
    """It makes dx of the softmax that forward kept, as many do."""

    scale = 1

    def forward(self, x, t):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y, self.t = e / e.sum(axis=1, keepdims=True), t if t.ndim == 1 else t.argmax(axis=1)
        y = self.y[np.arange(len(x)), self.t]
        shifted = x - x.max(axis=1, keepdims=True)
        return np.mean(np.log(e.sum(axis=1)) - shifted[np.arange(len(x)), self.t]).astype(y.dtype)

    def backward(self, dout=1):
        dx = self.y
        dx[np.arange(len(dx)), self.t] -= self.scale
        dx *= dout / len(dx)
        return dx


class WrongLoss(Loss):
    """The first gradient is wrong too."""

    scale = 2


def ask(factory, **options):
    return verify(factory, "relu", isolated=False, **options)


@pytest.mark.parametrize("factory", [Frees, Pops])
def test_one_that_raises_is_said(factory):
    verdict = ask(factory)
    assert verdict.outcome == "right_but" and verdict.ok, str(verdict)
    assert verdict.buts == ["a second backward without a new forward raises"]
    assert "[second-backward-raises]" in str(verdict)
    assert ask(factory, allow=["second-backward-raises"]).declared


def test_a_second_one_on_an_x_that_it_wrote_into_is_no_bug_beside_that():
    verdict = ask(IntoX)
    assert verdict.outcome == "right_but", str(verdict)
    assert verdict.buts == ["it writes into x, which the caller may still need"]


@pytest.mark.parametrize("factory", [Spoils, WrongAtFirst, IntoXAndSpoils])
def test_wrong_numbers_are_wrong(factory):
    assert ask(factory).outcome == "wrong"


def test_a_loss_that_works_in_its_softmax_is_right_but_for_that():
    verdict = verify(Loss, "softmax_with_loss", isolated=False)
    assert verdict.outcome == "right_but", str(verdict)
    assert verdict.buts == ["a second backward without a new forward gives another dx"]
    assert verify(Loss, "softmax_with_loss", isolated=False, allow=["second-backward-differs"]).declared
    assert verify(WrongLoss, "softmax_with_loss", isolated=False).outcome == "wrong"
