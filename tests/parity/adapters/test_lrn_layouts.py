"""Local response normalization keeps every shape: which axis its window runs along tells the layout."""

import numpy as np
import pytest

from parity.verification import observe
from parity.verification.verify import verify


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    monkeypatch.setattr(observe, "real_sizes", lambda kind: [])


def window_sum(a, size, axis):
    """Over `size` neighbours along the axis, in PyTorch's place for an even size."""
    a = np.moveaxis(a, axis, -1)
    wide = np.pad(a, [(0, 0)] * (a.ndim - 1) + [(size // 2, (size - 1) // 2)])
    return np.moveaxis(np.lib.stride_tricks.sliding_window_view(wide, size, -1).sum(-1), -1, axis)


def layer(axis, own=None, ndim=4, back=1):
    class LRN:
        def __init__(self, k=2.0, n=5, alpha=1e-4, beta=0.75):
            self.n, self.k, self.alpha, self.beta = n, k, alpha, beta

        def forward(self, x):
            assert x.ndim == ndim
            self.x = x
            self.scale = self.k + self.alpha / self.n * window_sum(x**2, self.n, axis)
            return x * self.scale**-self.beta

        def backward(self, dout):
            ratio = dout * self.x * self.scale ** (-self.beta - 1)
            ratio = np.flip(window_sum(np.flip(ratio, axis), self.n, axis), axis)
            return dout * self.scale**-self.beta - back * 2 * self.alpha * self.beta / self.n * self.x * ratio

    return LRN


@pytest.mark.parametrize(
    ("axis", "ndim", "says"),
    [
        (1, 4, ""),
        (3, 4, "images (N, H, W, C)"),
        (0, 4, "images (C, H, W, N)"),
        (0, 3, "images (C, H, W), one at a time"),
        (2, 3, "images (H, W, C), one at a time"),
    ],
)
def test_the_window_tells_the_layout(axis, ndim, says):
    verdict = verify(layer(axis, ndim=ndim), "lrn", isolated=False)
    assert verdict.outcome == "right", verdict
    assert says in verdict.called and ("images" in verdict.called) == bool(says)


@pytest.mark.parametrize("axis", [1, 3])
def test_a_wrong_gradient_is_wrong_in_every_layout(axis):
    assert verify(layer(axis, back=2), "lrn", isolated=False).outcome == "wrong"


def test_a_window_along_the_height_is_no_layout():
    assert verify(layer(2), "lrn", isolated=False).outcome == "wrong"


def test_a_window_along_two_axes_is_no_layout():
    class Both(layer(1)):
        def forward(self, x):
            super().forward(x)
            area = window_sum(window_sum(x**2, self.n, 1), self.n, 3)
            self.scale = self.k + self.alpha / self.n * area
            return x * self.scale**-self.beta

    assert verify(Both, "lrn", isolated=False).outcome == "wrong"


def test_under_the_books_names_the_channels_are_the_second_axis():
    class Book(layer(3)):
        def __init__(self, size, alpha, beta, k):
            super().__init__(k, size, alpha, beta)

    assert verify(Book, "lrn", isolated=False).diagnosis.fault == "lrn-within-channel"


def lrn(x, n=5, k=2.0, alpha=1e-4, beta=0.75):
    return x * (k + alpha / n * window_sum(x**2, n, 3)) ** -beta


def test_a_function_with_channels_last_gets_its_constants():
    verdict = verify(lrn, "lrn", isolated=False)
    assert verdict.outcome == "right" and "images (N, H, W, C)" in verdict.called, verdict
