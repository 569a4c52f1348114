"""Layers whose forward returns nothing: their result lies in an attribute, under any name."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Relu:
    def forward(self, z):
        self.z = z  # what it was given, although results are often called z
        self.activity = np.maximum(0, z)

    def backward(self, dactivity):
        self.dz = dactivity.copy()
        self.dz[self.z <= 0] = 0.0


class Shifted(Relu):
    def forward(self, z):
        self.z = z
        self.activity = np.maximum(0, z) + 1


class Sigmoid:
    def forward(self, x):
        self.squashed = 1 / (1 + np.exp(-x))

    def backward(self, dout):
        self.dinputs = dout * self.squashed * (1 - self.squashed)


class Identity:
    def forward(self, x):
        self.output = x

    def backward(self, dout):
        self.dinputs = dout.copy()


@pytest.mark.parametrize(
    ("layer", "kind", "outcome", "place"),
    [
        (Relu, "relu", "right", "forward(z) -> .activity"),
        (Shifted, "relu", "wrong", "forward(z) -> .activity"),
        (Sigmoid, "sigmoid", "right", "forward(x) -> .squashed"),
        (Identity, "identity", "right", "forward(x) -> .output"),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", None),
)
def test_the_result_is_what_forward_computes_not_what_it_was_given(layer, kind, outcome, place):
    verdict = verify(layer, kind)
    assert verdict.outcome == outcome and place in str(verdict), str(verdict)
