"""A dense layer that flattens an image itself and leaves its dx flat: right but for the shape."""

import numpy as np
import pytest

from parity.verification.flat_dx import SAYS
from parity.verification.verify import verify


class OfOneImage:
    """One image or row at a time; it flattens what it gets."""

    def __init__(self, channels_in, channels_out):
        self.weights = np.ones((channels_out, channels_in))
        self.biases = np.zeros(channels_out)

    def __call__(self, x):
        self.x = x.flatten()
        return self.weights @ self.x + self.biases

    def backward(self, gradient):
        self.dweights = np.outer(gradient, self.x)
        self.dbiases = gradient
        return self.dx(gradient)

    def dx(self, gradient):
        return gradient @ self.weights


class WithItsShape(OfOneImage):
    def __call__(self, x):
        self.shape = x.shape
        return super().__call__(x)

    def dx(self, gradient):
        return super().dx(gradient).reshape(self.shape)


class Twice(OfOneImage):
    """A second bug beside it."""

    def dx(self, gradient):
        return 2 * super().dx(gradient)


class Reversed(OfOneImage):
    """Flat, and in another order: reversed."""

    def dx(self, gradient):
        return super().dx(gradient)[::-1]


class WrongWeights(OfOneImage):
    def backward(self, gradient):
        dx = super().backward(gradient)
        self.dweights = self.dweights / 2
        return dx


def test_right_but_for_the_shape():
    verdict = verify(OfOneImage, "affine", isolated=False)
    assert verdict.outcome == "right_but" and verdict.buts == [SAYS], str(verdict)
    assert "images (C, H, W), one at a time" in verdict.called
    assert verdict.diagnosis.fault == "dx-comes-back-flat"


@pytest.mark.parametrize("name", ["dx-comes-back-flat", "affine-dx-not-reshaped"])
def test_it_can_be_declared(name):
    assert verify(OfOneImage, "affine", isolated=False, allow=[name]).outcome == "right"


def test_with_its_shape_it_is_right():
    assert verify(WithItsShape, "affine", isolated=False).outcome == "right"


@pytest.mark.parametrize("layer", [Twice, Reversed, WrongWeights], ids=lambda layer: layer.__name__)
def test_another_bug_beside_it_is_wrong(layer):
    assert verify(layer, "affine", isolated=False).outcome == "wrong"
