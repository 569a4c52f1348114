"""The replicas of common practices: silent on right code, and blind where they are known to be."""

import pytest

import scratchcnn as sc
from parity.faults import FAULTS
from parity.faults.common_practices import PRACTICES, square_case, trained_loss, what_practices_say
from parity.kinds import kind_of
from scratchcnn import fast


@pytest.mark.parametrize(
    "kind", ["convolution", "average_pooling", "lrn", "adam", "softmax_with_loss", "im2col"]
)
def test_right_code_is_noticed_by_none(kind):
    with fast.textbook():  # the rung of the faults, which are subclasses: 1e-6 is close to its rounding
        assert True not in what_practices_say(kind, kind_of(kind).ours).values()


class Raises(sc.Relu):
    def forward(self, x):
        raise RuntimeError


class Zeros(sc.Relu):
    def forward(self, x):
        return super().forward(x) * 0


def test_a_crash_and_zeros_are_noticed():
    assert all(what_practices_say("relu", Raises).values())
    said = what_practices_say("relu", Zeros)
    assert said["sum loss"] and said["assert_close"] and said["own differences"]


@pytest.mark.parametrize(
    ("fault", "misses", "notices"),
    [
        ("conv-dw-last-image", ["sum loss", "own differences"], ["assert_close"]),  # only dW is wrong
        ("conv-pad-axes-swapped", ["sum loss", "assert_close", "own differences"], []),  # square case
        ("conv-output-height-width-swapped", ["sum loss"], ["assert_close"]),  # the same numbers, elsewhere
        ("relu-straight-through", ["sum loss"], ["own differences", "assert_close"]),
        ("max-pool-ties-to-last", ["assert_close", "ones as cotangent"], []),  # no ties among random numbers
    ],
)
def test_each_practice_misses_what_it_cannot_see(fault, misses, notices):
    said = what_practices_say(FAULTS[fault].kind, FAULTS[fault].make)
    assert [p for p in misses if said[p]] == [] and [p for p in notices if not said[p]] == []


def test_the_case_is_an_ordinary_square_one_and_training_learns():
    probe = square_case("convolution")
    assert probe.inputs["x"].shape[2] == probe.inputs["x"].shape[3] and not probe.needs
    assert trained_loss("convolution", None) < 1.0  # three kinds: guessing costs 1.0986
    assert set(what_practices_say("adam", kind_of("adam").ours)) == set(PRACTICES)
