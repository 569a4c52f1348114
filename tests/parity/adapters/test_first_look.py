"""Styles that were first met in public code: each is called as it is meant; what is wrong stays wrong."""

from pathlib import Path

import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify

MORE = Path(__file__).parent / "wild" / "first_look.py"
CASES = [
    ("Tanh", "tanh", "right", "function(x), derivative(x), times dout"),
    ("Sigmoid", "sigmoid", "wrong", "backward, dx"),
    ("MSE", "mean_squared_error", "right", "loss(y_true, y_pred), gradient(y_true, y_pred)"),
    ("heavy_ball", "momentum", "right", "a dict of options"),
    ("heavy_ball_of_half", "momentum", "wrong", "W step 1"),
    ("adam_short", "adam", "right", "a dict of options"),
    ("linear", "identity", "right", ", dlinear(), times dout"),
    ("identity", "identity", "wrong", "backward, dx"),
    ("Affine", "affine", "right_but", "it computes in float32 although float64 comes in"),
    ("AffineOff", "affine", "wrong", "forward, out"),
    ("SigmoidWithLoss", "binary_cross_entropy", "right_but", "labels are given as whole numbers"),
    ("SigmoidWithLossOfSum", "binary_cross_entropy", "wrong", "backward, dx"),
    ("Flatten", "flatten", "right", "not checked: rows (2-D input)"),
    ("FlattenTurned", "flatten", "wrong", "forward, out"),
    ("MatMul", "affine", "right", "bias"),
    ("Softmax", "softmax_with_loss", "right_but", "labels as one-hot rows"),
    ("MeanAbsoluteError", "mean_absolute_error", "wrong", "backward, dx"),
    ("Adam", "adam", "right", ".beta1 is set; .beta_2 is set"),
    ("AdamOfPowers", "adam", "right", "beta1 other than 0.9, beta2 other than 0.999"),
    ("Momentum", "momentum", "right", ".momentum is set"),
    ("MomentumForgotten", "momentum", "wrong", "W step 1"),
    ("Average", "momentum", "right_but", "its velocity averages the gradients"),
    ("AverageForgotten", "momentum", "wrong", "W step 2"),
    ("sigmoide", "sigmoid", "right", ", derivada_sigmoide(x), times dout"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_the_style_and_the_verdict(name, kind, outcome, part):
    verdict = verify(f"{MORE}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)


def test_float32_out_of_float64_can_be_declared():
    assert verify(f"{MORE}:Affine", "affine", isolated=False, allow=["float32-from-float64"]).ok


def test_what_a_class_takes_and_does_says_what_it_is():
    kinds = {one.name: one.kind for one in listed(MORE)}
    named = {
        "MatMul": "affine",
        "Linear": "identity",
        "LinearLayer": "affine",
        "Softmax": "softmax_with_loss",
    }
    assert named | {"sigmoide": "sigmoid"} == {name: kinds[name] for name in [*named, "sigmoide"]}
    assert "derivada_sigmoide" not in kinds
