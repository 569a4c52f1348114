"""Declared differences of a whole network: exactly that one, everything else compared as ever."""

from pathlib import Path

import pytest

from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"
CLAMPED = """
import sys; sys.path.insert(0, {folder!r})
import numpy as np
import nets, right, wrong

class Loss(wrong.ClampedLoss):
    def forward(self, x, t):
        self.t, self.y = t.copy(), right.softmax(x)
        return -np.log(self.y[np.arange(len(t)), t] + {small}).mean()

class Clamped(nets.Net):
    loss_class = Loss
    input_dim = (1, 8, 7)
"""


@pytest.fixture
def network(tmp_path):
    def check(small="1e-7", **options):
        (tmp_path / "mine.py").write_text(CLAMPED.format(folder=str(HOMEWORK), small=small))
        twin, names = f"{HOMEWORK}/twin.py:Twin", str(HOMEWORK / "names.toml")
        return verify(f"{tmp_path}/mine.py:Clamped", "network", twin=twin, names=names, **options)

    return check


def test_the_book_s_loss_can_be_declared(network):
    assert network().outcome == "wrong"
    verdict = network(allow=["loss-clamped-logarithm"])
    assert (verdict.outcome, verdict.declared) == ("right", "loss-clamped-logarithm"), str(verdict)
    assert "exactly as declared (loss-clamped-logarithm)" in str(verdict).splitlines()[0]
    assert len(verdict.records) > 10


def test_another_small_number_is_not_that(network):
    verdict = network(small="1e-5", allow=["loss-clamped-logarithm"])
    assert verdict.outcome == "wrong" and "what it computes is not exactly that" in str(verdict)


def test_a_declaration_that_nothing_needs_fails(network):
    verdict = network(small="0", allow=["loss-clamped-logarithm"])
    assert verdict.outcome == "wrong" and "take the declaration away" in str(verdict)


def test_a_name_that_there_is_not_is_misuse(network):
    with pytest.raises(ValueError, match="no known difference named loss-clampt for a network"):
        network(allow=["loss-clampt"])
