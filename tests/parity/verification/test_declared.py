"""A declared difference: exactly that, on every input, or it fails; it never leaves the report."""

from pathlib import Path

import pytest

from parity.kinds import ALL_KINDS
from parity.verification.declared import declared_faults
from parity.verification.network_culprit import NOT_DIVIDED
from parity.verification.network_declared import CLAMPED, FLATTENED, declared_names
from parity.verification.slight_names import names_of as slight_names
from parity.verification.targets import known_differences
from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"
OF_RIGHT_NUMBERS = {  # as a diagnosis prints them
    "float64-from-float32": ("ConvolutionFloat64", "convolution"),
    "conv-float64-output": ("ConvolutionFloat64", "convolution"),
    "writes-into-dout": ("ReluInPlace", "relu"),
    "reuses-its-results": ("ReluOneArray", "relu"),
    "relu-reuses-out": ("ReluOneArray", "relu"),
    "overflow-at-large-inputs": ("SoftmaxNoShift", "softmax"),
    "softmax-no-shift": ("SoftmaxNoShift", "softmax"),
}
TWO = """
import sys; sys.path.insert(0, {folder!r})
import numpy as np
from wrong import AffineMean, ReluLeaky
class Leaky(ReluLeaky):
    def forward(self, x): return super().forward(x).astype(float)
    def backward(self, dout):
        dx = super().backward(dout).astype(float)
        dout *= 1
        dout += 1
        return dx
class Mean(AffineMean):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = self.db / len(dout)
        return dx
"""
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


@pytest.mark.parametrize(("name", "case"), OF_RIGHT_NUMBERS.items(), ids=OF_RIGHT_NUMBERS)
def test_what_leaves_the_numbers_right_can_be_declared(name, case):
    verdict = verify(f"{HOMEWORK}/wrong.py:{case[0]}", case[1], allow=[name], strict=True)
    assert (verdict.outcome, verdict.ok, verdict.declared) == ("right", True, name), str(verdict)


@pytest.fixture
def two(tmp_path):
    (tmp_path / "mine.py").write_text(TWO.format(folder=str(HOMEWORK)))
    return f"{tmp_path}/mine.py:"


def test_a_bug_is_judged_after_the_right_numbers_are_taken_away(two):
    """What is declared goes; what is not stays, as the only thing that is not right."""
    names = ["relu-leaky", "float64-from-float32", "writes-into-dout"]
    assert verify(f"{two}Leaky", "relu").diagnosis.fault == "relu-leaky"
    assert verify(f"{two}Leaky", "relu", allow=names).outcome == "right"
    partly = verify(f"{two}Leaky", "relu", allow=names[:2])
    assert partly.outcome == "right_but" and list(partly.buts) == [
        "it writes into dout, which the caller may still need"
    ]
    assert verify(f"{two}Leaky", "relu", allow=names[1:]).outcome == "wrong"
    assert verify(f"{two}Leaky", "relu", allow=["relu-capped-at-six", *names[1:]]).outcome == "wrong"


def test_every_name_that_a_diagnosis_prints_is_taken(two):
    for target, kind in ((f"{two}Leaky", "relu"), (f"{two}Mean", "affine")):
        text = str(verify(target, kind))
        printed = text[text.index("diagnosis") :].split("[", 1)[1].split("]")[0]
        assert " + " in printed
        assert verify(target, kind, allow=[printed]).outcome == "right", printed


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_name_that_a_diagnosis_can_print_is_taken(kind):
    """For the kind itself, and where a layer of that kind is in a network."""
    names = [*known_differences(kind), *slight_names(kind)]
    for name in names:
        assert str(declared_faults(kind, [name])) == name
        assert declared_names([name.upper().replace("-", "_")]) == [name]
    if len(names) > 1:
        pair = f"{names[0]} + {names[-1]}"
        assert len(declared_names([pair])) == 2 and declared_faults(kind, [pair])


def test_every_name_of_a_network_s_own_bugs_is_taken():
    assert {NOT_DIVIDED, FLATTENED, CLAMPED} == set(declared_names([NOT_DIVIDED, FLATTENED, CLAMPED]))
