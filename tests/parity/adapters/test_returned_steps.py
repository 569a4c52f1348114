"""Optimizers that return a step, or are shown arrays or sizes before, get a true verdict from their file."""

from pathlib import Path

import pytest
from helpers import right_to_its_last_step, wrong_first_at

from parity.verification.listing import listed
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "returned_steps.py"
CASES = [  # right as it is, and where its like with Wrong in its name is first wrong
    ("OfAGradient", "momentum", "compute_update with a gradient; the step is returned", "W step 1"),
    ("OfANameAndAGradient", "rmsprop", "given at each call: key", "W step 2"),
    ("OfGradientsInAList", "sgd", "gradients in a list; the step is returned", "V step 1"),
    ("WithoutARate", "momentum", "its steps are multiplied by the rate", "W step 2"),
    ("ShownItsArrays", "momentum", "initialize is given the same before the first step", "W step 2"),
    ("ShownItsTarget", "sgd", "a model comes to setup", "W step 1"),
    ("OfSizes", "momentum", "of the sizes that its constructor gets", "b step 2"),
    ("OfShapes", "momentum", "a weight and a bias with theirs", "b step 2"),
    ("AddsUpItsSlopes", "sgd", "then step()", "b step 1"),
    ("adam", "adam", "gradients", "W step 2"),
    ("update", "adam", "gradients", "W step 2"),
]


def ask(name, kind):
    return verify(f"{WILD}:{name}", kind, isolated=False)


@pytest.mark.parametrize(("name", "kind", "called", "tensor"), CASES, ids=[c[0] for c in CASES])
def test_a_right_one_is_right_and_a_wrong_one_wrong(name, kind, called, tensor):
    right_to_its_last_step(ask(name, kind), called)
    wrong_first_at(ask(f"{name}Wrong", kind), tensor)


def test_an_update_with_two_betas_is_adam_s():
    assert {one.name: one.kind for one in listed(WILD)}["update"] == "adam"
