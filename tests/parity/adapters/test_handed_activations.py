"""A layer that asks for an activation is handed one that does nothing; gradients may add up until a step."""

from pathlib import Path

import numpy as np
import pytest

from parity.adapters.straight import Straight
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "handed.py"
CASES = [
    ("DenseOfObject", "affine", "right", "activation other than the identity"),
    ("DenseOfObjectWrong", "affine", "wrong", "wrong: db"),
    ("DenseOfFunctions", "affine", "right", "activation_fn other than the identity"),
    ("DenseOfPair", "affine", "right", "activation other than the identity, gradients"),
    ("AddsUp", "affine", "right_but", "gradients in .delta_w, .delta_b, which add up"),
    ("AddsUpWithoutEnd", "affine", "wrong", "wrong: dW, db"),
    ("Flatten", "flatten", "right", "not checked: gradients"),
    ("relu", "relu", "right_but", "float64 comes out of float32"),
    ("sigmoid", "sigmoid", "right", "d_sigmoid(x, y), times dout; y there is the output"),
    ("tanh", "tanh", "wrong", "wrong: dx"),
    ("ReLU", "relu", "wrong", "wrong: dx"),
    ("Sigmoid", "sigmoid", "right", "differential(y), times dout; y there is the output"),
    ("DensePenalized", "affine", "right", "backward(dA, reg_lambda)"),
    ("DensePenalized", "affine", "right", "not checked: images (4-D input), reg_lambda other than 0"),
    ("DensePenalizedMean", "affine", "wrong", "wrong: dW"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_the_way_and_the_verdict(name, kind, outcome, part):
    verdict = verify(f"{WILD}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict) + verdict.headline, str(verdict)


def test_an_activation_that_does_nothing():
    nothing, x = Straight(), np.array([2.0, -3.0])
    assert nothing(x) is x and nothing.forward(x) is x
    assert np.all(nothing(x, derivative=True) == 1) and np.all(nothing.derivative(x) == 1)
    function, derivative = nothing()
    assert function(x) is x and np.all(derivative(x) == 1)


def test_its_backward_tells_the_gradient_from_what_it_was_called_with():
    nothing, x, dout = Straight(), np.array([2.0, -3.0]), np.array([0.5, 7.0])
    assert nothing.backward(dout) is dout
    nothing(x)
    for arrays in ((dout,), (dout, x), (x.copy(), dout)):
        assert nothing.backward(*arrays) is dout
    assert np.all(nothing.backward(x.copy()) == 1)
