"""Layers of the book's names that always pad by half of the window, or round their output size up: what shows
their geometry is the shape of the output, and all numbers are compared with PyTorch's in that geometry."""

import numpy as np
import pytest

import scratchcnn as sc
from parity.verification.verify import verify

OTHERS = "padding other than (k - 1) / 2, even windows, and strides above 1"


class Convolution:
    def __init__(self, W, b, stride=1):
        pad = (W.shape[2] // 2, W.shape[3] // 2)
        self.inner = sc.Convolution(W, b, stride, pad)

    def forward(self, x):
        return self.inner.forward(x)

    def backward(self, dout):
        dx = self.inner.backward(dout)
        self.dW, self.db = self.inner.dW, self.inner.db
        return dx


class OfOneStride(Convolution):
    def __init__(self, W, b):
        super().__init__(W, b)


class MeanOfImages(OfOneStride):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW / len(dout)
        return dx


class CircularEdges(OfOneStride):
    """The size of the image is kept, and its edges are not padded by zeros."""

    def __init__(self, W, b):
        self.pad = (W.shape[2] // 2, W.shape[3] // 2)
        self.inner = sc.Convolution(W, b)

    def forward(self, x):
        (h, w), none = self.pad, (0, 0)
        return super().forward(np.pad(x, (none, none, (h, h), (w, w)), mode="wrap"))

    def backward(self, dout):
        h, w = self.pad
        dx = super().backward(dout)
        return dx[:, :, h : dx.shape[2] - h, w : dx.shape[3] - w]


class MaxPooling:
    def __init__(self, pool_h, pool_w, stride=1):
        self.inner = sc.Pooling(pool_h, pool_w, stride, (pool_h // 2, pool_w // 2))

    def forward(self, x):
        return self.inner.forward(x)

    def backward(self, dout):
        return self.inner.backward(dout)


class Halved(MaxPooling):
    def backward(self, dout):
        return super().backward(dout) / 2


class RoundsUp(MaxPooling):
    def __init__(self, pool_h, pool_w, stride=1):
        self.inner = sc.Pooling(pool_h, pool_w, stride, ceil_mode=True)


class RoundsUpHalved(RoundsUp, Halved):
    pass


@pytest.mark.parametrize(
    ("factory", "kind"),
    [(Convolution, "convolution"), (OfOneStride, "convolution"), (MaxPooling, "max_pooling")],
)
def test_what_always_pads_by_half_is_checked_so(factory, kind):
    verdict = verify(factory, kind, isolated=False)
    assert verdict.outcome == "right" and OTHERS in verdict.not_checked, str(verdict)
    assert verdict.sizes and len(verdict.findings) > 100


def test_what_always_rounds_up_is_said():
    verdict = verify(RoundsUp, "max_pooling", isolated=False)
    assert verdict.outcome == "right_but" and "rounds its output size up" in verdict.headline, str(verdict)
    assert verify(RoundsUp, "max_pooling", isolated=False, allow=["max-pool-rounds-up"]).declared


@pytest.mark.parametrize(
    ("factory", "kind"),
    [
        (MeanOfImages, "convolution"),
        (CircularEdges, "convolution"),
        (Halved, "max_pooling"),
        (RoundsUpHalved, "max_pooling"),
    ],
)
def test_wrong_numbers_are_not_excused(factory, kind):
    verdict = verify(factory, kind, isolated=False)
    assert verdict.outcome == "wrong", str(verdict)
