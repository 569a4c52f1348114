"""Dense layers that are called a layer and no more, and those whose backward begins at a loss."""

from pathlib import Path

import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "plain_layers.py"


def test_what_they_are_is_read_off_their_code():
    found = {one.name: one.kind for one in listed(WILD)}
    assert {name for name, kind in found.items() if kind == "affine"} >= {
        "MiddleLayer",
        "OutLayer",
        "LastLayer",
    }
    assert found["RecurrentLayer"] == "own_layer" and not found["BaseLayer"]


@pytest.mark.parametrize(("name", "outcome"), [("MiddleLayer", "right"), ("MiddleLayer2", "wrong")])
def test_with_an_activation_inside(name, outcome):
    verdict = verify(f"{WILD}:{name}", "affine")
    assert verdict.outcome == outcome, str(verdict)
    assert "a dense layer followed by ReLU" in str(verdict)


def test_a_backward_of_labels_is_not_checked():
    verdict = verify(f"{WILD}:OutLayer", "affine")
    assert verdict.outcome == "right" and "gradients" in verdict.not_checked, str(verdict)


@pytest.mark.parametrize("name", ["LastLayer", "LinearLayerOfTwo"])
def test_another_bug_is_wrong(name):
    assert verify(f"{WILD}:{name}", "affine").outcome == "wrong"
