"""Optimizers that are given their numbers at each call, or gradients first, or whose constants are set, get a
true verdict."""

from pathlib import Path

import pytest
from helpers import right_to_its_last_step, wrong_first_at

from parity.checks.changed_rate import CHANGED_RATE
from parity.verification.listing import listed
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "at_each_call.py"
RIGHT = [
    ("RateAtEachCall", "sgd", "update with dicts of arrays; given at each call: lr"),
    ("RateOfALayer", "sgd", "given at each call: learning_rate"),
    ("MomentumGivenAll", "momentum", "given at each call: lr, momentum"),
    ("GradientsFirst", "sgd", "params are the arrays, grads their gradients"),
    ("GradientOfAnArrayFirst", "sgd", "w are the arrays, grad their gradients"),
    ("GradientsOfALayerFirst", "sgd", "a layer that has .weights and .bias, and its gradients"),
    ("sgd_update", "sgd", "params are the arrays, grads their gradients"),
    ("gradient_descent_step", "sgd", "params are the arrays, grads their gradients"),
    ("AdamOfDictsAndSteps", "adam", "given at each call: t"),
    ("AdamOfDictsAndStepsFromZero", "adam", "given at each call: t"),
    ("AdamOfArguments", "adam", "given at each call: lr, beta_1, beta_2, epsilon"),
    ("AdamOfTheClass", "adam", ".beta1 is set; .beta2 is set"),
    ("MomentumOfABeta", "momentum", ".beta is set"),
    ("SGDWithGamma", "sgd", "gamma is given as 0.0"),
    ("SGDWithGamma", "momentum", "gamma is the momentum"),
    ("KeepsWhatItsLayersHave", "sgd", "the arrays stay the same ones"),
    ("HoldsBothDicts", "sgd", "dicts of parameters and gradients come to the constructor"),
    ("OfAnotherMethod", "sgd", "update_param with one array and its gradient"),
]
WRONG = [
    ("RateAtEachCallWrong", "sgd", "W step 2"),
    ("RateOfALayerWrong", "sgd", "b step 1"),
    ("MomentumGivenAllWrong", "momentum", "W step 1"),
    ("GradientsFirstWrong", "sgd", "W step 1"),
    ("sgd_step", "sgd", "W step 1"),
    ("AdamOfDictsAndStepsWrong", "adam", "W step 1"),
    ("AdamOfArgumentsWrong", "adam", "W step 2"),
    ("AdamOfTheClassWrong", "adam", "W step 2"),
    ("MomentumOfABetaWrong", "momentum", "W step 1"),
    ("AdamOfNumbersInTheCodeWrong", "adam", "W step 2"),
    ("SGDWithGammaWrong", "sgd", "W step 1"),
    ("KeepsWhatItsLayersHaveWrong", "sgd", "W step 2"),
    ("HoldsBothDictsWrong", "sgd", "W step 1"),
    ("OfAnotherMethodWrong", "sgd", "W step 1"),
]


def ask(name, kind):
    return verify(f"{WILD}:{name}", kind, isolated=False)


@pytest.mark.parametrize(("name", "kind", "called"), RIGHT, ids=[f"{c[0]} as {c[1]}" for c in RIGHT])
def test_a_right_one_is_right(name, kind, called):
    verdict = ask(name, kind)
    right_to_its_last_step(verdict, called)
    assert not verdict.not_checked, str(verdict)
    assert CHANGED_RATE in set(verdict.findings["phase"])


@pytest.mark.parametrize(("name", "kind", "tensor"), WRONG, ids=[c[0] for c in WRONG])
def test_a_wrong_one_is_wrong_at_its_first_wrong_array(name, kind, tensor):
    wrong_first_at(ask(name, kind), tensor)


@pytest.mark.parametrize(
    "name",
    [
        "AdamByTheNameOfItsClass",
        "AdamOfNumbersInTheCode",
        "AdamThatRecordsThem",
        "AdamOfNumbersOfTheFile",
    ],
)
def test_constants_in_the_code_are_judged_at_their_numbers(name):
    verdict = ask(name, "adam")
    assert verdict.outcome == "right", str(verdict)
    assert verdict.not_checked == ["beta1 other than 0.9", "beta2 other than 0.999"]
    assert "W step 200" in set(verdict.findings["tensor"])


def test_a_bug_beside_constants_in_the_code_is_named():
    verdict = ask("AdamOfNumbersInTheCodeWrong", "adam")
    assert verdict.diagnosis.fault == "adam-betas-exchanged"


@pytest.mark.parametrize("name", ["AdamOfAnotherNumber", "AdamOfAThirdNumber"])
def test_constants_that_cannot_be_set_or_known_are_said(name):
    verdict = ask(name, "adam")
    assert verdict.outcome == "not_checked" and "no beta1, beta2" in verdict.headline, str(verdict)


def test_functions_of_gradients_first_are_listed():
    found = {one.name for one in listed(WILD) if one.kind == "sgd"}
    assert {"sgd_update", "gradient_descent_step"} <= found
