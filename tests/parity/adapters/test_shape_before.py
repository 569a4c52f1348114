"""A layer that `initialize(prev_shape)` tells the shape of the layer before it."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Flatten:
    def initialize(self, prev_shape, need_dx=True):
        self.need_dx, self.shape, self.prev_shape = need_dx, (np.prod(prev_shape),), prev_shape

    def forward(self, x):
        return x.reshape(len(x), *self.shape)

    def backward(self, dy):
        return self.back(dy) if self.need_dx else None

    def back(self, dy):
        return dy.reshape(len(dy), *self.prev_shape)


class Negated(Flatten):
    def back(self, dy):
        return -super().back(dy)


@pytest.mark.parametrize(("layer", "outcome"), [(Flatten, "right"), (Negated, "wrong")])
def test_it_is_told(layer, outcome):
    verdict = verify(layer, "flatten", isolated=False)
    assert verdict.outcome == outcome, str(verdict)
    assert "then initialize(prev_shape)" in verdict.called
