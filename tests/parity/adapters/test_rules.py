"""Optimizers get a true verdict however they take their arrays, with nothing said but their file."""

from pathlib import Path

import pytest

from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "optimizers.py"
RIGHT = {
    "AdamOfArrays": ("adam", "step with gradients in a list: the parameters come to the constructor"),
    "SGDOfLists": ("sgd", "step with lists of arrays"),
    "SGDOfTensors": ("sgd", "step with nothing: the parameters come to the constructor"),
    "SGDThatHoldsBoth": ("sgd", "step with nothing: lists of parameters and gradients come to the"),
    "MomentumOfOneArray": ("momentum", "update with one array and its gradient"),
    "RMSPropOfPairs": (
        "rmsprop",
        "pairs of an array and its gradient; epsilon is given, its default is 1e-07",
    ),
    "AdaGradOfLayers": ("adagrad", "a layer that has .weights and .dweights; epsilon is given"),
}
WRONG = {"AdamWithoutCorrection": ("adam", "W step 1"), "ForgetsBiases": ("adagrad", "b step 1")}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_one_is_right(name):
    kind, called = RIGHT[name]
    verdict = verify(f"{WILD}:{name}", kind)
    assert verdict.ok, str(verdict)
    assert called in str(verdict) and "W step 200" in set(verdict.findings["tensor"])


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_one_is_wrong_at_its_first_wrong_array(name):
    kind, tensor = WRONG[name]
    verdict = verify(f"{WILD}:{name}", kind)
    assert verdict.outcome == "wrong" and verdict.first.record.tensor == tensor


def test_one_that_asks_for_more_cannot_be_checked():
    verdict = verify(f"{WILD}:AsksForMore", "sgd")
    assert verdict.outcome == "not_checked" and "schedule" in str(verdict)
