"""One sample at a time as a column; inference by an attribute."""

from pathlib import Path

import pytest

from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "columns.py"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Softmax", "softmax"), ("Dropout", "dropout"), ("SoftmaxCrossEntropyOfColumns", "softmax_with_loss")],
)
def test_right(name, kind):
    verdict = verify(f"{WILD}:{name}", kind)
    assert verdict.ok, str(verdict)
    assert any(row.case.endswith("inference") for row in verdict.records) == (kind == "dropout")


@pytest.mark.parametrize(
    ("name", "kind", "tensor"),
    [
        ("SoftmaxTransposed", "softmax", "dx"),
        ("DropoutThatNeverStops", "dropout", "out"),
        ("SoftmaxCrossEntropyOfColumnsWrong", "softmax_with_loss", "dx"),
    ],
)
def test_wrong(name, kind, tensor):
    verdict = verify(f"{WILD}:{name}", kind)
    assert verdict.outcome == "wrong" and verdict.first.record.tensor == tensor


def test_an_overflow_in_the_wrong_dtype_says_nothing_against_the_numbers():
    verdict = verify(f"{WILD}:SoftmaxThatOverflows", "softmax")
    assert verdict.outcome == "right_but", str(verdict)
    assert "overflows at inputs of" in str(verdict) and "float64 comes out of float32" in str(verdict)


@pytest.mark.parametrize("kind", ["max_pooling", "average_pooling"])
def test_a_function_with_a_mode_is_asked_for_its_own(kind):
    verdict = verify(f"{WILD}:pool_forward", kind)
    assert verdict.outcome == "right_but", str(verdict)
    assert {"windows that are not square", "gradients"} <= set(verdict.not_checked)
