"""The numbers of a comparison as people read them: never on the wrong side of what is allowed."""

import math

import pytest

from parity.comparison.wording import excess, percent


@pytest.mark.parametrize(
    ("margin", "text"),
    [(0, "0 %"), (2.6e-6, "0.00026 %"), (0.123, "12 %"), (1, "100 %"), (5.314, "531 %"), (1e5, "1e+07 %")],
)
def test_a_share(margin, text):
    assert percent(margin) == text


@pytest.mark.parametrize("margin", [0.9999, 1 - 1e-9, 1.0000001, 1.004])
def test_a_share_is_on_its_side_of_the_limit(margin):
    assert (float(percent(margin).removesuffix(" %")) > 100) == (margin > 1)


def test_no_share_is_infinite():
    assert percent(math.inf) == "inf %"


def test_what_is_too_much_is_more_than_what_is_allowed():
    assert excess(2.84e-5, 2.8e-5) == "off by 2.84e-05; at most 2.8e-05 is allowed"
    assert excess(2.84001e-5, 2.84e-5) == "off by 2.84001e-05; at most 2.84e-05 is allowed"
    assert excess(2.5, 5e-9) == "off by 2.5; at most 5e-09 is allowed"
