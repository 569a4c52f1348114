"""The layers of chapter 5 (book, sections 5.5 and 5.6), from Relu to softmax with loss, and Tanh."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from scratchcnn.fast import accelerated
from scratchcnn.labels import how_to_number, one_too_high
from scratchcnn.layers.base import Layer, grad, param
from scratchcnn.typing import Array


@accelerated
class Relu(Layer):
    """max(x, 0), any shape; the gradient at exactly 0 is 0 and at NaN 1, as in `torch.nn.ReLU`.

    The book's backward writes into `dout`; this one returns a new array.
    """

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        self.remember(~(x <= 0))
        return np.maximum(x, 0)

    def backward(self, dout: Array) -> Array:
        """dx = 0 where x <= 0, else dout."""
        (mask,) = self.recall()
        dout = self.check_dout(dout, mask.shape)
        return np.where(mask, dout, dout.dtype.type(0))


@accelerated
class Sigmoid(Layer):
    """1 / (1 + exp(-x)), any shape, without overflow for large |x|; `torch.nn.Sigmoid`."""

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        small = np.exp(-np.abs(x))  # in (0, 1]
        out: Array = np.where(x < 0, small, 1) / (1 + small)
        self.remember(out.copy())
        return out

    def backward(self, dout: Array) -> Array:
        """dx = dout * y * (1 - y)."""
        (y,) = self.recall()
        dx: Array = self.check_dout(dout, y.shape) * y * (1 - y)
        return dx


@accelerated
class Tanh(Layer):
    """amplitude * tanh(slope * x), any shape; `torch.nn.Tanh` with both at 1.

    LeNet-5's squashing function is `Tanh(1.7159, 2 / 3)` (LeCun et al. 1998, appendix A).
    """

    def __init__(self, amplitude: float = 1.0, slope: float = 1.0):
        super().__init__()
        self.amplitude, self.slope = float(amplitude), float(slope)

    def forward(self, x: Array) -> Array:
        y = np.tanh(self.slope * self.check_input(x))
        self.remember(y)
        return self.amplitude * y

    def backward(self, dout: Array) -> Array:
        """dx = dout * amplitude * slope * (1 - tanh(slope * x)**2)."""
        (y,) = self.recall()
        dx: Array = self.check_dout(dout, y.shape) * (self.amplitude * self.slope * (1 - y * y))
        return dx

    def arguments(self) -> str:
        return "" if self.amplitude == self.slope == 1 else f"{self.amplitude:g}, {self.slope:.4g}"


def softmax(x: Array, axis: int = 1) -> Array:
    """exp(x) normalised to sum 1 along `axis` (the only axis of a 1-D x), shifted by the row's maximum."""
    axis = axis if x.ndim > 1 else 0
    e = np.exp(x - x.max(axis=axis, keepdims=True, initial=-np.inf))
    y: Array = e / e.sum(axis=axis, keepdims=True)
    return y


class Softmax(Layer):
    """(N, C, ...) -> the same shape, each column of C a distribution; `torch.nn.Softmax(dim=axis)`."""

    def __init__(self, axis: int = 1):
        super().__init__()
        try:
            self.axis = operator.index(axis)
        except TypeError:
            raise TypeError(f"Softmax: axis must be a whole number, got {axis!r}") from None

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        if x.ndim < 2:
            raise ValueError(f"{self.label}: expected x of shape (N, C, ...), got {x.shape}")
        if not -x.ndim <= self.axis < x.ndim:
            raise ValueError(f"{self.label}: x of shape {x.shape} has no axis {self.axis}")
        y = softmax(x, self.axis)
        self.remember(y.copy())
        return y

    def backward(self, dout: Array) -> Array:
        """dx = y * (dout - sum over the axis of dout * y)."""
        (y,) = self.recall()
        dout = self.check_dout(dout, y.shape)
        dx: Array = y * (dout - (dout * y).sum(axis=self.axis, keepdims=True))
        return dx

    def arguments(self) -> str:
        return "" if self.axis == 1 else f"axis={self.axis}"


@accelerated
class Affine(Layer):
    """(N, ...) -> (N, out): `x.reshape(N, -1) @ W + b`; `torch.nn.Linear` with its weight transposed.

    W (in, out) as in the book (PyTorch keeps (out, in)), b (out,) or None. An input with more than
    two axes is flattened after the first, and dx comes back in its shape, as in the book.
    """

    W, b = param(), param()
    dW, db = grad("W"), grad("b")

    def __init__(self, W: Array, b: Array | None = None):
        super().__init__({"W": W, "b": b})
        if W.ndim != 2:
            raise ValueError(f"Affine: expected W of shape (in, out), got {W.shape}")
        if b is not None and b.shape != (W.shape[1],):
            raise ValueError(f"Affine: expected b of shape (out,) = ({W.shape[1]},), got {b.shape}")

    def forward(self, x: Array) -> Array:
        x = self.check_input(x, like=self.W)
        size = math.prod(x.shape[1:])
        if x.ndim < 2 or size != self.W.shape[0]:
            hint = " Is W transposed (PyTorch keeps (out, in))?" if size == self.W.shape[1] else ""
            raise ValueError(
                f"{self.label}: expected {self.W.shape[0]} numbers per image because W is {self.W.shape}; "
                f"got x of shape {x.shape}.{hint}"
            )
        flat = x.reshape(len(x), size)  # (N, ...) -> (N, in)
        self.remember(x.shape, flat.copy())
        out: Array = flat @ self.W
        if self.b is not None:
            out += self.b
        return out

    def backward(self, dout: Array) -> Array:
        """dW = x^T @ dout,  db = sum of dout over N,  dx = dout @ W^T."""
        x_shape, x = self.recall()
        dout = self.check_dout(dout, (len(x), self.W.shape[1]))
        self.grads["W"] = x.T @ dout
        if self.b is not None:
            self.grads["b"] = dout.sum(axis=0)
        dx: Array = dout @ self.W.T
        return dx.reshape(x_shape)

    def arguments(self) -> str:
        return f"{self.W.shape[0]}, {self.W.shape[1]}" + (", b=None" if self.b is None else "")


@accelerated
class Flatten(Layer):
    """(N, C, H, W) -> (N, C*H*W); `torch.nn.Flatten()`."""

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        if x.ndim < 2:
            raise ValueError(f"{self.label}: expected x of shape (N, ...), got {x.shape}")
        self.remember(x.shape)
        return x.reshape(len(x), math.prod(x.shape[1:])).copy()

    def backward(self, dout: Array) -> Array:
        (x_shape,) = self.recall()
        return self.check_dout(dout, (x_shape[0], math.prod(x_shape[1:]))).reshape(x_shape).copy()


class Loss(Layer):
    """(scores (N, C), labels) -> one number, the mean over the batch. `backward(dout=1)` -> (N, C)."""

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        raise NotImplementedError

    def backward(self, dout: Any = 1) -> Array:
        raise NotImplementedError

    def check(self, x: Array, t: Any) -> tuple[Array, Array]:
        """x (N, C) and t: integer labels (N,), also as the book's column (N, 1), or one-hot rows (N, C)."""
        x, t = self.check_input(x), np.asarray(t)
        if x.ndim != 2 or not len(x):
            raise ValueError(f"{self.label}: expected x of shape (N, C) with N at least 1, got {x.shape}")
        if t.shape == x.shape:
            return x, t
        N, C = x.shape
        if t.shape == (N, 1):
            t = t[:, 0]
        if t.shape != (N,):
            raise ValueError(
                f"{self.label}: expected t of shape ({N},) with labels or {x.shape} one-hot, got {t.shape}"
            )
        if t.dtype.kind not in "iu":
            raise TypeError(f"{self.label}: labels must be integers, got {t.dtype}{how_to_number(t)}")
        if t.min() < 0 or t.max() >= C:
            raise ValueError(
                f"{self.label}: labels must lie in 0..{C - 1} because x is {x.shape}; "
                f"got {t.min()}..{t.max()}{one_too_high(t, C)}"
            )
        return x, t


class SoftmaxWithLoss(Loss):
    """-log softmax(x)[t], mean over N; `torch.nn.CrossEntropyLoss()`.

        loss = mean over n of  log(sum over c of exp(x[n, c])) - x[n, t[n]]

    x (N, C) logits; t (N,) integer labels, or (N, C) one-hot or probabilities. Computed by
    log-sum-exp, so that confident wrong logits keep their loss (the book's `log(y + 1e-7)` stops
    at 16.1). After forward, `y` holds the softmax and `loss` the loss, as in the book.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loss: Any = None
        self.y: Array | None = None
        self.t: Array | None = None

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        x, t = self.check(x, t)
        shifted = x - x.max(axis=1, keepdims=True)
        e = np.exp(shifted)
        total = e.sum(axis=1, keepdims=True)
        log_y = shifted - np.log(total)
        if t.ndim == 1:
            self.loss = -log_y[np.arange(len(x)), t].mean()
        else:
            self.loss = -(t.astype(x.dtype) * log_y).sum(axis=1).mean()
        self.y, self.t = e / total, t
        self.remember(self.y.copy(), t.copy())
        return self.loss

    def backward(self, dout: Any = 1) -> Array:
        """dx = dout * (y - t) / N, t one-hot (y times the sum of t, should a row not sum to 1)."""
        y, t = self.recall()
        if t.ndim == 1:
            dx: Array = y.copy()
            dx[np.arange(len(y)), t] -= 1
        else:
            t = t.astype(y.dtype)
            dx = y * t.sum(axis=1, keepdims=True) - t
        dx = dx * y.dtype.type(dout) / len(y)
        return dx
