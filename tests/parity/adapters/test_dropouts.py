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
