"""Code that computes in float32 whatever comes in: right to float32's rounding, and named."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W.astype(np.float32), b.astype(np.float32)

    def forward(self, x):
        self.x = x.astype(np.float32)
        return self.x @ self.W + self.b

    def backward(self, dout):
        dout = dout.astype(np.float32)
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class NoBias(Affine):
    def forward(self, x):
        return super().forward(x) - self.b


class StaleGradient(Affine):
    """db is that of the first backward, which shows when it is called again."""

    db = None

    def backward(self, dout):
        first = self.db
        dx = super().backward(dout)
        self.db = self.db if first is None else first
        return dx


class AddedUp:
    """A mean pooling whose dx is added up in an array of float32, and nothing else is."""

    def __init__(self, pool_h, pool_w, stride=1):
        self.size, self.stride = (pool_h, pool_w), stride

    def forward(self, x):
        self.shape = x.shape
        windows = np.lib.stride_tricks.sliding_window_view(x, self.size, axis=(2, 3))
        return windows[:, :, :: self.stride, :: self.stride].mean(axis=(4, 5))

    def backward(self, dout):
        (h, w), dx = self.size, np.zeros(self.shape, dtype=np.float32)
        for i, j in np.ndindex(*dout.shape[2:]):
            rows, columns = i * self.stride, j * self.stride
            dx[:, :, rows : rows + h, columns : columns + w] += self.share(dout[:, :, i, j, None, None])
        return dx

    def share(self, dout):
        return dout / (self.size[0] * self.size[1])


class AddedUpTooMuch(AddedUp):
    def share(self, dout):
        return super().share(dout) * 1.0001


class AndANearOutput(AddedUp):
    """Beside it forward is off by less than float32 shows, and not computed in it."""

    def forward(self, x):
        return super().forward(x) * (1 + 1e-8)


class Tanh:
    """The numbers are float32's, and the dtype is not."""

    def forward(self, x):
        self.out = np.tanh(x.astype(np.float32)).astype(x.dtype)
        return self.out

    def backward(self, dout):
        return dout * self.slope(self.out)

    def slope(self, y):
        return 1 - y**2


class ALittleSteep(Tanh):
    def slope(self, y):
        return (1 - y**2) * y.dtype.type(1.0001)


class AlmostTanh:
    """Off by less than float32 shows, and not computed in it."""

    def forward(self, x):
        self.out = np.tanh(x) * x.dtype.type(1 + 1e-9)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


@pytest.mark.parametrize(
    ("factory", "kind"), [(Affine, "affine"), (Tanh, "tanh"), (AddedUp, "average_pooling")]
)
def test_it_is_named_and_what_is_not_tried_is_said(factory, kind):
    verdict = verify(factory, kind, isolated=False)
    assert verdict.outcome == "right_but" and "computes in float32" in verdict.headline, str(verdict)
    assert "[float32-from-float64]" in str(verdict) and "tried in float64" in " ".join(verdict.not_checked)
    assert not verify(factory, kind, isolated=False, strict=True).ok
    assert verify(factory, kind, isolated=False, allow=["float32-from-float64"]).declared


@pytest.mark.parametrize(
    ("factory", "kind"),
    [
        (NoBias, "affine"),
        (StaleGradient, "affine"),
        (ALittleSteep, "tanh"),
        (AlmostTanh, "tanh"),
        (AddedUpTooMuch, "average_pooling"),
        (AndANearOutput, "average_pooling"),
    ],
)
def test_nothing_else_is_excused(factory, kind):
    verdict = verify(factory, kind, isolated=False)
    assert verdict.outcome == "wrong", str(verdict)
