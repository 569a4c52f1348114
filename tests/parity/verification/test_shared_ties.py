"""Equal maxima of a window that share the gradient: any share that adds up to all of it is a derivative."""

import numpy as np
import pytest

from parity.verification.shared_ties import SAYS
from parity.verification.verify import verify


class Shared:
    def __init__(self, size):
        self.size = size

    def forward(self, x):
        N, C, H, W = x.shape
        n = self.size
        self.x = x[:, :, : H // n * n, : W // n * n].reshape(N, C, H // n, n, W // n, n)
        self.shape = x.shape
        self.out = self.x.max(axis=(3, 5))
        return self.out

    def share(self, mask):
        return mask / mask.sum(axis=(3, 5), keepdims=True)

    def backward(self, dout):
        mask = self.x == self.out[:, :, :, None, :, None]
        dx = (self.share(mask) * dout[:, :, :, None, :, None]).astype(dout.dtype)
        N, C, h, n, w, _ = dx.shape
        whole = np.zeros(self.shape, dout.dtype)
        whole[:, :, : h * n, : w * n] = dx.reshape(N, C, h * n, w * n)
        return whole


class ToAll(Shared):
    """Each of them gets the whole gradient: twice as much of it where there are two."""

    def share(self, mask):
        return mask


class SharedOfTwo(Shared):
    """Three share as if they were two."""

    def share(self, mask):
        return mask / np.minimum(mask.sum(axis=(3, 5), keepdims=True), 2)


class SharedTwice(Shared):
    """A second bug beside it."""

    def backward(self, dout):
        return 2 * super().backward(dout)


def test_a_share_each_is_right_but_said():
    verdict = verify(Shared, "max_pooling", isolated=False)
    assert verdict.outcome == "right_but", str(verdict)
    assert verdict.buts == [SAYS]
    for name in ("other-slope-at-the-kink", "max-pool-ties-split"):
        assert verify(Shared, "max_pooling", isolated=False, allow=[name]).outcome == "right"


@pytest.mark.parametrize("layer", [ToAll, SharedOfTwo, SharedTwice])
def test_anything_else_is_wrong(layer):
    verdict = verify(layer, "max_pooling", isolated=False)
    assert verdict.outcome == "wrong", str(verdict)
