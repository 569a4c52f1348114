"""Optimizers that are handed their arrays in rarer shapes get a true verdict from their file alone."""

from pathlib import Path

import pytest
from helpers import right_to_its_last_step, wrong_first_at

from parity.verification.listing import listed
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "optimizer_shapes.py"
RIGHT = [
    ("HoldsTwoLists", "momentum", "lists of gradients of weights and of biases, whose lists come to the"),
    ("MakesNewLists", "sgd", "lists of gradients of weights and of biases, whose lists come to the"),
    ("GivesTwoLists", "sgd", "lists of weights, of biases, and of the gradients of both"),
    ("MomentsOfTheLayer", "momentum", "and its moments, 0 at first"),
    ("OfHeldPairs", "momentum", "pairs of an array and its gradient come to the constructor"),
    ("OfHeldDicts", "sgd", "dicts of an array and its gradient come to the constructor"),
    ("CountsAfterEachStep", "sgd", "update_layer_params with each layer"),
    ("CountsItsLists", "sgd", "lists of weights, of biases, and of the gradients of both"),
    ("DecaysItsRate", "sgd", "decay is given as 0.0"),
    ("DecaysItsRateByAFactor", "sgd", "lr_decay is given as 1.0"),
]
WRONG = [
    ("HoldsTwoListsWrong", "momentum", "b step 2"),
    ("MakesNewListsWrong", "sgd", "b step 1"),
    ("MomentsOfTheLayerWrong", "momentum", "b step 2"),
    ("AsksForAnotherMomentWrong", "momentum", "W step 2"),
    ("OfHeldPairsWrong", "momentum", "W step 2"),
    ("OfHeldDictsWrong", "sgd", "W step 1"),
    ("LeavesAColumnWrong", "sgd", "W step 1"),
    ("FromMomentumOn", "sgd", "W step 1"),
    ("ChangesByMomentumAlone", "sgd", "W step 1"),
    ("DecaysItsRateWrong", "sgd", "W step 1"),
    ("BiasesReadTheFirstRate", "sgd", "b step 2"),
]


def ask(name, kind):
    return verify(f"{WILD}:{name}", kind, isolated=False)


@pytest.mark.parametrize(("name", "kind", "called"), RIGHT, ids=[c[0] for c in RIGHT])
def test_it_is_called_and_read_back(name, kind, called):
    right_to_its_last_step(ask(name, kind), called)


@pytest.mark.parametrize(("name", "kind", "tensor"), WRONG, ids=[c[0] for c in WRONG])
def test_a_wrong_one_is_wrong_at_its_first_wrong_array(name, kind, tensor):
    wrong_first_at(ask(name, kind), tensor)


def test_what_changes_nothing_is_said_and_not_called_by_another_name():
    verdict = ask("OnlyWithMomentum", "sgd")
    assert verdict.outcome == "not_checked" and "no attribute 'update'" not in str(verdict)
    assert "a step changes none of the arrays that it is handed" in str(verdict)


def test_a_decay_that_was_turned_off_is_not_checked():
    assert "decay other than 0" in ask("DecaysItsRate", "sgd").not_checked
    assert "lr_decay other than 1" in ask("DecaysItsRateByAFactor", "sgd").not_checked


def test_a_rate_that_half_of_the_arrays_read_elsewhere_is_said():
    assert "read at .learning_rate, that of the other arrays at .current" in str(
        ask("BiasesReadTheFirstRate", "sgd")
    )


@pytest.mark.parametrize("name", ["AdaGrad", "MyAdaGrad", "AdaGradOptimizer"])
def test_a_name_that_ends_as_those_of_a_graph_s_gradients_is_the_optimizer_s(name, tmp_path):
    path = tmp_path / "optim.py"
    path.write_text(f"class {name}:\n    def update(self, params, grads): return params\n")
    assert [one.kind for one in listed(path)] == ["adagrad"]
