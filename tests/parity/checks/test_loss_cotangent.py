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
