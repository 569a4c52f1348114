"""Optimizers that ask for layers or a model get a true verdict, and a default weight decay is a remark."""

from pathlib import Path

import pytest
from helpers import right_to_its_last_step, wrong_first_at

from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "layer_optimizers.py"
RIGHT = [
    ("HoldsLayers", "sgd", "nothing: layers come to the constructor, which have .params and .grads, dicts"),
    ("AsksEachLayer", "sgd", "which have .params and .grads, lists"),
    ("MomentumOfOneLayer", "momentum", "update with each layer, which has an attribute for each array"),
    ("OfANet", "sgd", "step with a model whose .layers have .params and .grads, dicts"),
    ("OfAModelsParameters", "sgd", "whose .layers have .parameters() with .data and .grad"),
    ("OfParameters", "sgd", "step with a list of parameters that have .data and .grad"),
    ("OfListsOfDicts", "sgd", "update with lists of dicts of arrays, one per layer"),
    ("OfANamedArray", "momentum", "update with an array, its gradient and a name"),
    ("OfAWeightAndItsBias", "sgd", "or a weight and a bias with theirs"),
    ("HoldsADict", "sgd", "gradients in a dict: the dict of parameters comes to the constructor"),
    ("OfPairs", "sgd", "step with pairs of an array and its gradient"),
    ("AdamOfCountedSteps", "adam", "; without a name, an optimizer for each"),
    ("AdamOfStepsFromZero", "adam", "t counts from 0 where that gives numbers"),
    ("RMSpropOfCountedSteps", "rmsprop", "t counts from 0 where that gives numbers"),
    ("AdamOfHandedMoments", "adam", "an array, its gradient"),
    ("AdamThatReturnsMomentsFirst", "adam", "an array, its gradient"),
    ("MomentumOfALayerAndItsSlopes", "momentum", "a layer that has .weights and .bias, and its gradients"),
    ("OfALayerAndTwoArrays", "sgd", "step with a layer that has .weights and .bias, and its gradients"),
    ("OfParamsThatHaveParams", "momentum", "nothing: the parameters come to the constructor"),
]
WRONG = [
    ("HoldsLayersWrong", "sgd", "W step 1"),
    ("MomentumOfOneLayerWrong", "momentum", "W step 2"),
    ("WhereThereIsAWeightWrong", "sgd", "b step 1"),
    ("OfANamedArrayWrong", "momentum", "V step 1"),
    ("OfAWeightAndItsBiasWrong", "sgd", "b step 1"),
    ("AdamWWrong", "adamw", "W step 1"),
    ("AdamOfCountedStepsWrong", "adam", "b step 1"),
    ("AdamOfStepsFromZeroWrong", "adam", "b step 1"),
    ("AdamOfHandedMomentsWrong", "adam", "W step 2"),
    ("MomentumOfALayerAndItsSlopesWrong", "momentum", "b step 2"),
    ("OfALayerAndTwoArraysWrong", "sgd", "b step 1"),
    ("OfParamsThatHaveParamsWrong", "momentum", "W step 2"),
]


def ask(name, kind):
    return verify(f"{WILD}:{name}", kind, isolated=False)


@pytest.mark.parametrize(("name", "kind", "called"), RIGHT, ids=[c[0] for c in RIGHT])
def test_layers_are_handed_over_and_read_back(name, kind, called):
    right_to_its_last_step(ask(name, kind), called)


@pytest.mark.parametrize(("name", "kind", "tensor"), WRONG, ids=[c[0] for c in WRONG])
def test_a_wrong_one_is_wrong_at_its_first_wrong_array(name, kind, tensor):
    wrong_first_at(ask(name, kind), tensor)


def test_another_default_of_the_weight_decay_is_a_remark():
    verdict = ask("AdamW", "adamw")
    assert verdict.outcome == "right", str(verdict)
    assert "weight_decay defaults to 0.0, PyTorch's to 0.01; it was given in every call" in verdict.remarks
