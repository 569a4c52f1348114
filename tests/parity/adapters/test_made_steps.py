"""Functions that make optimizers are listed, called and judged as what they make."""

from pathlib import Path

import pytest
from helpers import wrong_first_at

from parity.adapters.made_steps import as_class
from parity.verification.listing import listed
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "made_steps.py"


def test_they_are_listed_by_their_names():
    found = {one.name: one.kind for one in listed(WILD)}
    assert found == {"make_adam": "adam", "momentum": "momentum", "create_sgd": "sgd"}


@pytest.mark.parametrize(
    ("name", "kind", "called"),
    [("make_adam", "adam", "one array and its gradient"), ("momentum", "momentum", "dicts of arrays")],
)
def test_a_right_one_is_right(name, kind, called):
    verdict = verify(f"{WILD}:{name}", kind, isolated=False)
    assert verdict.outcome == "right" and f"{name}; step with {called}" in verdict.called, str(verdict)
    assert verdict.not_checked == ["a learning rate set between steps (it shows none that can be set)"]


def test_a_wrong_one_is_wrong():
    wrong_first_at(verify(f"{WILD}:create_sgd", "sgd", isolated=False), "W step 1")


def test_what_makes_no_step_stays_what_it_is():
    def schedule(lr):
        def rate(t):
            return lr / t

        return rate

    assert as_class(schedule) is schedule and as_class(dict) is dict
