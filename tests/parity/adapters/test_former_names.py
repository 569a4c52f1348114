"""Code written for an older Python or NumPy: its numbers are judged, and what has to be renamed is said."""

from __future__ import annotations

import pytest

from parity.verification.verify import verify

SOURCE = """import numpy as np

def relu(x):
    out = np.zeros(x.shape, {dtype})
    for i in {loop}(len(x)):
        out[i] = {scale} * np.maximum(x[i], 0)
    return out.astype(x.dtype)
"""


def judged(tmp_path, dtype="np.float64", loop="range", scale=1, **options):
    file = tmp_path / "layers.py"
    file.write_text(SOURCE.format(dtype=dtype, loop=loop, scale=scale))
    return verify(f"{file}:relu", "relu", **options)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (
            {"loop": "xrange"},
            "xrange, which Python 3 no longer has: range replaced it (layers.py, line 5)",
        ),
        (
            {"dtype": "np.float"},
            "np.float, which NumPy no longer has: float replaced it (layers.py, line 4)",
        ),
    ],
)
def test_its_numbers_are_right_but_for_the_name(tmp_path, form, says):
    verdict = judged(tmp_path, **form)
    assert verdict.outcome == "right_but" and verdict.buts == [f"it uses {says}"]
    assert not judged(tmp_path, **form, strict=True).ok


def test_a_bug_beside_it_is_wrong(tmp_path):
    verdict = judged(tmp_path, loop="xrange", scale=2)
    assert verdict.outcome == "wrong" and "xrange" in verdict.remarks[-1]


def test_code_of_today_is_said_nothing_of(tmp_path):
    verdict = judged(tmp_path)
    assert verdict.outcome == "right" and not verdict.buts


def test_what_is_no_name_of_them_is_still_missing(tmp_path):
    verdict = judged(tmp_path, dtype="np.flaot64")
    assert verdict.outcome == "wrong" and "NumPy has nothing of that name" in verdict.always


def test_nothing_is_lent_to_the_checker_s_own_process(tmp_path):
    verdict = judged(tmp_path, loop="xrange", isolated=False)
    assert verdict.outcome == "not_checked" and "name 'xrange' is not defined" in verdict.unchecked
