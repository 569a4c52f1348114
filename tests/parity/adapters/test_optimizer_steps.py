"""Optimizers get a true verdict whatever their step is handed beside the arrays, and in whatever form."""

from pathlib import Path

import pytest
from helpers import right_to_its_last_step, wrong_first_at

from parity.verification.listing import listed
from parity.verification.undecayed_biases import SAYS
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "optimizer_steps.py"
RIGHT = [
    ("RMSPropByBeta", "rmsprop", "beta is the decay rate; given at each call: learning_rate"),
    ("Damped", "rmsprop", "damping is given, its default is 0.1"),
    ("DividesByM", "sgd", "given at each call: m"),
    ("ByIndex", "sgd", "one of W1, b1, W2, b2 comes to the constructor"),
    ("ListsAndPairs", "momentum", "lists of weights and of biases, and a list of pairs of their gradients"),
    ("NesterovByBeta", "nesterov", "beta is the momentum"),
    ("ListsOfPairs", "sgd", "a list of pairs of a weight and its bias, and one of their gradients"),
    ("OfANumberedModel", "sgd", "a model that has .weights and .biases, lists; given at each call: epoch"),
    ("EmptiesGradients", "sgd", ".parameters() with .data and .grad"),
    ("adam_optimizer", "adam", "the gradient as a function, and the first arrays: all steps in one call"),
    ("gradient_descent", "sgd", "all steps in one call; given at each call: n_iter"),
    ("Descends", "momentum", "minimize with the gradient as a function"),
    ("ByLayerName", "momentum", "dicts of dicts of arrays, one per layer"),
    ("adam_with_a_dict", "adam", "its state, a dict that has zeros"),
    ("adam_with_a_pair", "adam", "its state, both moments in one"),
    ("momentum_with_a_dict", "momentum", "its state, a dict that has zeros"),
    ("AsksAhead", "nesterov", "an array and the gradient as a function"),
    ("AsksAtItsArray", "nesterov", "an array and the gradient as a function"),
    ("AsksAndHasMomentum", "momentum", "an array and the gradient as a function"),
    ("HoldsItsArray", "adam", "a gradient: its array comes to the constructor"),
]
WRONG = [
    ("RMSPropByBetaWrong", "rmsprop", "W step 1"),
    ("DividesByMWrong", "sgd", "W step 1"),
    ("ByIndexWrong", "momentum", "b step 2"),
    ("ListsAndPairsWrong", "momentum", "b step 1"),
    ("NesterovByBetaWrong", "nesterov", "W step 1"),
    ("ListsOfPairsWrong", "sgd", "b step 1"),
    ("OfANumberedModelWrong", "sgd", "b step 1"),
    ("EmptiesGradientsWrong", "sgd", "V step 1"),
    ("adam_optimizer_wrong", "adam", "W step 1"),
    ("DescendsWrong", "momentum", "W step 1"),
    ("HoldsItsArrayWrong", "adam", "W step 1"),
    ("AsksBehindWrong", "nesterov", "W step 1"),
    ("AsksAndHasMomentum", "nesterov", "W step 1"),
    ("adam_with_a_dict_wrong", "adam", "W step 2"),
    ("momentum_with_a_dict_wrong", "momentum", "W step 1"),
    ("DecaysByLetterWrong", "sgd", "W step 1"),
    ("ByLayerNameWrong", "momentum", "W step 1"),
]
UNCHECKED = [("HelpsItself", "rmsprop"), ("gradient_descent_wrong", "sgd"), ("AsksAhead", "momentum")]


def ask(name, kind):
    return verify(f"{WILD}:{name}", kind, isolated=False)


@pytest.mark.parametrize(("name", "kind", "called"), RIGHT, ids=[c[0] for c in RIGHT])
def test_it_is_called_and_read_back(name, kind, called):
    right_to_its_last_step(ask(name, kind), called)


@pytest.mark.parametrize(("name", "kind", "tensor"), WRONG, ids=[c[0] for c in WRONG])
def test_a_wrong_one_is_wrong_at_its_first_wrong_array(name, kind, tensor):
    wrong_first_at(ask(name, kind), tensor)


@pytest.mark.parametrize(("name", "kind"), UNCHECKED, ids=[c[0] for c in UNCHECKED])
def test_what_is_no_step_of_arrays_is_not_taken_for_one(name, kind):
    verdict = ask(name, kind)
    assert verdict.outcome == "not_checked", str(verdict)


def test_whole_runs_are_found_by_their_names_and_what_they_take():
    kinds = {one.name: one.kind for one in listed(WILD)}
    assert kinds["adam_optimizer"] == "adam" and kinds["gradient_descent"] == "sgd"


def test_a_flag_that_no_code_reads_is_remarked_and_one_that_is_read_is_asked_for():
    verdict = ask("ByIndex", "sgd")
    assert verdict.ok and "nesterov has no effect: its code never reads it" in verdict.remarks, str(verdict)
    verdict = ask("ReadsItsFlag", "sgd")
    assert verdict.outcome == "wrong" and verdict.kind == "nesterov", str(verdict)


def test_arrays_have_the_letters_that_a_decay_asks_for():
    verdict = ask("DecaysByLetter", "sgd")
    assert verdict.outcome == "right_but" and verdict.buts == [SAYS], str(verdict)
    assert "dicts of arrays called W1, W2 and b1" in verdict.called
