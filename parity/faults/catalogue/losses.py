"""Bugs of the losses: the batch divided by once too often or never, labels misread, logarithms clamped."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.layers import PenaltyLoss, SoftmaxWithLoss, softmax
from scratchcnn.typing import Array

fault = Family()


class Open(SoftmaxWithLoss):
    """The right loss, with its formulas to be replaced; t is one-hot inside."""

    def log_softmax(self, x: Array) -> Array:
        shifted = x - x.max(axis=1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    def onehot(self, x: Array, t: Array) -> Array:
        return t.astype(x.dtype) if t.ndim == 2 else np.eye(x.shape[1], dtype=x.dtype)[t]

    def mean(self, log_y: Array, t: Array) -> Any:
        return -(t * log_y).sum() / log_y.dtype.type(len(t))

    def gradient(self, y: Array, t: Array) -> Array:
        return (y - t) / len(t)

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        x, t = self.check(x, t)
        t = self.onehot(x, t)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            log_y = self.log_softmax(x)
            self.loss, self.y = self.mean(log_y, t), np.exp(log_y)
        self.remember(self.y.copy(), t)
        return self.loss

    def backward(self, dout: Any = 1) -> Array:
        y, t = self.recall()
        return self.gradient(y, t) * y.dtype.type(dout)


# -- the size of the batch ------------------------------------------------------------------------
@fault("loss-sum-for-mean", "softmax_with_loss", "the sum over the batch for its mean")
class SumForMean(Open):
    """reduction="sum" is copied from a reference that trains with it."""

    def mean(self, log_y: Array, t: Array) -> Any:
        return -(t * log_y).sum()

    def gradient(self, y: Array, t: Array) -> Array:
        return y - t


@fault("loss-gradient-not-divided", "softmax_with_loss", "dx not divided by N")
class NotDivided(Open):
    """The loss is a mean, and backward returns y - t."""

    def gradient(self, y: Array, t: Array) -> Array:
        return y - t


@fault("loss-gradient-divided-twice", "softmax_with_loss", "dx divided by N twice")
class DividedTwice(Open):
    """The division by N is made for the mean and once more for the gradient."""

    def gradient(self, y: Array, t: Array) -> Array:
        return (y - t) / len(t) ** 2


@fault("loss-not-divided", "softmax_with_loss", "the loss not divided by N, dx divided")
class LossNotDivided(Open):
    """Backward divides by N as the book's does, and the loss is printed as a sum."""

    def mean(self, log_y: Array, t: Array) -> Any:
        return -(t * log_y).sum()


@fault("loss-mean-over-elements", "softmax_with_loss", "the mean over N * C numbers")
class MeanOverElements(Open):
    """np.mean is applied to t * log(y), which has N * C entries."""

    def mean(self, log_y: Array, t: Array) -> Any:
        return -(t * log_y).mean()

    def gradient(self, y: Array, t: Array) -> Array:
        return (y - t) / y.dtype.type(t.size)


@fault("loss-last-image", "softmax_with_loss", "the loss of the last image alone")
class LastImage(Open):
    """The loss is assigned in the loop over the batch, where it should be added to."""

    def mean(self, log_y: Array, t: Array) -> Any:
        return -(t[-1] * log_y[-1]).sum()


# -- labels ---------------------------------------------------------------------------------------
@fault("loss-indexes-every-pair", "softmax_with_loss", "every image paired with every label")
class EveryPair(Open):
    """y[:, t] is written for y[np.arange(N), t], and the mean of the N * N numbers looks like a loss."""

    def onehot(self, x: Array, t: Array) -> Array:
        return np.broadcast_to(super().onehot(x, t).mean(axis=0), x.shape).astype(x.dtype)


@fault("loss-labels-from-one", "softmax_with_loss", "labels one too high")
class LabelsFromOne(Open):
    """The labels are taken for MATLAB's, which start at 1, and 0 wraps around to the last class."""

    def onehot(self, x: Array, t: Array) -> Array:
        return np.roll(super().onehot(x, t), -1, axis=1)


@fault("loss-one-hot-argmin", "softmax_with_loss", "a class other than the one-hot row's", needs={"one_hot"})
class OneHotArgsort(Open):
    """argsort()[:, 0] is used on one-hot labels, which gives the first class that is not the label."""

    def onehot(self, x: Array, t: Array) -> Array:
        labels = np.argmin(t, axis=1) if t.ndim == 2 else t
        return super().onehot(x, labels)


@fault(
    "loss-one-hot-as-labels", "softmax_with_loss", "one-hot entries used as class indices", needs={"one_hot"}
)
class OneHotAsLabels(Open):
    """y[np.arange(N)[:, None], t] with a one-hot t picks class 1 once and class 0 for all the rest."""

    def onehot(self, x: Array, t: Array) -> Array:
        if t.ndim == 1:
            return super().onehot(x, t)
        picked = np.zeros_like(x)
        picked[:, 0], picked[:, 1] = x.shape[1] - 1, 1
        return picked / x.dtype.type(x.shape[1])


@fault(
    "loss-subtracts-one-everywhere", "softmax_with_loss", "1 subtracted in every image's row for every label"
)
class SubtractsEverywhere(Open):
    """dx[:, t] -= 1 is written for dx[np.arange(N), t] -= 1."""

    def gradient(self, y: Array, t: Array) -> Array:
        return (y - t.max(axis=0)) / len(t)


@fault("loss-gradient-without-labels", "softmax_with_loss", "dx without the labels")
class WithoutLabels(Open):
    """The 1 of the right class is not subtracted."""

    def gradient(self, y: Array, t: Array) -> Array:
        return y / len(t)


@fault("loss-gradient-sign", "softmax_with_loss", "dx with the sign flipped")
class GradientSign(Open):
    """t - y is written for y - t."""

    def gradient(self, y: Array, t: Array) -> Array:
        return (t - y) / len(t)


@fault("loss-gradient-right-class-only", "softmax_with_loss", "dx at the right class alone")
class RightClassOnly(Open):
    """The loss reads one number a row, so the gradient is thought to reach only that one."""

    def gradient(self, y: Array, t: Array) -> Array:
        return t * (y - t) / len(t)


@fault("loss-label-smoothing", "softmax_with_loss", "labels smoothed by 0.1")
class Smoothed(Open):
    """label_smoothing=0.1 comes along with a training recipe."""

    def onehot(self, x: Array, t: Array) -> Array:
        share = x.dtype.type(0.1)
        return super().onehot(x, t) * (1 - share) + share / x.shape[1]


# -- numbers --------------------------------------------------------------------------------------
@fault("loss-clamped-logarithm", "softmax_with_loss", "log(y + 1e-7)")
class Clamped(Open):
    """The book's cross entropy adds 1e-7 inside the logarithm, which caps the loss at 16.1."""

    def mean(self, log_y: Array, t: Array) -> Any:
        return super().mean(np.log(np.exp(log_y) + log_y.dtype.type(1e-7)), t)


@fault("loss-softmax-over-everything", "softmax_with_loss", "one softmax for the whole batch")
class OverEverything(Open):
    """A softmax for one row of scores is given a batch: neither np.max nor np.sum has an axis."""

    def log_softmax(self, x: Array) -> Array:
        shifted = x - x.max()
        return shifted - np.log(np.exp(shifted).sum())


@fault(
    "loss-book-softmax-over-everything",
    "softmax_with_loss",
    "one softmax for the whole batch and log(y + 1e-7)",
)
class BookOverEverything(OverEverything):
    """The book's softmax for one row of scores is given a batch, and its cross entropy adds 1e-7."""

    def mean(self, log_y: Array, t: Array) -> Any:
        return super().mean(np.log(np.exp(log_y) + log_y.dtype.type(1e-7)), t)


@fault("loss-clipped-probabilities", "softmax_with_loss", "probabilities clipped to [1e-7, 1 - 1e-7]")
class Clipped(Open):
    """Keras clips y before the logarithm."""

    def mean(self, log_y: Array, t: Array) -> Any:
        return super().mean(np.log(np.clip(np.exp(log_y), 1e-7, 1 - 1e-7)), t)


@fault("loss-no-shift", "softmax_with_loss", "no shift by the maximum")
class NoShift(Open):
    """log(sum(exp(x))) is typed in, and exp overflows from 710 on."""

    def log_softmax(self, x: Array) -> Array:
        return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


@fault("loss-global-maximum", "softmax_with_loss", "a shift by the maximum of the whole batch")
class GlobalMaximum(Open):
    """x - np.max(x) lacks its axis, and the sum of a row far below the largest one is 0."""

    def log_softmax(self, x: Array) -> Array:
        shifted = x - x.max()
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@fault("loss-log-of-softmax", "softmax_with_loss", "the logarithm of a softmax that is 0")
class LogOfSoftmax(Open):
    """np.log(softmax(x)) is -inf where the softmax has become 0, and 0 * -inf is not a number."""

    def log_softmax(self, x: Array) -> Array:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return np.log(e / e.sum(axis=1, keepdims=True))


@fault("loss-softmax-twice", "softmax_with_loss", "softmax applied twice")
class SoftmaxTwice(Open):
    """The network ends in a softmax layer, and the loss has another one inside."""

    def log_softmax(self, x: Array) -> Array:
        return super().log_softmax(np.exp(super().log_softmax(x)))


@fault("loss-over-the-batch", "softmax_with_loss", "the normalisation down the batch")
class OverTheBatch(Open):
    """The softmax is taken along axis 0."""

    def log_softmax(self, x: Array) -> Array:
        return super().log_softmax(x.T).T


@fault("loss-base-two", "softmax_with_loss", "the logarithm to base 2")
class BaseTwo(Open):
    """The entropy is measured in bits."""

    def mean(self, log_y: Array, t: Array) -> Any:
        return super().mean(log_y, t) / np.log(log_y.dtype.type(2))


@fault("loss-sign", "softmax_with_loss", "the loss with the sign flipped")
class LossSign(Open):
    """The minus is forgotten where the loss is written, while backward descends correctly."""

    def mean(self, log_y: Array, t: Array) -> Any:
        return -super().mean(log_y, t)


@fault("loss-squared-error", "softmax_with_loss", "the squared error of the softmax")
class SquaredError(Open):
    """The sum of squares stays in forward when y - t is found to be the gradient."""

    def mean(self, log_y: Array, t: Array) -> Any:
        return ((np.exp(log_y) - t) ** 2).sum() / log_y.dtype.type(2 * len(t))


# -- LeNet-5's penalty ----------------------------------------------------------------------------
class OpenPenalty(PenaltyLoss):
    """The right criterion, with its formulas to be replaced."""

    def rubbish(self, dtype: Any) -> Any:
        return np.exp(dtype.type(-self.j))

    def mean(self, right: Array, log_total: Array) -> Any:
        return (right + log_total).mean()

    def competing(self, x: Array, t: Array) -> Array:
        return np.exp(-x)

    def gradient(self, share: Array, t: Array) -> Array:
        return (t - share) / len(t)

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        x, t = self.check(x, t)
        t = np.eye(x.shape[1], dtype=x.dtype)[t] if t.ndim == 1 else t.astype(x.dtype)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            e = self.competing(x, t)
            total = e.sum(axis=1, keepdims=True) + self.rubbish(x.dtype)
            self.remember(e / total, t)
            return self.mean((x * t).sum(axis=1), np.log(total)[:, 0])

    def backward(self, dout: Any = 1) -> Array:
        share, t = self.recall()
        return self.gradient(share, t) * share.dtype.type(dout)


@fault(
    "penalty-unshifted",
    "penalty_loss",
    "no shift by the smallest penalty",
    equivalent="penalties are never negative, so exp(-y) cannot overflow, and exp(-j) keeps the sum from 0",
)
class Unshifted(OpenPenalty):
    """The paper's formula is typed in without the shift that log-sum-exp needs elsewhere."""


@fault("penalty-without-rubbish-class", "penalty_loss", "no rubbish class")
class WithoutRubbish(OpenPenalty):
    """The constant exp(-j) is left out as harmless, and all penalties may grow together."""

    def rubbish(self, dtype: Any) -> Any:
        return dtype.type(0)


@fault("penalty-rubbish-sign", "penalty_loss", "exp(j) for exp(-j)")
class RubbishSign(OpenPenalty):
    """The sign of j is lost."""

    def rubbish(self, dtype: Any) -> Any:
        return np.exp(dtype.type(self.j))


@fault("penalty-first-term-only", "penalty_loss", "the right class's penalty alone")
class FirstTerm(OpenPenalty):
    """Equation 8 of the paper is used, which the text then replaces by equation 9."""

    def mean(self, right: Array, log_total: Array) -> Any:
        return right.mean()

    def gradient(self, share: Array, t: Array) -> Array:
        return t / len(t)


@fault("penalty-right-class-left-out", "penalty_loss", "the right class left out of the sum")
class LeftOut(OpenPenalty):
    """The sum is taken over the incorrect classes, as the text describes them."""

    def competing(self, x: Array, t: Array) -> Array:
        return np.exp(-x) * (1 - t)


@fault("penalty-sum-for-mean", "penalty_loss", "the sum over the batch for its mean")
class PenaltySum(OpenPenalty):
    """The sum of equation 9 is kept, and its 1/P is not."""

    def mean(self, right: Array, log_total: Array) -> Any:
        return (right + log_total).sum()

    def gradient(self, share: Array, t: Array) -> Array:
        return t - share


@fault("penalty-gradient-not-divided", "penalty_loss", "dx not divided by N")
class PenaltyNotDivided(OpenPenalty):
    """The loss is a mean, and backward forgets it."""

    def gradient(self, share: Array, t: Array) -> Array:
        return t - share


@fault("penalty-gradient-divided-twice", "penalty_loss", "dx divided by N twice")
class PenaltyDividedTwice(OpenPenalty):
    """The division by N is made for the mean and once more for the gradient."""

    def gradient(self, share: Array, t: Array) -> Array:
        return (t - share) / len(t) ** 2


@fault("penalty-gradient-sign", "penalty_loss", "dx with the sign flipped")
class PenaltyGradientSign(OpenPenalty):
    """The gradient is copied from softmax with cross entropy, where large scores are good."""

    def gradient(self, share: Array, t: Array) -> Array:
        return (share - t) / len(t)


@fault("penalty-gradient-without-rubbish", "penalty_loss", "dx without the rubbish class")
class GradientWithoutRubbish(PenaltyLoss):
    """Forward has exp(-j), and backward uses a plain softmax."""

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        loss = super().forward(x, t)
        self.remember(softmax(-x), self.recall()[1])
        return loss
