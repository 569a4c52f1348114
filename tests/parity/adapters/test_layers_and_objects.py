"""Optimizers of layers, models and parameters in further shapes get a true verdict from their file alone."""

from pathlib import Path

import pytest
from helpers import right_to_its_last_step, wrong_first_at

from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "layers_and_objects.py"
CASES = [  # right as it is, and where its like with Wrong in its name is first wrong
    ("OfALayerAndItsNumber", "momentum", "given at each call: i", "V step 1"),
    ("HoldsOneLayer", "momentum", "a layer comes to the constructor", "b step 2"),
    ("OfAModelAndItsSlopes", "sgd", "the gradients of each layer, by its number", "W step 1"),
    ("HoldsANetAndTakesTwoLists", "sgd", "gradients of weights and of biases, in lists", "b step 1"),
    ("HoldsDictsOfANet", "momentum", "a model comes to the constructor, which has .params", "W step 2"),
    ("HoldsListsOfAModel", "sgd", "which has .weights and .biases, lists", "b step 1"),
    ("OfOneVariable", "momentum", "a parameter that has .data and .grad.data, one at a time", "W step 2"),
    ("HoldsObjectsOfWeights", "sgd", "nothing: the parameters come to the constructor", "W step 1"),
    ("HoldsObjectsByName", "sgd", "a dict comes to the constructor, each is a parameter", "W step 1"),
    ("OfPairsInAList", "sgd", "pairs of an array and its gradient", "W step 1"),
    ("HoldsNumberedArrays", "sgd", "one of W1, b1, W2, b2 comes to the constructor", "V step 1"),
    ("OfSumsOverABatch", "sgd", "batch_size is 1", "W step 1"),
    ("OfSlopesNamedD", "sgd", ".params and .grads, dicts", "W step 1"),
    ("OfOtherKeys", "sgd", ".params and .grads, dicts", "b step 1"),
    ("OfAttributesAndADict", "sgd", "and .grads, a dict", "W step 1"),
    ("OfLossNames", "sgd", "an attribute for each array", "b step 1"),
    ("OfDictsOfDicts", "sgd", "dicts of dicts of arrays, one per layer", "W step 1"),
    ("OfAnArrayItsSlopeAndItsName", "adam", "an array, its gradient and a name", "W step 2"),
    ("OfANumberedWeightAndItsBias", "sgd", "a weight and a bias with theirs", "b step 1"),
]


def ask(name, kind):
    return verify(f"{WILD}:{name}", kind, isolated=False)


@pytest.mark.parametrize(("name", "kind", "called", "tensor"), CASES, ids=[c[0] for c in CASES])
def test_a_right_one_is_right_and_a_wrong_one_wrong(name, kind, called, tensor):
    right_to_its_last_step(ask(name, kind), called)
    wrong_first_at(ask(f"{name}Wrong", kind), tensor)


def test_one_that_counts_the_layers_is_right_with_an_optimizer_for_each():
    verdict = ask("CountsTheLayers", "adam")
    assert verdict.outcome == "right_but" and "one optimizer for several layers mixes" in verdict.headline
    wrong_first_at(ask("CountsTheLayersWrong", "adam"), "b step 2")


def test_sums_over_other_batches_are_not_checked():
    assert "batch_size other than 1" in ask("OfSumsOverABatch", "sgd").not_checked
