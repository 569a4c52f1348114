"""Who stands apart, told from pairs alone."""

from itertools import combinations

import numpy as np
import pytest

from parity.comparison.gates import logic_gate, refused
from parity.referees.court import UNKNOWN, Finding, Gap, Pair, Ruling, gaps_frame, pairs_frame, standing_apart

REFERENCE = np.arange(1.0, 4.0)


def pair(left, right, agree):
    return Pair(left, right, "float64", logic_gate(REFERENCE * (1 if agree else 2), REFERENCE))


def finding(agreeing, *voices, tensor="scores"):
    """Every pair of the voices; they agree where both are in one of the groups."""
    pairs = [
        pair(a, b, any({a, b} <= set(group.split()) for group in agreeing))
        for a, b in combinations(voices, 2)
    ]
    return Finding("lenet", "inference", "float64", tensor, pairs)


THREE, FOUR = ("ours", "torch", "jax"), ("ours", "torch", "jax", "onnxruntime")


@pytest.mark.parametrize(
    ("voices", "groups", "apart"),
    [
        (THREE, ["ours torch jax"], []),
        (THREE, ["torch jax"], ["ours"]),
        (THREE, ["ours jax"], ["torch"]),
        (THREE, ["ours torch"], ["jax"]),
        (THREE, [], [UNKNOWN]),
        (THREE, ["ours torch", "torch jax"], [UNKNOWN]),  # torch is between two that differ
        (FOUR, ["torch jax onnxruntime"], ["ours"]),
        (FOUR, ["torch jax onnxruntime", "ours onnxruntime"], ["ours"]),  # float32 is within both
        (FOUR, ["ours torch", "jax onnxruntime"], [UNKNOWN]),
        (FOUR, ["torch jax"], [UNKNOWN]),  # two of four are no majority
        (("ours", "jax"), [], [UNKNOWN]),
    ],
)
def test_the_majority_that_agrees_is_believed(voices, groups, apart):
    found = finding(groups, *voices)
    assert found.apart == apart and found.ok == (not apart)
    if apart:
        assert standing_apart(voices, found.pairs) == apart


def test_agreement_is_not_a_pass_where_nothing_was_compared():
    assert not Ruling([], []).ok
    assert not Finding("lenet", "inference", "float64", "scores", []).ok


def test_one_who_failed_to_speak_is_not_a_pass():
    gap = Gap("lenet", "inference", "float64", "jax", "everything", "no JAX form is known")
    fine = finding(["ours torch"], "ours", "torch")
    assert Ruling([fine], [gap]).ok
    assert not Ruling([fine], [Gap(**{**vars(gap), "fails": True})]).ok


def test_zeros_on_all_sides_prove_nothing():
    zeros = np.zeros(3)
    pairs = [Pair(a, b, "float64", logic_gate(zeros, zeros)) for a, b in combinations(THREE, 2)]
    ruling = Ruling([Finding("lenet", "inference", "float64", "x", pairs)], [])
    assert ruling.unproven == ["lenet x float64"] and not ruling.ok
    ruling.findings.append(finding(["ours torch jax"], *THREE, tensor="x"))  # another case that does
    assert ruling.unproven == [] and ruling.ok


def test_the_tables():
    ruling = Ruling([finding(["torch jax"], *THREE)], [Gap("lenet", "inference", "float64", "a", "b", "c")])
    table = pairs_frame(ruling)
    assert list(zip(table["left"], table["right"], table["ok"], strict=True)) == [
        ("ours", "torch", False), ("ours", "jax", False), ("torch", "jax", True)
    ]  # fmt: skip
    assert set(table["apart"]) == {"ours"} and set(table["shape"]) == {"3"}
    assert gaps_frame(ruling).to_dict("records")[0]["voice"] == "a"
    broken = Pair("ours", "jax", "float64", refused(REFERENCE, "jax: missing"))
    table = pairs_frame(Ruling([Finding("lenet", "inference", "float64", "x", [broken])], []))
    assert table["why"].tolist() == ["jax: missing"] and not table["ok"].any()
