"""'same' that pads an even window alike on both sides is a definition of its own, and not checked."""

from pathlib import Path

import pytest

from parity.adapters.isolate import Limits
from parity.kinds.probes import probes
from parity.verification.observe import Request, observe_target
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "symmetric_same.py"
EVEN = "padding='same' with an even window ({} on every side: the result is {} by 1)"
UNASKED = "padding other than (k - 1) / 2, even windows, and strides above 1"


def seen(name):
    cases = probes("convolution")
    request = Request(f"{WILD}:{name}", "convolution", "auto", cases, contracts=False, dtypes=("float64",))
    found = observe_target(request, Limits(), isolated=False)
    return found, found.tried_of(cases)


@pytest.mark.parametrize(
    ("name", "unchecked"),
    [
        ("Conv", EVEN.format("(k - 1) // 2", "smaller")),
        ("ConvOfHalf", EVEN.format("k // 2", "larger")),
        ("AlwaysPadded", UNASKED),
    ],
)
def test_an_even_window_is_not_checked_and_the_others_are_right(name, unchecked):
    found, tried = seen(name)
    rows = [row for row in found.observation.records if row.case in {p.id for p in tried}]
    assert unchecked in found.convention.limits_in_words()
    assert len(rows) >= 12 and all(row.ok for row in rows)
    padded = [p for p in tried if p.args.get("pad")]
    assert padded and all(size % 2 for p in padded for size in p.args["W"].shape[2:])


@pytest.mark.parametrize(
    ("name", "tensor"), [("ConvWrong", "out"), ("ConvOfHalfWrong", "dW"), ("AlwaysPaddedWrong", "db")]
)
def test_a_wrong_number_is_still_wrong(name, tensor):
    verdict = verify(f"{WILD}:{name}", "convolution", isolated=False)
    assert verdict.outcome == "wrong" and verdict.first.record.tensor == tensor, str(verdict)
