"""Cross entropy with the options of `torch.nn.CrossEntropyLoss`, which the book's loss does not have."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from scratchcnn.labels import how_to_number
from scratchcnn.layers.base import floating
from scratchcnn.layers.basic import Loss
from scratchcnn.typing import Array

Reduction = Literal["mean", "sum", "none"]


class CrossEntropy(Loss):
    """`SoftmaxWithLoss` with options; `torch.nn.CrossEntropyLoss`. With y = softmax(x) over the classes:

        loss[n] = -(sum over c of q[n, c] * log y[n, c])
        q[n, c] = weight[c] * ((1 - label_smoothing) * [c == t[n]] + label_smoothing / C)

    weight           (C,) how much each class counts, None: all 1
    ignore_index     a label that counts for nothing: its loss and gradient are 0
    label_smoothing  the share of each label that is spread over all classes, in [0, 1]
    reduction        "mean", "sum", or "none": the loss of each label, in the shape of t

    x (N, C), or scores of images (N, C, H, W); t integer labels (N,) or (N, H, W), or shares of the classes
    in the shape of x, which take the place of [c == t[n]]. The mean of integer labels is weighted: the sum
    is divided by the weights of the labels that count (NaN if none does, as in PyTorch); that of shares is
    divided by their number. A network needs "mean" or "sum".

    Raises ValueError for options out of range, shapes that do not fit and labels outside of 0..C-1.
    """

    def __init__(
        self,
        weight: Array | None = None,
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
        reduction: Reduction = "mean",
    ):
        super().__init__()
        if weight is not None and np.ndim(floating(weight, "CrossEntropy weight")) != 1:
            raise ValueError(f"CrossEntropy: expected weight of shape (C,), got {np.shape(weight)}")
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"CrossEntropy: label_smoothing must lie in [0, 1], got {label_smoothing!r}")
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f'CrossEntropy: reduction must be "mean", "sum" or "none", got {reduction!r}')
        self.weight, self.ignore_index = weight, ignore_index
        self.label_smoothing, self.reduction = float(label_smoothing), reduction

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        x, t = self._check_all(x, np.asarray(t))
        shifted = x - x.max(axis=1, keepdims=True)
        log_y = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        q, divisor = self._shares(x, t)
        losses = -(q * log_y).sum(axis=1)  # (N, C, ...) -> (N, ...)
        ignored = (t == self.ignore_index)[:, None] if t.shape != x.shape else False
        self.remember(np.exp(log_y), q, np.where(ignored, x.dtype.type(1), divisor))  # 0 also where all are
        if self.reduction == "none":
            return losses
        with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 where no label counts
            return losses.sum() / divisor

    def backward(self, dout: Any = 1) -> Array:
        """dx = dout * (y * (sum over c of q) - q) / divisor"""
        y, q, divisor = self.recall()
        dout = np.asarray(dout, dtype=y.dtype)
        if dout.ndim:  # of each label: (N, ...) -> (N, 1, ...)
            dout = self.check_dout(dout, (len(y), *y.shape[2:]))[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            dx: Array = dout * (y * q.sum(axis=1, keepdims=True) - q) / divisor
        return dx

    def _shares(self, x: Array, t: Array) -> tuple[Array, Any]:
        """q (N, C, ...), and what the sum of the losses is divided by."""
        C = x.shape[1]
        column = (C, *(1,) * (x.ndim - 2))
        weight = np.ones(C, x.dtype) if self.weight is None else self.weight
        divisor: Any = x.dtype.type(1)
        if t.shape == x.shape:
            shares, counts = t.astype(x.dtype), np.ones((len(t), 1, *t.shape[2:]), x.dtype)
            total = counts.sum()
        else:
            ignored = t == self.ignore_index
            label = np.where(ignored, 0, t)
            shares = np.moveaxis(np.eye(C, dtype=x.dtype)[label], -1, 1)  # (N, ..., C) -> (N, C, ...)
            counts = (~ignored[:, None]).astype(x.dtype)
            total = (weight[label] * counts[:, 0]).sum()
            if self.label_smoothing and total == 0:  # PyTorch adds 0 / 0, the labels' part, to the spread one
                total = x.dtype.type(np.nan)
        e = x.dtype.type(self.label_smoothing)
        q = weight.reshape(column) * ((1 - e) * shares + e / x.dtype.type(C)) * counts
        return q, total if self.reduction == "mean" else divisor

    def _check_all(self, x: Array, t: Array) -> tuple[Array, Array]:
        x = self.check_input(x, like=self.weight)
        if x.ndim < 2 or not x.size:
            raise ValueError(f"{self.label}: expected x of shape (N, C) or (N, C, H, W), got {x.shape}")
        N, C, *image = x.shape
        if self.weight is not None and self.weight.shape != (C,):
            raise ValueError(f"{self.label}: expected weight of shape ({C},), got {self.weight.shape}")
        if t.shape == x.shape:
            if self.ignore_index >= 0:
                raise ValueError(f"{self.label}: ignore_index is for labels, not for shares of the classes")
            return x, t
        if t.shape != (N, *image):
            raise ValueError(
                f"{self.label}: expected t of shape {(N, *image)} with labels or {x.shape} with shares, "
                f"got {t.shape}"
            )
        if t.dtype.kind not in "iu":
            raise TypeError(f"{self.label}: labels must be integers, got {t.dtype}{how_to_number(t)}")
        counted = t[t != self.ignore_index]
        if counted.size and not 0 <= counted.min() <= counted.max() < C:
            raise ValueError(
                f"{self.label}: labels must lie in 0..{C - 1} or be {self.ignore_index} (ignore_index); "
                f"got {counted.min()}..{counted.max()}"
            )
        return x, t

    def arguments(self) -> str:
        text = "" if self.weight is None else f"weight=({len(self.weight)},), "
        text += f"ignore_index={self.ignore_index}, label_smoothing={self.label_smoothing:g}"
        return f"{text}, reduction={self.reduction!r}"
