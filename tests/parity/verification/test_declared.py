"""A declared difference: exactly that, on every input, or it fails; it never leaves the report."""

from pathlib import Path

import pytest

from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"
DECLARED = {
    "dropout-not-inverted": ("wrong.py:DropoutNotInverted", "dropout"),
    "loss-clamped-logarithm": ("wrong.py:ClampedLoss", "softmax_with_loss"),
    "relu-dx-is-dout": ("wrong.py:ReluInPlace", "relu"),
    "im2col-float64": ("wrong.py:im2col_float64", "im2col"),
    "adam-book-epsilon": ("wrong_rules.py:AdamBook", "adam"),
    "lrn-alpha-not-divided": ("wrong.py:LRNPaper", "lrn"),
}


@pytest.mark.parametrize(("name", "case"), DECLARED.items(), ids=DECLARED)
def test_exactly_that_passes_and_is_reported(name, case):
    verdict = verify(f"{HOMEWORK}/{case[0]}", case[1], allow=[name])
    assert verdict.ok and verdict.declared == name, str(verdict)
    text = str(verdict)
    assert f"differs from PyTorch exactly as declared ({name})" in text.splitlines()[0]
    assert "equals the reference with" in text and len(verdict.wrong) > 0


def test_another_bug_beside_it_fails(tmp_path):
    (tmp_path / "mine.py").write_text(
        f"import sys; sys.path.insert(0, {str(HOMEWORK)!r})\n"
        "from wrong import DropoutNotInverted\n"
        "class Mine(DropoutNotInverted):\n"
        "    def backward(self, dout): return 1.0001 * super().backward(dout)\n"
    )
    verdict = verify(f"{tmp_path}/mine.py:Mine", "dropout", allow=["dropout-not-inverted"])
    assert not verdict.ok and not verdict.declared
    assert "dropout-not-inverted: what it computes is not exactly that" in str(verdict)


def test_another_bug_instead_of_it_fails_and_is_named():
    verdict = verify(f"{HOMEWORK}/wrong.py:DropoutForgetsBackward", "dropout", allow=["dropout-not-inverted"])
    assert not verdict.ok and verdict.diagnosis.fault == "dropout-backward-not-masked"


def test_a_declaration_that_nothing_needs_fails():
    verdict = verify(f"{HOMEWORK}/right.py:Dropout", "dropout", allow=["dropout-not-inverted"])
    assert not verdict.ok
    assert "dropout-not-inverted: nothing differs from PyTorch; take the declaration away" in str(verdict)


def test_one_of_several_is_enough():
    verdict = verify(f"{HOMEWORK}/wrong.py:ReluLeaky", "relu", allow=["relu-capped-at-six", "relu_leaky"])
    assert verdict.ok and verdict.declared == "relu-leaky"
