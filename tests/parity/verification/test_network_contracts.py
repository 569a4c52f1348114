"""Networks that are right in a single call and wrong nevertheless; and no sentence that was not measured."""

from pathlib import Path

import pytest

import scratchcnn as sc
from parity.reference.networks import TORCH_NETWORKS
from parity.reference.weights import links
from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"


def network(name, twin="Twin", **options):
    given = {"twin": f"{HOMEWORK}/twin.py:{twin}", "names": HOMEWORK / "names.toml"} | options
    return verify(f"{HOMEWORK}/nets.py:{name}", "network", **given)


@pytest.mark.parametrize(
    ("name", "culprit", "sentence"),
    [
        ("NetThatPilesUp", "W1, same call, same answer, grad", "gradients are not added to the last ones"),
        ("NetRightOnce", "W1, same call, same answer, grad", "the same call gives the same answer"),
        ("NetThatWritesIntoX", "gradient, arguments unchanged, x", "gradient wrote into it"),
        ("NetThatDecays", "W3, arguments unchanged, param", "was changed by a call that only computes"),
        ("NetOfOneBatchSize", "W1, another batch, grad", "a batch of another size is answered"),
        ("NetOfOneImage", "scores, one image, out", "a batch of one image is answered as any other"),
        ("NetOfManyImages", "W2, many images, grad", "a batch of up to 100 images is answered"),
        ("NetOfManyPredictions", "scores, many images, out", "a batch of up to 100 images is answered"),
        ("NetOfFloat32", "loss, images of the other type, loss", "images of float32 and of float64"),
        ("NetOfFloat32Predictions", "scores, images of the other type, out", "get the same answer"),
        ("NetOfSharedWeights", "W1, two networks at once, param", "do not change each other's parameters"),
        ("NetOfTheLastImages", "W1, two networks at once, grad", "two networks of one class"),
        ("NetOfOtherPredict", "scores, forward, out", "the scores are wrong, before any loss is computed"),
        ("NetOfMaskedArrays", "W1, backward, grad", "expected a plain array, got MaskedArray"),
        ("NetOfCopies", "params, step 2, loss", "the loss stays the same whatever is written into params"),
        ("NetOfFreshCopies", "params, step 1, W1", "is not there afterwards: is it a copy?"),
        ("NetThatTiresOut", "params, step 3, param", "after updates of params W1 is not the twin's (step 3)"),
    ],
)
def test_what_a_single_call_does_not_show_is_found(name, culprit, sentence):
    verdict = network(name)
    assert not verdict.ok and str(verdict.culprit) == culprit
    assert sentence in str(verdict)


@pytest.mark.parametrize("name", ["NetOfProbabilities", "NetOfClasses"])
def test_a_predict_that_gives_probabilities_or_classes_is_right(name):
    verdict = network(name)
    assert verdict.ok and not verdict.not_checked
    scores = verdict.findings.query("layer == 'scores'")["phase"].value_counts()
    assert scores["forward"] == 1 and scores["one image"] == scores["many images"] == 1


def test_a_right_network_keeps_step_with_its_twin():
    findings = network("Net32").findings
    phases = set(findings["phase"])
    assert {"forward", "backward", "alone", "arguments unchanged", "same call, same answer"} <= phases
    assert {"one image", "many images", "images of the other type", "two networks at once"} <= phases
    assert {"another batch", "step 1", "step 2", "step 3"} <= phases and findings["ok"].all()


def test_the_verdict_says_the_largest_batch():
    assert "the largest batch (100, 1, 8, 7)" in str(network("Net"))
    assert "the largest batch (3, 1, 8, 7)" in str(network("NetOfTwoBugs"))


def test_a_slow_network_gets_no_large_batch_and_the_verdict_says_so(monkeypatch):
    busy = iter(range(0, 10**6, 10))  # every look at the clock finds ten seconds more
    monkeypatch.setattr("parity.adapters.connection.Apart.busy", lambda self: next(busy))
    verdict = network("Net")
    assert verdict.ok and "the largest batch (5, 1, 8, 7)" in str(verdict)
    assert verdict.not_checked == ["batches of more than 5 images, which would take too long"]


@pytest.mark.parametrize("name", ["lenet", "simple_conv_net"])
def test_our_own_networks_keep_every_contract(name):
    ours = sc.NETWORKS[name](rng=0)
    names = {link.ours: (link.theirs, link.transposed) for link in links(ours) if link.ours in ours.params}
    verdict = verify(ours, "network", twin=TORCH_NETWORKS[name](), names=names, isolated=False)
    assert verdict.ok, str(verdict)


# -- never a sentence that was not measured ----------------------------------------------------------
def test_a_loss_that_is_wrong_after_right_scores():
    verdict = network("NetOfAnotherLoss")
    assert str(verdict.culprit) == "loss, forward, loss"
    assert "the logits are right and the loss is not" in str(verdict)


def test_a_loss_that_is_wrong_where_nothing_else_can_be_seen():
    text = str(network("NetOfLossAlone"))
    assert "the logits are right" not in text
    assert "the loss is wrong; the network shows neither layers nor a predict that can be compared" in text


def test_rows_in_the_order_of_channels_last_are_named():
    verdict = network("NetOfChannelsLast", "ChannelsTwin", names=None)
    assert str(verdict.culprit) == "scores, forward, out"
    assert "they are right when the rows of W2 are taken in the order H, W, C" in str(verdict)
    assert verdict.diagnosis.fault == "flatten-channels-last"


@pytest.mark.parametrize(
    ("twin", "sentence"),
    [
        ("SoftmaxTwin", "the twin's outputs are probabilities"),
        ("FunctionalDropoutTwin", "the twin gives two answers for the same images"),
    ],
)
def test_a_twin_that_nothing_can_be_compared_with_is_refused(twin, sentence):
    with pytest.raises(ValueError, match=sentence):
        network("Net", twin)


def test_gradients_of_a_sum_are_told_as_such():
    verdict = network("NetOfSums")
    assert "all gradients are 3 times PyTorch's, and 3 is the number of images" in str(verdict)
    assert verdict.diagnosis.fault == "loss-gradient-not-divided"


def test_all_that_is_wrong_is_listed_the_largest_first():
    verdict = network("NetOfTwoBugs")
    assert [line.split(":")[0] for line in verdict.listed] == ["W1 grad (backward)", "loss loss (forward)"]
    assert "all wrong    W1 grad (backward): 1.0e+00 of its scale" in str(verdict)
    assert "besides, these gradients are wrong: W1 (2 times PyTorch's)" in verdict.culprit.sentence
