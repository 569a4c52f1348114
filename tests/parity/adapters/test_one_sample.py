"""Losses of one sample and of probabilities under the names of scores get a true verdict."""

from pathlib import Path

import numpy as np
import pytest

from parity.kinds.probe import Probe
from parity.verification.reproduction import simpler
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "one_sample.py"
ONE, COLUMN, SCORES = "rows (F), one at a time", "rows (F, 1), one at a time", "backward()"
OWN = "takes probabilities, with their gradient"
OF_SCORES = "takes probabilities, with the gradient of the scores"
# name, outcome, how it is called, the wrong result
CASES = [
    ("OfOneSample", "right", ONE, ""),
    ("OfOneSampleWrong", "wrong", ONE, "dx"),
    ("OfOneHotSample", "right", ONE, ""),
    ("OfOneHotSampleWrong", "wrong", ONE, "dx"),
    ("OfABatchWrong", "wrong", SCORES, "loss"),
    ("OfOneColumn", "right", COLUMN, ""),
    ("CrossEntropy", "right", OWN, ""),
    ("CrossEntropyWrong", "wrong", OWN, "dx"),
    ("CrossEntropySumWrong", "wrong", "the loss is the sum over the rows", "dx"),
    ("NegativeLogLikelihood", "right", f"{ONE}; {OWN}", ""),
    ("NegativeLogLikelihoodWrong", "wrong", ONE, "dx"),
    ("CategoricalCrossEntropy", "right", OF_SCORES, ""),
    ("CategoricalCrossEntropyWrong", "wrong", OF_SCORES, "dx"),
    ("WithAConstant", "right_but", OWN, ""),
    ("WithAConstantWrong", "wrong", OWN, "dx"),
    ("cross_entropy", "right", ", cross_entropy_grad(p, y)", ""),
    ("CrossEntropyOfScores", "right", "", ""),
]


def ask(name):
    return verify(f"{WILD}:{name}", "softmax_with_loss", isolated=False)


@pytest.mark.parametrize(("name", "outcome", "called", "tensor"), CASES, ids=[c[0] for c in CASES])
def test_the_reading_and_the_verdict(name, outcome, called, tensor):
    verdict = ask(name)
    assert verdict.outcome == outcome and called in verdict.called, str(verdict)
    assert not tensor or verdict.first.record.tensor == tensor


def test_a_loss_that_a_shift_does_not_change_takes_scores():
    assert "probabilities" not in ask("CrossEntropyOfScores").called


def test_a_loss_per_number_is_wrong_and_no_crash():
    verdict = ask("OfEveryNumberWrong")
    assert verdict.outcome == "wrong" and "shape" in verdict.first.record.why


def test_what_a_loss_of_one_one_hot_sample_does_not_take_is_named():
    found = ask("OfOneHotSample").not_checked
    assert {"labels as numbers of classes", "several rows at once"} <= set(found)


def test_one_hot_labels_stay_so_in_a_simpler_input():
    x, t = np.full((2, 3), 0.3), np.eye(3)[[0, 2]]
    for probe in simpler(Probe("softmax_with_loss", "two rows", {}, {"x": x, "t": t})):
        assert np.array_equal(probe.inputs["t"], t[: len(probe.inputs["x"])])
