"""Losses of each output on its own: squared, absolute and Huber's errors, binary cross entropy."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from scratchcnn.layers.basic import Loss
from scratchcnn.typing import Array

Reduction = Literal["mean", "batchmean", "sum", "none"]
REDUCTIONS = ("mean", "batchmean", "sum", "none")


class ElementwiseLoss(Loss):
    """A loss per output, reduced to one number. A subclass has the loss of one output and its slope.

        loss = factor * (sum over all outputs of each(x, t)) / divisor
        dx   = dout * factor * slope(x, t) / divisor

    reduction  what the sum is divided by: "mean" the number of outputs, as PyTorch does; "batchmean" N;
               "sum" nothing; "none" gives the loss of each output, in the shape of x
    factor     0.5 for a square whose slope has no 2

    x (N, ...) outputs, t the targets in the same shape: nothing is broadcast, so that (N, 1) never meets
    (N,). A network needs a reduction other than "none".

    Raises ValueError for an unknown reduction, a factor of 0 and shapes that differ.
    """

    def __init__(self, reduction: Reduction = "mean", factor: float = 1.0):
        super().__init__()
        if reduction not in REDUCTIONS:
            raise ValueError(
                f'{self.kind}: reduction must be "mean", "batchmean", "sum" or "none", got {reduction!r}'
            )
        if not 0 < factor < np.inf:
            raise ValueError(f"{self.kind}: factor must be above 0, got {factor!r}")
        self.reduction, self.factor = reduction, float(factor)

    def each(self, x: Array, t: Array) -> Array:
        """The loss of each output, in the shape of x."""
        raise NotImplementedError

    def slope(self, x: Array, t: Array) -> Array:
        """The derivative of each loss by its output."""
        raise NotImplementedError

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        x, t = self.check(x, t)
        self.remember(x.copy(), t.copy())
        losses = x.dtype.type(self.factor) * self.each(x, t)
        return losses if self.reduction == "none" else losses.sum() / self.divisor(x)

    def backward(self, dout: Any = 1) -> Array:
        """dx = dout * factor * slope(x, t) / divisor"""
        x, t = self.recall()
        dout = np.asarray(dout, dtype=x.dtype)
        if dout.ndim:  # of each output, for reduction="none"
            dout = self.check_dout(dout, x.shape)
        dx: Array = dout * x.dtype.type(self.factor) * self.slope(x, t) / self.divisor(x)
        return dx

    def divisor(self, x: Array) -> Any:
        """What the sum of the losses is divided by."""
        return x.dtype.type({"mean": x.size, "batchmean": len(x)}.get(self.reduction, 1))

    def check(self, x: Array, t: Any) -> tuple[Array, Array]:
        """x and t of one shape, t in the dtype of x."""
        x, t = self.check_input(x), np.asarray(t)
        if not x.ndim or not x.size:
            raise ValueError(f"{self.label}: expected x of shape (N, ...) with N at least 1, got {x.shape}")
        if t.shape != x.shape:
            raise ValueError(f"{self.label}: expected t of shape {x.shape}, as x is; got {t.shape}")
        if t.dtype.kind not in "fiub":
            raise TypeError(f"{self.label}: targets must be numbers, got {t.dtype}")
        return x, t.astype(x.dtype)

    def arguments(self) -> str:
        return f"reduction={self.reduction!r}, factor={self.factor:g}"


class MeanSquaredError(ElementwiseLoss):
    """(x - t)**2, mean over all outputs; `torch.nn.MSELoss`.

    The book's (eq. 4.1) is half the sum: `MeanSquaredError("sum", factor=0.5)`, of which dx is x - t.
    """

    def each(self, x: Array, t: Array) -> Array:
        squares: Array = (x - t) ** 2
        return squares

    def slope(self, x: Array, t: Array) -> Array:
        """d (x - t)**2 / dx = 2 * (x - t)"""
        return 2 * (x - t)


class MeanAbsoluteError(ElementwiseLoss):
    """|x - t|, mean over all outputs; `torch.nn.L1Loss`. Where x meets t the slope is 0."""

    def each(self, x: Array, t: Array) -> Array:
        distances: Array = np.abs(x - t)
        return distances

    def slope(self, x: Array, t: Array) -> Array:
        """d |x - t| / dx = the sign of x - t"""
        signs: Array = np.sign(x - t)
        return signs


class HuberLoss(ElementwiseLoss):
    """Half the square up to delta and a straight line beyond it, mean over all outputs; `torch.nn.HuberLoss`.

        (x - t)**2 / 2                     where |x - t| <= delta
        delta * (|x - t| - delta / 2)      elsewhere

    Both meet at delta, where their slopes do too (Huber 1964). Divided by delta it is
    `torch.nn.SmoothL1Loss(beta=delta)`; for delta = 1 the two are one.

    Raises ValueError for a delta that is not above 0.
    """

    def __init__(self, reduction: Reduction = "mean", factor: float = 1.0, delta: float = 1.0):
        super().__init__(reduction, factor)
        if not 0 < delta < np.inf:
            raise ValueError(f"{self.kind}: delta must be above 0, got {delta!r}")
        self.delta = float(delta)

    def each(self, x: Array, t: Array) -> Array:
        d, delta = np.abs(x - t), x.dtype.type(self.delta)
        losses: Array = np.where(d <= delta, d * d / 2, delta * (d - delta / 2))
        return losses

    def slope(self, x: Array, t: Array) -> Array:
        """x - t up to delta, delta with the sign of x - t beyond it"""
        delta = x.dtype.type(self.delta)
        slopes: Array = np.clip(x - t, -delta, delta)
        return slopes

    def arguments(self) -> str:
        return f"{super().arguments()}, delta={self.delta:g}"


class HingeLoss(ElementwiseLoss):
    """max(0, 1 - t * x) of scores x and labels t that are -1 or 1, mean over all outputs.

    The loss of a support vector machine (Cortes and Vapnik 1995); in PyTorch `torch.relu(1 - t * x).mean()`.
    Where t * x is exactly 1 the slope is 0.

    Raises ValueError for other labels.
    """

    def check(self, x: Array, t: Any) -> tuple[Array, Array]:
        x, t = super().check(x, t)
        if not np.all(np.abs(t) == 1):
            raise ValueError(f"{self.label}: labels must be -1 or 1, got {t.min():.3g} to {t.max():.3g}")
        return x, t

    def each(self, x: Array, t: Array) -> Array:
        losses: Array = np.maximum(0, 1 - t * x)
        return losses

    def slope(self, x: Array, t: Array) -> Array:
        """-t where t * x < 1, else 0"""
        return np.where(t * x < 1, -t, x.dtype.type(0))


class BinaryCrossEntropy(ElementwiseLoss):
    """-(t log x + (1 - t) log(1 - x)) of probabilities x, mean over all outputs; `torch.nn.BCELoss`.

    x in [0, 1], of a sigmoid for instance; t 0 or 1, or between. As in PyTorch a logarithm is at least -100,
    so that x = 0 where t is 1 costs 100, and the denominator of the slope is at least 1e-12.

    Raises ValueError for x outside of [0, 1].
    """

    def check(self, x: Array, t: Any) -> tuple[Array, Array]:
        x, t = super().check(x, t)
        if x.min() < 0 or x.max() > 1:
            raise ValueError(
                f"{self.label}: x holds probabilities from 0 to 1; got {x.min():.3g} to {x.max():.3g}"
            )
        return x, t

    def each(self, x: Array, t: Array) -> Array:
        with np.errstate(divide="ignore"):
            log_x, log_rest = np.maximum(np.log(x), -100), np.maximum(np.log1p(-x), -100)
        losses: Array = -(t * log_x + (1 - t) * log_rest)
        return losses

    def slope(self, x: Array, t: Array) -> Array:
        """-t / x + (1 - t) / (1 - x) = (x - t) / (x * (1 - x))"""
        slopes: Array = (x - t) / np.maximum(x * (1 - x), x.dtype.type(1e-12))
        return slopes
