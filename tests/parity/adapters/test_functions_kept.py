"""Functions in attributes, weights through `__call__`, a bare flatten, layers of neurons by their code."""

import ast
from pathlib import Path

import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "kept.py"
CASES = [
    ("Sigmoid", "sigmoid", "right", "function(z), derivative(z), times dout"),
    ("SigmoidWrong", "sigmoid", "wrong", "wrong: dx"),
    ("Tanh", "tanh", "right", "activation(*x), activation_prime(x), times dout"),
    ("Linear", "affine", "right", "__call__(*x, *W, *b)"),
    ("LinearWrong", "affine", "wrong", "wrong: dW"),
    ("flatten", "flatten", "right", "not checked: gradients"),
    ("flat", "flatten", "right_but", "order (H, W, C)"),
    ("Softmax", "affine+softmax", "right_but", "followed by softmax, but it overflows at inputs of"),
    ("FirstSlope", "affine+softmax", "right_but", "its backward goes by the first number of dout"),
    ("FirstSlopeTwice", "affine+softmax", "wrong", "wrong: dx"),
    ("DenseSetLater", "affine", "right", "weights in .weights (in, out), .bias (FN,)"),
    ("DenseSetLaterWrong", "affine", "wrong", "wrong: dx"),
    ("relu", "relu", "right_but", "function(x), derivative(x), times dout"),
    ("SigmoidLayer", "affine+sigmoid", "right", "as a dense layer followed by sigmoid"),
    ("SigmoidLayerWrong", "affine+sigmoid", "wrong", "wrong: db"),
    ("Layer", "affine", "right", "Layer(inp, out)"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_what_it_is_and_its_verdict(name, kind, outcome, part):
    assert {one.name: one.kind for one in listed(WILD)}[name] in (kind, "", "own_layer")
    verdict = verify(f"{WILD}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)


def test_a_base_and_a_list_are_none(tmp_path):
    path = tmp_path / "other.py"
    path.write_text(
        "class Layer:\n    def forward(self, x):\n        raise NotImplementedError\n"
        "class HiddenLayer:\n    def __init__(self, layers, name):\n        self.layers = layers\n"
        "    def forward(self, x):\n        for one in self.layers:\n            x = one.forward(x)\n"
        "        return x\n"
        "def flatten(lists):\n    return [x for one in lists for x in one]\n"
    )
    assert ast.parse(path.read_text()) and not [one for one in listed(path) if one.kind]
