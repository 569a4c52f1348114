"""Losses: softmax with cross entropy (book, section 5.6.3) and LeNet-5's penalty."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchcnn.layers.base import Layer, floating


class Loss(Layer):
    """(scores (N, C), labels) -> one number, the mean over the batch. `backward(dout=1)` -> (N, C)."""

    def forward(self, x: NDArray, t: Any) -> Any:  # type: ignore[override]
        raise NotImplementedError

    def backward(self, dout: Any = 1) -> NDArray:
        raise NotImplementedError

    def check(self, x: NDArray, t: Any) -> tuple[NDArray, NDArray]:
        """x (N, C) and t: integer labels (N,), also as the book's column (N, 1), or one-hot rows (N, C)."""
        x, t = floating(x, f"{self.label}: x"), np.asarray(t)
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
            raise TypeError(f"{self.label}: labels must be integers, got {t.dtype}")
        if t.min() < 0 or t.max() >= C:
            raise ValueError(
                f"{self.label}: labels must lie in 0..{C - 1} because x is {x.shape}; "
                f"got {t.min()}..{t.max()}"
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
        self.y: NDArray | None = None
        self.t: NDArray | None = None

    def forward(self, x: NDArray, t: Any) -> Any:  # type: ignore[override]
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

    def backward(self, dout: Any = 1) -> NDArray:
        """dx = dout * (y - t) / N, t one-hot (y times the sum of t, should a row not sum to 1)."""
        y, t = self.recall()
        if t.ndim == 1:
            dx = y.copy()
            dx[np.arange(len(y)), t] -= 1
        else:
            t = t.astype(y.dtype)
            dx = y * t.sum(axis=1, keepdims=True) - t
        return dx * y.dtype.type(dout) / len(y)


class PenaltyLoss(Loss):
    """LeNet-5's criterion over the penalties of its RBF outputs (LeCun et al. 1998, eq. 9).

        loss = mean over n of  y[n, t] + log(exp(-j) + sum over i of exp(-y[n, i]))

    y (N, C) are penalties: the smaller, the likelier. `j` is the paper's positive constant, the penalty
    of a "rubbish" class, which keeps penalties that are already large from being pushed further; the
    paper leaves its value open.
    """

    def __init__(self, j: float = 10.0):
        super().__init__()
        if j <= 0:
            raise ValueError(f"PenaltyLoss: j must be positive, got {j}")
        self.j = float(j)

    def forward(self, x: NDArray, t: Any) -> Any:  # type: ignore[override]
        x, t = self.check(x, t)
        onehot = np.eye(x.shape[1], dtype=x.dtype)[t] if t.ndim == 1 else t.astype(x.dtype)
        lowest = np.minimum(x.min(axis=1, keepdims=True), x.dtype.type(self.j))
        e = np.exp(lowest - x)
        total = e.sum(axis=1, keepdims=True) + np.exp(lowest - self.j)
        self.remember(e / total, onehot)
        return ((x * onehot).sum(axis=1) + (np.log(total) - lowest)[:, 0]).mean()

    def backward(self, dout: Any = 1) -> NDArray:
        """dy_i = (1 where i is the label, minus exp(-y_i) / (exp(-j) + sum of exp(-y))) / N."""
        share, onehot = self.recall()
        return (onehot - share) * share.dtype.type(dout) / len(share)

    def arguments(self) -> str:
        return f"j={self.j:g}"
