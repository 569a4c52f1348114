"""Optimizers that are functions and are handed their state get a true verdict, and so does an average."""

from pathlib import Path

import pytest

from parity.adapters.stateful import reading
from parity.verification.listing import listed
from parity.verification.verify import verify

FILE = Path(__file__).parent / "wild" / "stateful.py"
# name, kind, outcome, a part of the verdict
CASES = [
    ("update_parameters_with_momentum", "momentum", "right_but", "its velocity averages the gradients"),
    ("update_with_momentum_of_a_sum", "momentum", "right", "its state by the gradients' names"),
    ("update_momentum_forgets", "momentum", "wrong", "W step 2"),
    ("update_momentum_of_half", "momentum", "wrong", "W step 1"),
    ("Average", "momentum", "right_but", "beta is the momentum"),
    ("update_parameters_with_adam", "adam", "right", "dicts of W1, b1, ..."),
    ("adam_update_without_correction", "adam", "wrong", "W step 1"),
    ("adam_step", "adam", "right", "an array, its gradient and its state; eps is given"),
    ("rmsprop_update", "rmsprop", "right", "dicts of arrays, of gradients and of its state"),
    ("rmsprop_update_sum", "rmsprop", "wrong", "W step 1"),
    ("adagrad_update", "adagrad", "right", "lists of arrays, of gradients and of its state"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_it_is_called_and_judged(name, kind, outcome, part):
    verdict = verify(f"{FILE}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)


def test_they_are_listed_by_their_names():
    found = {one.name: one.kind for one in listed(FILE)}
    assert found["update_parameters_with_adam"] == "adam" and found["rmsprop_update"] == "rmsprop"
    assert found["update_parameters_with_momentum"] == "momentum" and "momentum_update" not in found


def test_a_required_parameter_that_is_unknown_leaves_no_reading():
    asked = ("parameters", "grads", "v", "beta", "learning_rate")
    params = [{"name": name, "required": True} for name in asked]
    assert set(reading(params, "momentum").values()) == {"params", "grads", "state", "momentum", "lr"}
    assert not reading([*params, {"name": "schedule", "required": True}], "momentum")
    assert not reading(params[:3], "momentum") and not reading(params, "affine")
    verdict = verify(f"{FILE}:momentum_update", "momentum", isolated=False)
    assert verdict.outcome == "not_checked" and "schedule" in str(verdict)
