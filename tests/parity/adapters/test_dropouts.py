"""A dropout mask is found wherever it lies, and read off the output where it is not kept."""

from pathlib import Path

import numpy as np
import pytest

from parity.verification.verify import verify

DROPOUTS = Path(__file__).parent / "wild" / "dropouts.py"
# name, outcome, a part of the verdict
CASES = [
    ("OtherName", "right", "mask in .r"),
    ("InCache", "right", "mask in .cache[1]"),
    ("InCacheNotScaled", "wrong", "[dropout-backward-not-scaled]"),
    ("dropout_forward,dropout_backward", "right", "mask in returned[1][1]"),
    ("dropout", "right", "mask read off the output"),
    ("dropout_twice", "wrong", "forward, out, on the input"),
    ("dropped_forward,dropped_backward", "right", "p is the share that is dropped"),
    ("dropped_forward,dropped_backward_not_scaled", "wrong", "[dropout-backward-not-scaled]"),
    ("Kept", "right", "p is the share that is kept"),
    ("KeptWronglyScaled", "wrong", "forward, out"),
    ("OneMaskForAllRows", "wrong", "the same units are dropped in every row"),
    ("DrawnNormal", "wrong", "expected 0.700"),
]


@pytest.mark.parametrize(("name", "outcome", "part"), CASES, ids=[case[0] for case in CASES])
def test_the_mask_is_found(name, outcome, part):
    verdict = verify(f"{DROPOUTS}:{name}", "dropout", isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)


class Built:
    """Raises where build was not called before."""

    scale = 1

    def __init__(self, drop_prob=0.2):
        self.drop_prob, self.shape, self.training = drop_prob, None, True

    def build(self, input_shape):
        assert len(input_shape)
        self.shape = input_shape

    def forward(self, x):
        if self.shape is None:
            raise RuntimeError("it must be built before forward")
        if not self.training:
            return x
        self.mask = (np.random.default_rng().random(x.shape) >= self.drop_prob).astype(x.dtype)
        return x * self.mask / (1 - self.drop_prob)

    def backward(self, dout):
        return dout * self.mask / (1 - self.drop_prob) * self.scale if self.training else dout


class BuiltWrong(Built):
    scale = 2


@pytest.mark.parametrize(("cls", "outcome"), [(Built, "right"), (BuiltWrong, "wrong")])
def test_one_that_is_built_with_a_shape(cls, outcome):
    verdict = verify(cls, "dropout", isolated=False)
    assert verdict.outcome == outcome and "build(input_shape)" in str(verdict), str(verdict)


class OfDropped:
    """Its mask is true where a number is dropped."""

    def __init__(self, rate):
        self.rate, self.training = rate, True

    def forward(self, x):
        if not self.training:
            return x
        self.dropped = self.draw(x.shape)
        return np.where(self.dropped, 0, x / (1 - self.rate)).astype(x.dtype)

    def draw(self, shape):
        return np.random.default_rng().random(shape) < self.rate

    def backward(self, dout):
        return np.where(self.dropped, 0, dout / (1 - self.rate)).astype(dout.dtype)


class OfDroppedInMask(OfDropped):
    """The same in the book's names."""

    def __init__(self, dropout_ratio=0.5):
        self.dropout_ratio = dropout_ratio

    def forward(self, x, train_flg=True):
        self.mask = np.random.default_rng().random(x.shape) < self.dropout_ratio
        return np.where(self.mask, 0, x / (1 - self.dropout_ratio)).astype(x.dtype) if train_flg else x

    def backward(self, dout):
        return np.where(self.mask, 0, dout / (1 - self.dropout_ratio)).astype(dout.dtype)


class BackwardOfKept(OfDropped):
    def backward(self, dout):
        return np.where(self.dropped, dout / (1 - self.rate), 0).astype(dout.dtype)


class DropsWhatItKeeps(OfDropped):
    def draw(self, shape):
        return ~super().draw(shape)


@pytest.mark.parametrize("cls", [OfDropped, OfDroppedInMask])
def test_a_mask_of_what_is_dropped(cls):
    verdict = verify(cls, "dropout", isolated=False)
    assert verdict.outcome == "right" and ", true where a number is dropped" in str(verdict), str(verdict)


@pytest.mark.parametrize("cls", [BackwardOfKept, DropsWhatItKeeps])
def test_a_mask_of_what_is_dropped_is_judged(cls):
    assert verify(cls, "dropout", isolated=False).outcome == "wrong"


def with_share(x, keep_prob):
    D = np.random.default_rng().random(x.shape) < keep_prob
    return (x * D / keep_prob).astype(x.dtype), D


def with_share_backward(dA, D, keep_prob):
    return (dA * D / keep_prob).astype(dA.dtype)


def with_share_backward_unscaled(dA, D, keep_prob):
    return dA * D


@pytest.mark.parametrize(
    ("backward", "outcome"), [(with_share_backward, "right"), (with_share_backward_unscaled, "wrong")]
)
def test_a_backward_that_is_handed_the_mask_beside_its_gradient(backward, outcome):
    verdict = verify((with_share, backward), "dropout", isolated=False)
    assert verdict.outcome == outcome and f"{backward.__name__}(dA, D, keep_prob)" in str(verdict)


class Threshold:
    """Keeps as many as it is asked to."""

    def __init__(self, threshold):
        self.threshold = threshold

    def forward(self, x):
        self.kept = np.random.default_rng().random(x.shape) < self.threshold
        return (x * self.kept / self.threshold).astype(x.dtype)

    def backward(self, dout):
        return (dout * self.kept / self.threshold).astype(dout.dtype)


class NeverScaled(Threshold):
    def forward(self, x):
        return (super().forward(x) * self.threshold).astype(x.dtype)


@pytest.mark.parametrize(("cls", "outcome"), [(Threshold, "right"), (NeverScaled, "wrong")])
def test_a_threshold_is_the_share_that_shows(cls, outcome):
    verdict = verify(cls, "dropout", isolated=False)
    assert verdict.outcome == outcome and "threshold is the share that is kept" in verdict.called
