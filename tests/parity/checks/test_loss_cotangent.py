"""backward(dout) of a loss: used, or ignored and then said to be; anything else is wrong."""

import numpy as np
import pytest

from parity.checks.loss_cotangent import DOUT, UNASKED
from parity.verification.verify import verify


class Ignores:
    def forward(self, y, t):
        self.y, self.t = y, t
        return ((y - t) ** 2).mean()

    def backward(self, dout=1):
        return 2 * (self.y - self.t) / self.y.size


class AsksAndIgnores(Ignores):
    def backward(self, dout):
        return super().backward()


class Uses(Ignores):
    def backward(self, dout=1):
        return dout * super().backward()


class TakesNone(Ignores):
    def backward(self):
        return super().backward()


class Squares(Ignores):
    def backward(self, dout=1):
        return dout * dout * super().backward()


def verified(loss):
    verdict = verify(loss, "mean_squared_error", isolated=False)
    return verdict, {row.ok for row in verdict.records if row.phase == DOUT}


@pytest.mark.parametrize("loss", [Ignores, AsksAndIgnores])
def test_a_dout_that_is_ignored_is_said_to_be(loss):
    verdict, rows = verified(loss)
    assert verdict.outcome == "right" and not rows, str(verdict)
    assert UNASKED in verdict.not_checked


@pytest.mark.parametrize("loss", [Uses, TakesNone])
def test_a_dout_that_is_used_and_none_at_all_are_right(loss):
    verdict, rows = verified(loss)
    assert verdict.outcome == "right" and not verdict.not_checked, str(verdict)
    assert rows == ({True} if loss is Uses else set())


def test_a_dout_that_is_used_wrongly_is_wrong():
    verdict, rows = verified(Squares)
    assert verdict.outcome == "wrong" and rows == {False}
    assert f'the contract "{DOUT}" is broken' in str(verdict)


def test_a_wrong_gradient_is_not_blamed_again():
    class Doubled(Ignores):
        def backward(self, dout=1):
            return np.float64(2) * super().backward()

    _, rows = verified(Doubled)
    assert not rows


class ClampedAndSquares:
    """The book's 1e-7 in the loss; and a dout that is used twice."""

    def forward(self, x, t):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y, self.t = e / e.sum(axis=1, keepdims=True), t if t.ndim == 1 else t.argmax(axis=1)
        return -np.mean(np.log(self.y[np.arange(len(x)), self.t] + 1e-7))

    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(dx)), self.t] -= 1
        return dout * dout * dx / len(dx)


def test_beside_a_known_bug_of_the_numbers_a_broken_contract_is_said():
    verdict = verify(ClampedAndSquares, "softmax_with_loss", isolated=False)
    said = f'besides, the contract "{DOUT}" is broken'
    assert verdict.outcome == "wrong" and verdict.diagnosis.fault == "loss-clamped-logarithm", str(verdict)
    assert f"{said} (dx)" in verdict.culprit.sentence and said in str(verdict.diagnosis)
