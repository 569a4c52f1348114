"""Softmax along a given axis and dense layers on the last one, in the forms that people give them."""

from pathlib import Path

import pytest

from parity.verification.verify import verify

AXES = Path(__file__).parent / "wild" / "axes.py"
# name, kind, outcome, a part of the verdict
CASES = [
    ("Softmax", "softmax_axis", "right", "the same function as PyTorch's"),
    ("SoftmaxForward", "softmax_axis", "right", "forward(x, axis), backward(dout)"),
    ("SoftmaxOfSecond", "softmax_axis", "wrong", "the sum along the second axis"),
    ("softmax", "softmax_axis", "right", "as softmax(x, axis)"),
    ("softmax_of_all", "softmax_axis", "wrong", "forward, out, on the input '+-1e3"),
    ("Linear", "affine_last_axis", "right", "weights in .weight (out, in)"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_the_axis_is_handed_over_and_judged(name, kind, outcome, part):
    verdict = verify(f"{AXES}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)
