"""The outlier, found from pairs alone."""

from itertools import combinations

import numpy as np
import pytest

from parity.comparison.gates import logic_gate, refused
from parity.referees.outcome import (
    UNDECIDED,
    NotCompared,
    Pair,
    RefereeOutcome,
    TensorOutcome,
    find_outliers,
    not_compared_frame,
    pairs_frame,
)

REFERENCE = np.arange(1.0, 4.0)


def pair(left, right, agree):
    return Pair(left, right, "float64", logic_gate(REFERENCE * (1 if agree else 2), REFERENCE))


def outcome(agreeing, *voices, tensor="scores"):
    """Every pair of the voices; they agree where both are in one of the groups."""
    pairs = [
        pair(a, b, any({a, b} <= set(group.split()) for group in agreeing))
        for a, b in combinations(voices, 2)
    ]
    return TensorOutcome("lenet", "inference", "float64", tensor, pairs)


THREE, FOUR = ("ours", "torch", "jax"), ("ours", "torch", "jax", "onnxruntime")


@pytest.mark.parametrize(
    ("voices", "groups", "outliers"),
    [
        (THREE, ["ours torch jax"], []),
        (THREE, ["torch jax"], ["ours"]),
        (THREE, ["ours jax"], ["torch"]),
        (THREE, ["ours torch"], ["jax"]),
        (THREE, [], [UNDECIDED]),
        (THREE, ["ours torch", "torch jax"], [UNDECIDED]),  # torch is between two that differ
        (FOUR, ["torch jax onnxruntime"], ["ours"]),
        (FOUR, ["torch jax onnxruntime", "ours onnxruntime"], ["ours"]),  # float32 is within both
        (FOUR, ["ours torch", "jax onnxruntime"], [UNDECIDED]),
        (FOUR, ["torch jax"], [UNDECIDED]),  # two of four are no majority
        (("ours", "jax"), [], [UNDECIDED]),
    ],
)
def test_the_majority_that_agrees_is_believed(voices, groups, outliers):
    found = outcome(groups, *voices)
    assert found.outliers == outliers and found.ok == (not outliers)
    if outliers:
        assert find_outliers(voices, found.pairs) == outliers


def test_agreement_is_not_a_pass_where_nothing_was_compared():
    assert not RefereeOutcome([], []).ok
    assert not TensorOutcome("lenet", "inference", "float64", "scores", []).ok


def test_a_missing_answer_is_not_a_pass():
    missing = NotCompared("lenet", "inference", "float64", "jax", "everything", "no JAX form is known")
    fine = outcome(["ours torch"], "ours", "torch")
    assert RefereeOutcome([fine], [missing]).ok
    assert not RefereeOutcome([fine], [NotCompared(**{**vars(missing), "fails": True})]).ok


def test_zeros_on_all_sides_are_inconclusive():
    zeros = np.zeros(3)
    pairs = [Pair(a, b, "float64", logic_gate(zeros, zeros)) for a, b in combinations(THREE, 2)]
    found = RefereeOutcome([TensorOutcome("lenet", "inference", "float64", "x", pairs)], [])
    assert found.unproven == ["lenet x float64"] and not found.ok
    found.tensors.append(outcome(["ours torch jax"], *THREE, tensor="x"))  # another case that does
    assert found.unproven == [] and found.ok


def test_the_tables():
    found = RefereeOutcome(
        [outcome(["torch jax"], *THREE)], [NotCompared("lenet", "inference", "float64", "a", "b", "c")]
    )
    table = pairs_frame(found)
    assert list(zip(table["left"], table["right"], table["ok"], strict=True)) == [
        ("ours", "torch", False),
        ("ours", "jax", False),
        ("torch", "jax", True),
    ]
    assert set(table["outlier"]) == {"ours"} and set(table["shape"]) == {"3"}
    assert not_compared_frame(found).to_dict("records")[0]["voice"] == "a"
    broken = Pair("ours", "jax", "float64", refused(REFERENCE, "jax: missing"))
    table = pairs_frame(RefereeOutcome([TensorOutcome("lenet", "inference", "float64", "x", [broken])], []))
    assert table["why"].tolist() == ["jax: missing"] and not table["ok"].any()
