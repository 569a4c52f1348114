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


class Conv:
    """Weights at the first forward, columns and dx in float32, and an Adam inside backward, which changes the
    weights in place: what forward kept of them is a view."""

    def __init__(self, n_filters, kernel_size, stride=1, padding=0):
        self.n, self.k, self.s, self.p = n_filters, kernel_size, stride, padding
        self.weights = None

    def start(self, channels):
        self.weights = np.full((self.n, channels, self.k, self.k), 0.1, dtype=np.float32)
        self.bias = np.zeros(self.n, dtype=np.float32)
        self.m, self.v, self.t = np.zeros_like(self.weights), np.zeros_like(self.weights), 0

    def windows(self, H, W):
        for i in range(self.k):
            for j in range(self.k):
                yield i, j, slice(i, i + self.s * H, self.s), slice(j, j + self.s * W, self.s)

    def forward(self, x):
        if self.weights is None:
            self.start(x.shape[1])
        self.shape = N, C, H, W = x.shape
        OH, OW = ((n + 2 * self.p - self.k) // self.s + 1 for n in (H, W))
        x = np.pad(x, ((0, 0), (0, 0), (self.p, self.p), (self.p, self.p)))
        col = np.zeros((N, C, self.k, self.k, OH, OW), dtype=np.float32)
        for i, j, rows, columns in self.windows(OH, OW):
            col[:, :, i, j] = x[:, :, rows, columns]
        self.col = col.transpose(0, 4, 5, 1, 2, 3).reshape(N * OH * OW, -1)
        self.col_W = self.weights.reshape(self.n, -1).T
        return (self.col @ self.col_W + self.bias).reshape(N, OH, OW, self.n).transpose(0, 3, 1, 2)

    def backward(self, dout, learning_rate):
        N, C, H, W = self.shape
        OH, OW = dout.shape[2:]
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, self.n)
        dW = (self.col.T @ dout).T.reshape(self.weights.shape)
        dcol = (dout @ self.col_W.T).reshape(N, OH, OW, C, self.k, self.k).transpose(0, 3, 4, 5, 1, 2)
        dx = np.zeros((N, C, H + 2 * self.p, W + 2 * self.p), dtype=np.float32)
        for i, j, rows, columns in self.windows(OH, OW):
            dx[:, :, rows, columns] += dcol[:, :, i, j]
        self.t += 1
        self.m, self.v = 0.9 * self.m + 0.1 * dW, 0.999 * self.v + 0.001 * dW**2
        m, v = self.m / (1 - 0.9**self.t), self.v / (1 - 0.999**self.t)
        self.weights -= learning_rate * m / (np.sqrt(v) + 1e-8)
        self.bias -= learning_rate * dout.sum(axis=0)
        return dx[:, :, self.p : H + self.p, self.p : W + self.p]


class OtherColumn(Conv):
    def backward(self, dout, learning_rate):
        return np.roll(super().backward(dout, learning_rate), 1, axis=3)


class ChangedBefore(Conv):
    """dx is computed with the weights that this backward has changed."""

    def backward(self, dout, learning_rate):
        super().backward(dout, learning_rate)
        return super().backward(dout, learning_rate)


class NoStrideBackward(Conv):
    def backward(self, dout, learning_rate):
        self.s, s = 1, self.s
        dx = super().backward(dout, learning_rate)
        self.s = s
        return dx


def test_columns_and_dx_in_float32_of_a_layer_that_updates_itself_are_named():
    verdict = verify(Conv, "convolution", isolated=False)
    assert verdict.outcome == "right_but", str(verdict)
    assert verdict.buts == ["it computes in float32 although float64 comes in (dx)"]
    assert {"dW", "db"} <= {*verdict.not_checked}


@pytest.mark.parametrize("factory", [OtherColumn, ChangedBefore, NoStrideBackward])
def test_another_bug_of_such_a_layer_is_wrong(factory):
    verdict = verify(factory, "convolution", isolated=False)
    assert verdict.outcome == "wrong", str(verdict)
    assert (verdict.culprit.phase, verdict.culprit.tensor) == ("backward", "dx")


class Rounding:
    """x is rounded, and what follows is computed in float64: numbers that float32 holds do not show it."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = np.asarray(x, dtype=np.float32)
        return (self.x @ self.W + self.b).astype(x.dtype)

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class RoundingAndTransposed(Rounding):
    def backward(self, dout):
        dx = super().backward(dout)
        return dout @ self.W if self.W.shape[0] == self.W.shape[1] else dx


class RoundingAndSteep(Rounding):
    def forward(self, x):
        out = super().forward(x)
        return out * out.dtype.type(1 + 1e-7) if np.all(x > 0) else out


def test_x_that_is_rounded_first_is_named():
    verdict = verify(Rounding, "affine", isolated=False)
    assert verdict.outcome == "right_but", str(verdict)
    assert verdict.buts == ["it computes in float32 although float64 comes in (out, dW)"]


@pytest.mark.parametrize("factory", [RoundingAndTransposed, RoundingAndSteep])
def test_another_bug_beside_it_is_wrong(factory):
    assert verify(factory, "affine", isolated=False).outcome == "wrong"


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
