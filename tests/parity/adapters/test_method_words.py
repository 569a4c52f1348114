"""Methods are found by parts of names where none is usual, and only where one alone can be meant."""

from pathlib import Path

import pytest

from parity.adapters.signatures import words_of_methods
from parity.kinds.names import kind_by_words
from parity.verification.listing import listed
from parity.verification.verify import verify

FILE = Path(__file__).parent / "wild" / "method_words.py"
ROLES = ("forward", "backward", "derivative")
# name, kind, what is wrong of the wrong one
PAIRS = [
    ("Sigmoid", "sigmoid", {"dx"}),
    ("Dense", "affine", {"dW"}),
    ("Tanh", "tanh", {"dx"}),
    ("Flatten", "flatten", {"out"}),
    ("Softmax", "softmax", {"dx"}),
    ("softmax", "softmax", {"dx"}),
    ("CategoricalCrossEntropy", "softmax_with_loss", {"dx"}),
    ("BacthNormalization", "batch_norm", {"dgamma"}),
]


def test_all_of_them_are_listed():
    found = {one.name: one.kind for one in listed(FILE)}
    assert {name: found.get(name) for name, kind, _ in PAIRS} == {name: kind for name, kind, _ in PAIRS}


def test_a_cross_entropy_of_scores_may_name_its_log_softmax():
    assert kind_by_words("CrossEntropyWithLogSoftmax") == "softmax_with_loss"
    assert kind_by_words("LogSoftmax") is None


@pytest.mark.parametrize(("name", "kind", "wrong"), PAIRS, ids=[pair[0] for pair in PAIRS])
def test_right_is_right_and_a_wrong_neighbour_wrong(name, kind, wrong):
    right = verify(f"{FILE}:{name}", kind, isolated=False)
    assert right.outcome == "right", str(right)
    other = verify(f"{FILE}:{name}{'_wrong' if name.islower() else 'Wrong'}", kind, isolated=False)
    assert other.outcome == "wrong" and wrong <= set(other.wrong["tensor"]), str(other)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("LeftBehind", "missing 1 required positional argument"),  # not: forward returned None
        ("Backprop", "no attribute 'last'"),  # not: no attribute 'backward'
    ],
)
def test_what_its_own_backward_raises_is_said_of_a_right_forward(name, said):
    verdict = verify(f"{FILE}:{name}", "tanh", isolated=False)
    assert verdict.outcome == "not_checked" and "(forward is right)" in verdict.unchecked
    assert said in verdict.unchecked


@pytest.mark.parametrize(
    ("methods", "kind", "found"),
    [
        (("forward_rows", "backprop"), "affine", {"forward_rows": "forward"}),
        (("value", "diff"), "relu", {"value": "forward"}),
        (("convolve", "zero_grads"), "convolution", {"convolve": "forward"}),
        (("forward", "value"), "relu", {"forward": "forward"}),  # a usual one is there
        (("forward_train", "forward_eval"), "dropout", {}),  # either may be meant
        (("update_gradient", "clip_grads"), "affine", {}),
        (("fc_backward", "fc_forward"), "convolution", {}),  # another layer's
        (("backward_pass_all", "calc_grad_input"), "affine", {"calc_grad_input": "derivative"}),
        (("reward", "award"), "affine", {}),
    ],
)
def test_which_method_is_meant(methods, kind, found):
    words = words_of_methods(methods, kind)
    assert {name: word for name, word in words.items() if word in ROLES} == found
