"""Known bugs explained without the catalogue: none wrongly, and the targets by kind."""

import numpy as np
import pytest

from parity.explain.leave_one_out import explained, failures, leave_one_out, shares, shown_in_values
from parity.explain.search import same
from parity.explain.updates import own, simulate
from parity.faults import FAULTS, faults_of
from parity.kinds import OPTIMIZER_KINDS, kind_of
from parity.kinds.probes import probes

CHEAP = ("affine", "relu", "sigmoid", "softmax", "dropout", "sgd", "momentum", "rbf", "col2im")


@pytest.fixture(scope="module")
def table():
    return leave_one_out(kinds=CHEAP)


def test_no_sentence_is_wrong(table):
    assert not table["wrong"].any(), table[table["wrong"]]


def test_nearly_all_faults_of_these_kinds_are_explained(table):
    found = shares(table).set_index("kind")
    assert found.loc["linear", "explained"] >= 0.8 * found.loc["linear", "faults"]
    assert found.loc["others", "explained"] >= 0.6 * found.loc["others", "faults"]
    assert not failures(table)


def test_too_few_explained_fails(table):
    spoiled = table.assign(explained=False)
    assert [text for text in failures(spoiled) if "linear kinds" in text and "80% is the mark" in text]
    assert failures(table.assign(wrong=True))[0].startswith("WRONGLY EXPLAINED")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("penalty-rubbish-sign", "loss is the criterion with exp(j) for exp(-j)"),
        ("penalty-gradient-sign", "dx is PyTorch's with the sign flipped"),
        ("loss-subtracts-one-everywhere", "dx is y/N - (1 at every label of the batch)/N"),
        ("loss-no-shift", "loss is the mean of -sum(onehot*log(y)), the softmax without the shift"),
        ("cross-entropy-sum-for-mean", "loss and dx are PyTorch's, not divided"),
        ("cross-entropy-smoothing-not-weighted", "PyTorch's, the smoothed part not weighted"),
    ],
)
def test_losses_are_explained(name, sentence):
    found, wrong = explained(FAULTS[name])
    assert found.complete and not wrong
    assert sentence in str(found)


def test_what_is_left_of_terms_that_cancel_is_no_factor():
    right, found = np.array([1e-17, -1e-17]), np.array([3e-17, -3e-17])
    assert not same(found, right)
    assert same(found, right, size=1.0) and not same(found, right, size=1e-6)


@pytest.mark.parametrize("kind", OPTIMIZER_KINDS)
def test_the_written_out_rule_is_pytorchs(kind):
    for probe in probes(kind):
        made, right = simulate(kind, probe, own(kind)), kind_of(kind).reference(probe)
        assert all(same(made[n], right[n], 1e-12) for n in right), probe.id


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", [f.name for f in FAULTS.values() if shown_in_values(f)])
def test_a_sentence_and_the_catalogue_never_contradict(name):
    """Both reproduce every number that the code gives, so they cannot say different things of it."""
    found, wrong = explained(FAULTS[name])
    assert not wrong, str(found)


@pytest.mark.exhaustive
def test_the_targets_over_the_whole_catalogue():
    assert not failures(leave_one_out())


@pytest.mark.parametrize(
    "kind",
    [
        "momentum_options",
        "rmsprop_options",
        "adam_options",
        "adadelta",
        "adamax",
        "nadam",
        "average_pooling_options",
        "affine_last_axis",
        "image_padding",
        "softmax_axis",
        "mean_squared_error",
        "leaky_relu",
        "elu",
        "mean_absolute_error",
        "huber_loss",
        "hinge_loss",
        "multiclass_hinge_loss",
        "binary_cross_entropy",
        "selu",
        "softplus",
        "gelu",
        "relu6",
        "softsign",
        "step_function",
    ],
)
def test_what_an_option_does_wrong_is_explained(kind):
    for fault in faults_of(kind):
        if fault.name == "pad-axes-exchanged" or fault.shows != "values":
            continue  # of another size, which is all that is said; or of another dtype
        found, wrong = explained(fault)
        assert found.complete and not wrong, (fault.name, str(found))
