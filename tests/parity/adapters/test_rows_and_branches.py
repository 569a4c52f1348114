"""Slight differences are right beside each other and in one branch alone; a bug beside them is wrong."""

from pathlib import Path

import pytest

from parity.verification.verify import verify

FILE = Path(__file__).parent / "wild" / "rows_and_branches.py"
# name, kind, what is said of the right one
CASES = [
    ("BatchNormalization", "batch_norm", ("its eps is 1e-06", "the batches' own variances")),
    ("CrossEntropyLoss", "softmax_with_loss", ("-log(y + 1e-12)",)),
]


@pytest.mark.parametrize(("name", "kind", "said"), CASES, ids=[case[0] for case in CASES])
def test_right_in_its_numbers_and_wrong_with_a_bug(name, kind, said):
    right = verify(f"{FILE}:{name}", kind, isolated=False)
    assert right.outcome == "right_but" and all(part in str(right) for part in said), str(right)
    wrong = verify(f"{FILE}:{name}Wrong", kind, isolated=False)
    assert wrong.outcome == "wrong", str(wrong)


def test_images_of_a_batch_normalization_of_rows_are_not_checked():
    verdict = verify(f"{FILE}:BatchNormalization", "batch_norm", isolated=False)
    assert "images (4-D input)" in verdict.not_checked
