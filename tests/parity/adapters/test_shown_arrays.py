"""`set_parameters(params)` shows an optimizer its array, unless a gradient of 0 says no."""

from pathlib import Path

import pytest
from helpers import right_to_its_last_step, wrong_first_at

from parity.adapters.constants_renamed import renamed
from parity.verification.listing import listed
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "shown_arrays.py"
CASES = [
    ("RMSPropOfAShownArray", "rmsprop", "a gradient: its array comes to set_parameters", "W step 1"),
    ("AdaDeltaOfAnotherName", "adadelta", "a gradient: its array comes to set_parameters", "W step 2"),
    ("MomentumOnItsParameters", "momentum", "has .data, .grad and its moments, 0 at first", "W step 2"),
    ("MomentumOfOptions", "momentum", "the step is returned", "W step 2"),
]


def ask(name, kind):
    return verify(f"{WILD}:{name}", kind, isolated=False)


@pytest.mark.parametrize(("name", "kind", "called", "tensor"), CASES, ids=[c[0] for c in CASES])
def test_a_right_one_is_right_and_a_wrong_one_wrong(name, kind, called, tensor):
    right_to_its_last_step(ask(name, kind), called)
    wrong_first_at(ask(f"{name}Wrong", kind), tensor)


def test_a_constant_under_the_name_of_another_is_not_set():
    verdict = ask("AdaDeltaOfAnotherName", "adadelta")
    assert "is set" not in verdict.called and "lr" in verdict.not_checked, str(verdict)


def test_rms_is_rmsprop_in_the_name_of_a_step():
    found = {one.name: one.kind for one in listed(WILD)}
    assert found["rms_step"] == "rmsprop"
    assert ask("rms_step", "rmsprop").outcome == "right"
    assert ask("rms_step_wrong", "rmsprop").outcome == "wrong"


def test_attributes_of_another_constant_are_told():
    class Some:
        def __init__(self, decay_rate, lr, alpha):
            self.lr = decay_rate
            self.eta = lr
            self.step = alpha

    assert renamed(Some.__init__) == {"lr"}
