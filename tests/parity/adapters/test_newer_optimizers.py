"""Adadelta gets a true verdict in every form, with and without a learning rate."""

from pathlib import Path

import pytest
from helpers import right_to_its_last_step, wrong_first_at

from parity.verification.listing import listed
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "newer_optimizers.py"
RIGHT = [
    ("AdaDelta", "adadelta", "", ["lr"]),
    ("ByGamma", "adadelta", "eps is given, its default is 1e-08; gamma is the decay rate", ["lr"]),
    ("OfNumbers", "adadelta", "update with dicts of arrays", ["lr", "decay_rate other than 0.95"]),
    ("adadelta", "adadelta", "a dict of options", ["lr"]),
    ("adadelta_update", "adadelta", "dicts of arrays, of gradients and of its state", ["lr"]),
    ("adadelta_optimizer", "adadelta", "all steps in one call", ["lr"]),
    ("adamax", "adamax", "a dict of options", []),
    ("NAdamOptimizer", "nadam", "update with one array and its gradient", ["momentum_decay"]),
]
WRONG = [
    ("AdaDeltaWrong", "adadelta", "W step 2"),
    ("NeverMoves", "adadelta", "W step 1"),
    ("ByGammaWrong", "adadelta", "W step 2"),
    ("OfNumbersWrong", "adadelta", "W step 2"),
    ("adadelta_wrong", "adadelta", "W step 2"),
    ("adadelta_update_wrong", "adadelta", "W step 2"),
    ("OutsideTheRootsWrong", "adadelta", "W step 1"),
    ("AdaMaxSigned", "adamax", "W step 1"),
    ("AdamaxWrong", "adamax", "W step 1"),
    ("adamax_wrong", "adamax", "W step 1"),
    ("NadamAlikeWrong", "nadam", "W step 1"),
    ("NAdamWrong", "nadam", "W step 1"),
    ("NAdamOptimizerWrong", "nadam", "W step 1"),
]


def ask(name, kind):
    return verify(f"{WILD}:{name}", kind, isolated=False)


@pytest.mark.parametrize(("name", "kind", "called", "lacks"), RIGHT, ids=[c[0] for c in RIGHT])
def test_it_is_called_and_what_it_lacks_is_said(name, kind, called, lacks):
    verdict = ask(name, kind)
    right_to_its_last_step(verdict, called)
    assert set(lacks) <= set(verdict.not_checked)


@pytest.mark.parametrize(("name", "kind", "tensor"), WRONG, ids=[c[0] for c in WRONG])
def test_a_wrong_one_is_wrong_at_its_first_wrong_array(name, kind, tensor):
    wrong_first_at(ask(name, kind), tensor)


def test_eps_beside_the_roots_is_said():
    verdict = ask("OutsideTheRoots", "adadelta")
    assert verdict.outcome == "right_but" and verdict.buts == ["its eps stands outside both roots"], str(
        verdict
    )


@pytest.mark.parametrize(
    ("name", "but"),
    [
        ("AdaMax", "its eps stands beside u, outside the maximum"),
        ("Adamax", "it has no eps, as in the paper: 0 / 0 until a gradient is not 0"),
    ],
)
def test_another_place_of_eps_in_adamax_or_none_is_said(name, but):
    verdict = ask(name, "adamax")
    assert verdict.outcome == "right_but" and verdict.buts == [but], str(verdict)


@pytest.mark.parametrize("name", ["Nadam", "NAdam"])
def test_one_momentum_for_all_steps_is_said(name):
    verdict = ask(name, "nadam")
    assert verdict.outcome == "right_but" and len(verdict.buts) == 1, str(verdict)
    assert verdict.buts[0].startswith("its momentum is beta1 at every step")
    assert ("corrected by 1 - beta1**t" in verdict.buts[0]) == (name == "Nadam")
    assert verify(f"{WILD}:{name}", "nadam", isolated=False, allow=["published-form"]).declared


def test_a_rate_that_changes_nothing_is_said_of_adadelta():
    verdict = ask("Unrated", "adadelta")
    assert verdict.outcome == "right_but", str(verdict)
    assert verdict.buts == ["its learning rate changes nothing, as in the paper, which has none"]
    wrong_first_at(ask("UnratedWrong", "adadelta"), "W step 2")


def test_functions_are_found_by_their_names():
    kinds = {one.name: one.kind for one in listed(WILD)}
    assert kinds["adadelta"] == kinds["adadelta_update"] == kinds["adadelta_optimizer"] == "adadelta"
