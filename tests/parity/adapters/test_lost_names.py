"""Which local names hold nothing, or a number, on a line: only what every way to it proves."""

from __future__ import annotations

import ast

import pytest

from parity.adapters.lost_names import is_a_number_there, is_read_too_early


def line_of(text: str) -> int:
    return 1 + next(i for i, line in enumerate(text.splitlines()) if "# here" in line)


@pytest.mark.parametrize(
    ("body", "lost"),
    [
        ("    y = w + 1  # here\n    w = 2\n", True),
        ("    for w in range(3):\n        pass\n    y = w  # here\n", False),
        ("    if x:\n        w = 2\n    y = w  # here\n", False),
        ("    for i in x:\n        if i:\n            y = w  # here\n        w = i\n", False),
        ("    for i in x:\n        y = w  # here\n        w = i\n", True),
        ("    if x:\n        import w\n    y = w  # here\n    w = 2\n", False),
        ("    y = w  # here\n", False),  # a name of the module
    ],
)
def test_a_name_is_read_too_early_where_no_line_before_may_assign_it(body, lost):
    text = f"def f(x):\n{body}"
    assert is_read_too_early("w", ast.parse(text), line_of(text)) is lost


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("    for w in range(3):\n        y = w[0]  # here\n", True),
        ("    for w in x:\n        y = w[0]  # here\n", False),
        ("    for w in range(3):\n        w = x\n        y = w[0]  # here\n", False),
        ("    w = int(x) + 1\n    y = w[0]  # here\n", True),
        ("    if x:\n        w = int(x)\n    y = w[0]  # here\n", False),
        ("    n, m = x.shape\n    w = (n - 1) // 2 + 1\n    y = w.shape  # here\n", True),
        ("    n, m = x.shape\n    w = w // 2\n    y = w.shape  # here\n", False),
        ("    w = k // 2\n    y = w.shape  # here\n", False),
        ("    y = w[0]  # here\n", False),  # what the caller gave
    ],
)
def test_a_name_holds_a_number_where_the_last_assignment_gives_it_one(body, number):
    text = f"def f(x, w, k):\n{body}"
    assert is_a_number_there(ast.parse(text), line_of(text)) is number
