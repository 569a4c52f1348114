"""A convolution of one window with an activation built in is tried on inputs of that window."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Conv2D:
    """One image (H, W, C), 3x3, with ReLU inside."""

    def __init__(self, num_filters, input_channels, padding="same"):
        self.filters = np.zeros((num_filters, 3, 3, input_channels))
        self.biases = np.zeros(num_filters)
        self.pad = 1 if padding == "same" else 0

    def forward(self, x):
        self.x = np.pad(x, ((self.pad,) * 2, (self.pad,) * 2, (0, 0)))
        h, w, _ = self.x.shape
        out = np.zeros((h - 2, w - 2, len(self.filters)), x.dtype)
        for i, j in np.ndindex(h - 2, w - 2):
            out[i, j] = np.sum(self.x[i : i + 3, j : j + 3] * self.filters, axis=(1, 2, 3)) + self.biases
        self.on = out > 0
        return out * self.on

    def backward(self, dout, lr=0.01):
        dout = dout * self.on
        dx, df = np.zeros_like(self.x), np.zeros_like(self.filters)
        for i, j, f in np.ndindex(*dout.shape):
            df[f] += dout[i, j, f] * self.x[i : i + 3, j : j + 3]
            dx[i : i + 3, j : j + 3] += dout[i, j, f] * self.filters[f]
        self.filters -= lr * df
        self.biases -= lr * dout.sum(axis=(0, 1))
        return self.cut(dx)

    def cut(self, dx):
        return dx[self.pad : len(dx) - self.pad, self.pad : dx.shape[1] - self.pad]


class Twice(Conv2D):
    def cut(self, dx):
        return 2 * super().cut(dx)


@pytest.mark.parametrize(("layer", "outcome"), [(Conv2D, "right"), (Twice, "wrong")])
def test_one_window_with_relu(layer, outcome):
    verdict = verify(layer, "convolution", isolated=False)
    assert verdict.kind == "convolution+relu" and verdict.outcome == outcome, str(verdict)
    assert "windows other than 3x3" in verdict.not_checked
