"""An engine's operator with a number on its left that raises for every number is wrong, with its line."""

import pytest
from engines import NUMBERS

from parity.verification.verify import verify

OWN = "return -self + other"


def verdict(tmp_path, body, name="__rsub__", right=OWN):
    assert right in NUMBERS
    path = tmp_path / "engine.py"
    path.write_text(NUMBERS.replace(right, body, 1))
    return verify(f"{path}:Value.{name}", "affine", isolated=False)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return (other * 1).__sub__(self)", "TypeError: unsupported operand"),
        ("return other - self", "RecursionError"),
        ("return other.data - self", "AttributeError"),
    ],
)
def test_one_that_always_raises_is_wrong_with_its_line(tmp_path, body, said):
    found = verdict(tmp_path, body)
    assert found.outcome == "wrong" and said in found.always, str(found)
    line = NUMBERS.replace(OWN, body, 1).splitlines().index(f"        {body}") + 1
    assert f"engine.py, line {line})" in found.always and "every number on the left of -" in found.always


@pytest.mark.parametrize(
    "body",
    [
        "raise TypeError('no numbers')",
        "return NotImplemented",
        "return self if other == 0 else other.data - self",  # sum() begins with 0
    ],
)
def test_what_is_refused_on_purpose_or_works_for_some_is_not_checked(tmp_path, body):
    assert verdict(tmp_path, body).outcome == "not_checked"


def test_a_right_one_is_right_and_the_others_keep_their_verdicts(tmp_path):
    assert verdict(tmp_path, OWN).outcome == "right"
    path = tmp_path / "others.py"
    path.write_text(NUMBERS.replace(OWN, "return other - self", 1))
    assert verify(f"{path}:Value.__add__", "affine", isolated=False).outcome == "right"


def test_an_attribute_that_no_node_has_is_a_slip(tmp_path):
    lines = NUMBERS.splitlines()
    at = next(i for i, line in enumerate(lines) if "def __neg__" in line) + 1
    path = tmp_path / "slip.py"
    path.write_text("\n".join([*lines[:at], "        return self * self.minus", *lines[at + 1 :]]) + "\n")
    found = verify(f"{path}:Value.__neg__", "affine", isolated=False)
    assert found.outcome == "wrong" and f"slip.py, line {at + 1})" in found.always, str(found)
    set_elsewhere = tmp_path / "set_elsewhere.py"
    set_elsewhere.write_text(
        path.read_text() + "\ndef prepared(node):\n    node.minus = -1\n    return node\n"
    )
    assert verify(f"{set_elsewhere}:Value.__neg__", "affine", isolated=False).outcome == "not_checked"


def test_a_slip_in_one_branch_is_not_held_against_the_others(tmp_path):
    lines = NUMBERS.splitlines()
    at = next(i for i, line in enumerate(lines) if "def __mul__" in line) + 1
    slip = "        if not isinstance(other, Value):\n            return self * self.made_of(other)"
    path = tmp_path / "branch.py"
    path.write_text("\n".join([*lines[:at], slip, *lines[at:]]) + "\n")
    found = verify(f"{path}:Value.__mul__", "affine", isolated=False)
    assert found.outcome == "right" and any(
        "x * 3 (raised AttributeError" in one for one in found.not_checked
    )
