"""Gradient descent of arrays one by one; each place is tried with each layer."""

from pathlib import Path

import pytest
from helpers import right_to_its_last_step, wrong_first_at

from parity.adapters.numbered_arguments import pairs_of
from parity.adapters.rule_names import numbered_words
from parity.verification.listing import listed
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "numbered_arguments.py"
CASES = [
    ("update_parameters", "sgd", "each weight, bias and gradient by itself", "b step 1"),
    ("update_weights", "sgd", "each layer in each place", "W step 1"),
    ("update", "sgd", "each weight, bias and gradient by itself", "b step 1"),
    ("update_params", "sgd", "dicts of W1, b1, W2, b2", "b step 1"),
    ("rmsprop_update", "rmsprop", "an array, its gradient and its state", "W step 1"),
]


def ask(name, kind):
    return verify(f"{WILD}:{name}", kind, isolated=False)


@pytest.mark.parametrize(("name", "kind", "called", "tensor"), CASES, ids=[c[0] for c in CASES])
def test_a_right_one_is_right_and_a_wrong_one_wrong(name, kind, called, tensor):
    right_to_its_last_step(ask(name, kind), called)
    wrong_first_at(ask(f"{name}_wrong", kind), tensor)


def test_they_are_listed_by_what_they_take():
    found = {one.name: one.kind for one in listed(WILD)}
    assert {name: found[name] for name, *_ in CASES} == {name: kind for name, kind, *_ in CASES}


def test_a_key_of_a_dict_that_is_none_is_wrong_whatever_it_is_given():
    verdict = ask("SGDOfKey", "sgd")
    assert verdict.outcome == "wrong" and "no attribute 'key'" in str(verdict), str(verdict)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("w1 b1 dw1 db1 lr", [("w1", "dw1"), ("b1", "db1")]),
        ("W1 W2 grad_W1 grad_W2 eta", [("W1", "grad_W1"), ("W2", "grad_W2")]),
        ("w dw lr", []),  # one array
        ("w1 b1 dw1 lr", []),
        ("w1 b1 x dw1 db1 lr", []),
    ],
)
def test_names_tell_arrays_and_gradients(names, found):
    assert pairs_of(names.split()) == found


def test_the_words_before_the_numbers_are_those_of_the_code():
    def lower(params):
        return params["w1"], params["b" + str(1)]

    def none(params):
        return params

    assert numbered_words(lower) == ("w", "b") and numbered_words(none) == ("W", "b")
