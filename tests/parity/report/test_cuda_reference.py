"""Where PyTorch itself is wrong on the card, ours is judged by PyTorch on the CPU and PyTorch fails."""

from dataclasses import replace

from parity.checks.layer import check_kind
from parity.checks.reference_error import check_reference
from parity.report.cuda import _judged_by_a_right_reference


def test_a_wrong_reference_accuses_nobody_but_itself():
    theirs = list(check_reference("relu"))
    broken = next(row for row in theirs if row.tensor == "dx")
    theirs[theirs.index(broken)] = replace(broken, ok=False)
    ours = [
        replace(row, ok=row.tensor != "dx" and row.ok, device="cuda") if row.case == broken.case else row
        for row in check_kind("relu", contracts=False)
    ]
    assert [row.tensor for row in ours if not row.ok] == ["dx"]
    judged = list(_judged_by_a_right_reference(ours, theirs, "relu", "float64", 0))
    assert len(judged) == len(ours) and all(row.ok for row in judged)


def test_with_a_right_reference_a_wrong_result_of_ours_stays_wrong():
    ours = [replace(row, ok=False) for row in check_kind("relu", contracts=False)]
    judged = list(_judged_by_a_right_reference(ours, check_reference("relu"), "relu", "float64", 0))
    assert not any(row.ok for row in judged)
