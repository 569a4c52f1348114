"""Whole networks in various styles: right ones are not accused, what is said of wrong ones is true."""

from pathlib import Path

import pytest

import scratchcnn as sc
from parity.reference.networks import TORCH_NETWORKS
from parity.reference.weights import copy_to_torch, links
from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"
UNTRANSPOSED = {
    f"{array}{i}": f"{module}.{name}"
    for i, module in enumerate(("conv", "hidden", "out"), start=1)
    for array, name in (("W", "weight"), ("b", "bias"))
}

TRANSPOSED = UNTRANSPOSED | {"W3": ("out.weight", True)}


def network(name, twin="Twin", **options):
    if name.startswith("TorchLike"):
        options = {"names": UNTRANSPOSED} | options
    given = {"twin": f"{HOMEWORK}/twin.py:{twin}", "names": HOMEWORK / "names.toml"} | options
    return verify(f"{HOMEWORK}/student_nets.py:{name}", "network", **given)


# -- right ones ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("Net", "LogSoftmaxTwin"),
        ("NetWithoutLayers", "LogSoftmaxTwin"),
        ("NetOfPartialConvolution", "MaskedTwin"),
        ("NetOfOneHotRows", "Twin"),
        ("NetOfOneSetOfArrays", "Twin"),
        ("NetThatNamesItsLayers", "Twin"),
        ("NetOfDicts", "Twin"),
        ("NetThatCountsItsLayers", "Twin"),
    ],
)
def test_a_right_network_is_right(name, twin):
    verdict = network(name, twin)
    assert verdict.ok and not verdict.not_checked, str(verdict)


NORMALIZED = TRANSPOSED | {"gamma1": "bn.weight", "beta1": "bn.bias"}
RESIDUAL = TRANSPOSED | {"W4": "second.weight", "b4": "second.bias"}


def test_a_gradient_that_is_only_rounding_is_judged_as_such():
    verdict = network("BatchNormNet", "BatchNormTwin", names=NORMALIZED)
    assert verdict.ok and verdict.not_checked == ["BatchNorm1 individually (BatchNormalization)"], str(
        verdict
    )
    verdict = network("BatchNormNetThatForgets", "BatchNormTwin", names=NORMALIZED)
    assert {row.layer for row in verdict.records if not row.ok} == {"W1", "b1"}
    assert "going backward the numbers go wrong between BatchNorm1 and Conv1" in verdict.culprit.sentence
    verdict = network("BatchNormNetOfMeans", "BatchNormTwin", names=NORMALIZED)
    assert verdict.culprit.sentence.endswith("wrong gradient of gamma1; it is 0.333333 times PyTorch's")


def test_a_predict_that_runs_as_in_training_is_remarked():
    (remark,) = network("BatchNormNetThatTrainsInPredict", "BatchNormTwin", names=NORMALIZED).remarks
    assert remark == "predict gives what the twin gives in training and not in inference: does it switch?"


def test_both_labels_of_one_score_are_tried():
    names = {"W": ("out.weight", True), "b": "out.bias"}
    assert network("NetOfOneScore", "TwinOfOneScore", names=names).ok
    verdict = network("NetOfOneScoreThatForgetsOnes", "TwinOfOneScore", names=names)
    assert str(verdict.culprit) == "W, backward, grad"


def test_a_branch_is_no_broken_chain():
    assert network("ResidualNet", "ResidualTwin", names=RESIDUAL).ok
    verdict = network("ResidualNetOfOneBranch", "ResidualTwin", names=RESIDUAL)
    assert str(verdict.culprit) == "Conv1, wiring, dout"
    assert verdict.culprit.sentence.endswith("the twin computes something else there")


def test_a_twin_without_modules_is_compared_too():
    verdict = network("Net", "TwinOfParameters", names=None)
    assert verdict.ok and not verdict.not_checked, str(verdict)


@pytest.mark.parametrize(
    ("name", "twin", "not_checked"),
    [
        (
            "LeakyNet",
            "LeakyTwin",
            "Relu1 individually (LeakyRelu, whose output is the twin's and not that of leaky relu "
            "with its usual constant)",
        ),
        (
            "TorchLikeNet",
            "Twin",
            "Linear 4 individually (Linear, whose output is the twin's and not that of affine)",
        ),
    ],
)
def test_a_layer_is_not_accused_of_what_its_name_suggests(name, twin, not_checked):
    verdict = network(name, twin)
    assert verdict.ok, str(verdict)
    assert verdict.not_checked[0] == not_checked and len(verdict.not_checked) == 2


def test_a_layer_that_stands_in_two_places_is_not_looked_at_individually():
    verdict = network("NetOfOneRelu")
    assert verdict.ok, str(verdict)
    assert verdict.not_checked == ["Relu1 individually (StackedRelu)", "Relu2 individually (StackedRelu)"]


def test_a_loss_in_the_list_of_layers_is_the_loss():
    assert network("NetOfALossInItsList", names=UNTRANSPOSED).ok
    verdict = network("NetOfSumsInItsList", names=UNTRANSPOSED)
    assert str(verdict.culprit) == "loss, backward, dx"


def test_labels_that_were_given_as_rows_are_reported():
    (remark,) = network("NetOfOneHotRows").remarks
    assert remark.startswith("labels were given as one-hot rows; with class numbers it raised ValueError")


def test_a_right_partial_convolution_of_ours_is_checked_as_one():
    ours, twin = sc.NETWORKS["lenet5"](rng=0), TORCH_NETWORKS["lenet5"]()
    copy_to_torch(ours, twin)
    names = {link.ours: (link.theirs, link.transposed) for link in links(ours) if link.ours in ours.params}
    verdict = verify(ours, "network", twin=twin, names=names, isolated=False)
    assert verdict.ok and not verdict.not_checked, str(verdict)
    assert "c3" in set(verdict.findings.query("phase == 'alone'")["layer"])


# -- wrong ones ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "culprit", "sentence"),
    [
        ("NetOfDictsAndMeans", "Affine2, backward, db", "b3's is 0.333333 times PyTorch's"),
        ("NetThatSqueezes", "scores, one image, out", "a batch of one image is answered as any other"),
        ("NetOfSixteen", "W1, many images, grad", "a batch of up to 100 images is answered"),
        ("NetThatDropsInPredict", "scores, forward, out", "predict gives another answer in each call"),
        (
            "NetOfLabelsFromOne",
            "loss, forward, loss",
            "the logits are right and the loss is not; it is PyTorch's for the labels t - 1",
        ),
        ("PlainNetOfLabelsFromOne", "loss, forward, loss", "it is PyTorch's for the labels t + 1"),
        ("NetOfTwoSoftmaxes", "loss, forward, loss", "so softmax is taken twice"),
        (
            "NetThatForgetsRelu2",
            "Affine2, wiring, x",
            "gets what the one before it gives; the twin computes something else there",
        ),
        (
            "NetOfReluAfterAll",
            "scores, forward, out",
            "the output of Affine2 is the twin's; after it comes Relu3",
        ),
        (
            "NetDividedTwice",
            "Affine2, wiring, dout",
            "the dx of the loss; all gradients are PyTorch's divided by 3, and 3 is the number of images",
        ),
        (
            "Net32OfReversedBias",
            "b2, names, grad",
            "every layer's gradients are right, but the network hands out another array as b2",
        ),
        ("NetOfDoubledW2", "W2, names, grad", "another array as W2; it is 2 times PyTorch's"),
        ("NetOfOtherKeys", "W1, backward, grad", "nothing under the name W1; it gives dW1, db1, dW2"),
        ("NetOfTransposedW2", "W2, names, grad", "it is PyTorch's transposed"),
        ("NetThatDecaysW1", "W1, names, grad", "it is PyTorch's plus 0.001 times W1 (weight decay?)"),
        ("NetOfZeroB1", "b1, names, grad", "it is zero everywhere"),
        ("NetThatWritesIntoXInPredict", "predict, arguments unchanged, x", "predict wrote into it"),
        (
            "NetOfMeansOverClasses",
            "loss, forward, loss",
            "it is 0.25 times PyTorch's, and so are all gradients",
        ),
        (
            "NetOfLossAndAccuracy",
            "loss, forward, loss",
            "what loss gives cannot be compared: expected a number, got tuple",
        ),
        ("NetThatCentersItsImages", "Conv1, wiring, x", "Conv1 does not get the images"),
        (
            "NetOfOldWeights",
            "params, step 2, param",
            "with these parameters Affine2 introduces the error in its backward pass: dx",
        ),
        (
            "NetThatForgetsAZeroBias",
            "params, step 2, loss",
            "with these parameters Affine2 introduces the error in its forward pass",
        ),
        ("NetWithoutB1", "b1, backward, grad", "gradient(x, t) gives nothing under the name b1"),
        ("NetOfTheLastLoss", "W1, another batch, grad", "is answered as if it were the first"),
        (
            "NetThatReturnsThePair",
            "W1, backward, grad",
            "gradient(x, t): expected a dict of arrays, got tuple",
        ),
        (
            "TorchLikeNetOfWrongB3",
            "b3, names, grad",
            "the network hands out another array as b3; it is 3 times PyTorch's",
        ),
        (
            "TorchLikeNetOfMeans",
            "LinearOfMeans 4, backward, W2",
            "gets the right input and dout, and gives a wrong gradient of W2; it is 0.333333 times",
        ),
    ],
)
def test_what_is_said_of_a_wrong_network_is_true(name, culprit, sentence):
    verdict = network(name)
    assert not verdict.ok and str(verdict.culprit) == culprit, str(verdict)
    assert sentence in verdict.culprit.sentence


def test_float64_out_of_float32_is_reported_beside_right_numbers_and_wrong_ones():
    but = "float64 comes out of float32 (scores, W1, b1, W2, b2, W3, b3)"
    verdict = network("NetOfWideColumns")
    assert verdict.outcome == "right_but" and verdict.buts == [but], str(verdict)
    assert not network("NetOfWideColumns", strict=True).ok
    verdict = network("NetOfWideColumnsAndDoubledW2")
    assert verdict.outcome == "wrong" and "2 times PyTorch's; besides, float64" in verdict.culprit.sentence


def test_parameters_of_two_types_are_refused_by_name():
    with pytest.raises(ValueError, match="all float32 or all float64, got W1 float64, b1 float32, W2"):
        network("NetOfTwoTypes")


def test_a_bug_beside_a_layer_of_another_kind_is_found():
    verdict = network("LeakyNetOfSums", "LeakyTwin")
    assert verdict.culprit.layer == "loss" and "3 is the number of images" in verdict.culprit.sentence
    assert verdict.diagnosis.fault == "loss-gradient-not-divided"
    assert not any("Relu" in line for line in verdict.listed)


def test_a_layer_that_is_not_called_back_is_found_without_modules_to_compare():
    given = {"twin": f"{HOMEWORK}/twin.py:TwinOfParameters"}
    verdict = verify(f"{HOMEWORK}/nets.py:NetOfWrongWiring", "network", **given)
    assert verdict.culprit.sentence == "Relu2 was never called in the backward pass"


def test_a_call_that_raises_is_named():
    assert network("NetThatRaisesInGradient").ending.startswith(
        "raised KeyError: 'W9' (student_nets.py, line "
    )
    assert network("NetThatRaisesInGradient").ending.endswith(" in gradient")


def test_a_network_that_drops_at_random_is_refused():
    with pytest.raises(ValueError, match="the network gives another loss in each call"):
        network("NetThatDropsInLoss")


def test_no_advice_about_adapters_is_given_to_a_network():
    assert "adapter" not in str(network("NetWithoutB1"))


# -- twins --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("twin", ["InPlaceTwin", "FrozenTwin"])
def test_a_twin_that_works_in_place_or_is_frozen_is_compared(twin):
    verdict = network("Net", twin)
    assert verdict.ok and not verdict.not_checked, str(verdict)
    wrong = network("NetThatForgetsRelu2", twin)
    assert str(wrong.culprit) == "Affine2, wiring, x"


def test_a_twin_that_sums_its_losses():
    sentence = network("Net", "TwinOfSums").culprit.sentence
    assert sentence.endswith("it is PyTorch's divided by 3, and 3 is the number of images")


@pytest.mark.parametrize(
    ("twin", "said"),
    [
        (
            "TwinThatNeedsMore",
            "the twin cannot be built: TypeError: .*missing 1 required positional",
        ),
        ("TwinThatRaises", r"does not take images of shape \(1, 8, 7\): TypeError: no way"),
        ("TwinOfTwoOutputs", "forward must give one tensor, got tuple"),
        ("TwinWithoutClasses", r"outputs must be of shape \(N, classes\), got \(3,\)"),
        ("TwinOfNaN", "the twin's outputs are not finite"),
        ("TwinOfManyLosses", "the twin's loss has no gradient: RuntimeError: grad can be implicitly created"),
    ],
)
def test_a_twin_that_cannot_be_used_is_refused_in_one_sentence(twin, said):
    with pytest.raises(ValueError, match=said):
        network("Net", twin)
