"""Layers of the book's names that always pad by half of the window, or round their output size up: what shows
their geometry is the shape of the output, and all numbers are compared with PyTorch's in that geometry."""

import numpy as np
import pytest

import scratchcnn as sc
from parity.verification.declared_sizes import EMPTY
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


class RoundsUpInSlices:
    """Without the rule that a window starts inside the image: then one of no pixel raises."""

    def __init__(self, kernel_size, stride):
        self.size, self.stride = kernel_size, stride

    def slices(self, i, j):
        i, j = i * self.stride, j * self.stride
        return slice(i, i + self.size), slice(j, j + self.size)

    def forward(self, x):
        self.x, sizes = x, [-(-(n - self.size) // self.stride) + 1 for n in x.shape[2:]]
        out = np.zeros((*x.shape[:2], *sizes), dtype=x.dtype)
        for i, j in np.ndindex(*sizes):
            out[:, :, i, j] = self.largest(x[:, :, *self.slices(i, j)])
        return out

    def largest(self, window):
        return window.max(axis=(2, 3))

    def backward(self, dout):
        dx = np.zeros_like(self.x)
        for n, c, i, j in np.ndindex(*dout.shape):
            window = self.x[n, c, *self.slices(i, j)]
            at = np.unravel_index(window.argmax(), window.shape)
            dx[n, c, *self.slices(i, j)][at] += dout[n, c, i, j]
        return dx


class RoundsUpInZeros(RoundsUpInSlices):
    """A window that goes past the edge meets zeros there."""

    def largest(self, window):
        largest = super().largest(window)
        return largest if window[0, 0].size == self.size**2 else np.maximum(largest, 0)


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


def test_a_window_without_a_pixel_that_raises_is_named():
    verdict = verify(RoundsUpInSlices, "max_pooling", isolated=False)
    assert verdict.outcome == "right_but" and "rounds its output size up" in verdict.headline, str(verdict)
    assert EMPTY in verdict.not_checked


@pytest.mark.parametrize(
    ("factory", "kind"),
    [
        (RoundsUpInZeros, "max_pooling"),
        (MeanOfImages, "convolution"),
        (CircularEdges, "convolution"),
        (Halved, "max_pooling"),
        (RoundsUpHalved, "max_pooling"),
    ],
)
def test_wrong_numbers_are_not_excused(factory, kind):
    verdict = verify(factory, kind, isolated=False)
    assert verdict.outcome == "wrong", str(verdict)
