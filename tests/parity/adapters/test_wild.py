"""Right code in styles of its own passes; what it lacks is told, and what cannot be called is refused."""

import re
from pathlib import Path

import pytest

from parity.adapters.features import in_words
from parity.checks.changed_weights import UNASKED
from parity.checks.loss_cotangent import UNASKED as IGNORED
from parity.verification.verify import verify

WILD = Path(__file__).parents[1] / "homework" / "wild.py"
# target, kind, adapter, the features that it lacks
RIGHT = [
    ("Conv2d", "convolution", f"{WILD}:SquareConv", "dilation groups no_bias pairs rectangular"),
    ("Conv2d", "convolution", "auto", "dilation groups no_bias pairs rectangular"),
    ("max_pool_forward,max_pool_backward", "max_pooling", "auto", "ceil_mode pad pairs"),
    ("MaxPool2d", "max_pooling", "book", "ceil_mode pairs rectangular"),
    ("PoolingByWindow", "max_pooling", "book", "ceil_mode pairs"),
    ("PoolingWithoutPad", "max_pooling", "book", "ceil_mode pad pairs"),
    ("NoPixelsOver", "convolution", "book", "dilation groups no_bias pairs pixels_over"),
    ("OneHotLoss", "softmax_with_loss", "book", "class_numbers"),
    ("LossReturnsTwo", "softmax_with_loss", "auto", ""),
    ("Called", "relu", "book", ""),
    ("SGD", "sgd", "book", ""),
    ("MomentumOfOne", "momentum", "one_array", ""),
    ("sgd_momentum", "momentum", "cs231n", ""),
    ("max_pool_forward,max_pool_backward", "max_pooling", "cs231n", "ceil_mode pad pairs"),
    ("dropout_forward,dropout_backward", "dropout", "cs231n", ""),
    ("spatial_forward,spatial_backward", "batch_norm", "cs231n", "rows"),
]


@pytest.mark.parametrize(("target", "kind", "adapter", "lacks"), RIGHT, ids=lambda text: text.split(",")[0])
def test_right_in_a_style_of_its_own(target, kind, adapter, lacks):
    verdict = verify(f"{WILD}:{target}", kind, adapter=adapter)
    assert verdict.ok, str(verdict)
    beside = ("gradients after an inference call", UNASKED, IGNORED)
    told = [text for text in verdict.not_checked if text not in beside]
    assert told == in_words(lacks.split()), verdict.not_checked
    assert len(verdict.findings) > 10


def test_wrong_in_the_course_s_style_is_wrong():
    target = f"{WILD}:dropout_forward_swapped,dropout_backward"
    verdict = verify(target, "dropout", adapter="cs231n")
    assert not verdict.ok and "out" in set(verdict.wrong["tensor"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("MaxPool2d", "stride defaults to 2, the book's to 1; it was given in every call"),
        ("PoolingByWindow", "stride defaults to None, the book's to 1; it was given in every call"),
    ],
)
def test_a_default_of_its_own_is_a_remark(name, said):
    assert verify(f"{WILD}:{name}", "max_pooling").remarks == [said]


def test_the_error_in_backward_is_the_one_that_is_told():
    verdict = verify(f"{WILD}:Dense", "affine", adapter=f"{WILD}:DenseAdapter")
    whys = verdict.wrong.groupby("tensor", observed=True)["why"].unique()
    assert set(whys.index) == {"dx", "dW", "db"}
    said = r"raised ValueError: a mistake of mine \(wild.py, line \d+\)"
    assert all(re.fullmatch(said, why) for found in whys for why in found)


def test_a_backward_that_always_raises_is_not_judged(parity):
    ended = parity("verify", f"{WILD}:Dense", "--as", "affine")
    assert ended.status == 2 and "Traceback" not in ended.err and "wrong" not in ended.out.lower()
    assert "backward raised ValueError: a mistake of mine (wild.py, line 102) (forward is right)" in ended.out


MISFITS = {
    "BatchNorm2d": ("batch_norm", "keeps no array of the shape of gamma, beta after it was built"),
}


@pytest.mark.parametrize(("name", "case"), MISFITS.items(), ids=MISFITS)
def test_what_cannot_be_called_is_not_judged(parity, name, case):
    kind, said = case
    ended = parity("verify", f"{WILD}:{name}", "--as", kind)
    assert ended.status == 2 and said in ended.out and "wrong" not in ended.out.lower()
    assert "class Mine(BookAdapter):" in ended.out and "Traceback" not in ended.err


def test_what_is_claimed_is_held_to():
    verdict = verify(f"{WILD}:NoPixelsOver", "convolution", supports=["stride", "pad", "pixels_over"])
    assert not verdict.ok and "only with sizes that the stride does not divide" in verdict.culprit.sentence
