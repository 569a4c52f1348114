"""A dropout mask is found wherever it lies, and read off the output where it is not kept."""

from pathlib import Path

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
