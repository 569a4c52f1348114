"""`fc_forward` is a dense layer's forward, `in_feature` a size, `mode` a word; wrong neighbours are wrong."""

from pathlib import Path

import pytest

from parity.adapters.signatures import words_of_methods
from parity.kinds.names import kind_by_words
from parity.verification.listing import listed
from parity.verification.verify import verify

FILE = Path(__file__).parent / "wild" / "named_methods.py"
# name, kind, what is wrong of the wrong one
PAIRS = [
    ("fully_connected_layer", "affine", {"db"}),
    ("relu_layer", "relu", {"dx"}),
    ("dropout_layer", "dropout", {"out"}),
    ("BatchNorm", "batch_norm", {"dgamma"}),
    ("Maxpool", "max_pooling", {"dx"}),
    ("MSE", "mean_squared_error", {"dx"}),
]


@pytest.mark.parametrize(("name", "kind", "wrong"), PAIRS, ids=[pair[0] for pair in PAIRS])
def test_right_is_right_and_a_wrong_neighbour_wrong(name, kind, wrong):
    right = verify(f"{FILE}:{name}", kind, isolated=False)
    assert right.outcome == "right", str(right)
    other = verify(f"{FILE}:{name}{'_wrong' if name.islower() else 'Wrong'}", kind, isolated=False)
    assert other.outcome == "wrong" and set(other.wrong["tensor"]) == wrong, str(other)


def test_they_are_listed_as_layers():
    found = {one.name: one.kind for one in listed(FILE)}
    assert found["fully_connected_layer"] == "affine" and found["relu_layer"] == "relu"
    assert found["dropout_layer"] == "dropout"


def test_only_a_method_of_the_layer_s_own_name_counts():
    found = words_of_methods(("conv_forward", "fc_backward"), "convolution")
    assert found == {"conv_forward": "forward", "fc_backward": "fcbackward"}
    both = words_of_methods(("forward", "conv_forward"), "convolution")
    assert both["conv_forward"] == "convforward"


def test_other_names_of_nesterov_s_momentum():
    assert {kind_by_words(name) for name in ("NAGD", "NestrovMomentum", "NesterovAccelerated")} == {
        "nesterov"
    }
    assert kind_by_words("NAdam") == "nadam"


def test_a_word_of_praise_does_not_hide_an_activation():
    found = {one.name: one.kind for one in listed(FILE)}
    assert found["stable_softmax"] == found["safe_softmax"] == "softmax"
    assert "stable_unknown" not in found and found.get("stable_linear", "") in ("", "identity")
    assert verify(f"{FILE}:stable_softmax", "softmax", isolated=False).outcome == "right"
    assert verify(f"{FILE}:safe_softmax", "softmax", isolated=False).outcome == "wrong"
