"""Bugs of losses per output: a slope that is not the loss's, and sums divided by something else.

What divides the sum is read off the forward of foreign code, so that no bug here is another divisor or a
half in forward and backward alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.layers import (
    BinaryCrossEntropy,
    ElementwiseLoss,
    HingeLoss,
    HuberLoss,
    MeanAbsoluteError,
    MeanSquaredError,
)
from scratchcnn.typing import Array

fault = Family()
MSE, MAE, BCE = "mean_squared_error", "mean_absolute_error", "binary_cross_entropy"
HUBER, HINGE = "huber_loss", "hinge_loss"


# -- bugs of every loss per output -------------------------------------------------------------------
def _of_every(prefix: str, kind: str, Right: type[ElementwiseLoss]) -> None:
    """What goes wrong around the formula, whichever it is."""

    @fault(f"{prefix}-gradient-sign", kind, "dx with the sign flipped")
    class Sign(Right):  # type: ignore[misc, valid-type]
        """Outputs and targets are exchanged in backward, or the minus of the loss is lost there."""

        def slope(self, x: Array, t: Array) -> Array:
            return -super().slope(x, t)

    @fault(
        f"{prefix}-gradient-not-divided", kind, "dx not divided, though the loss is: the gradient of the sum"
    )
    class NotDivided(Right):  # type: ignore[misc, valid-type]
        """The loss is a mean, and backward returns the slope of each output."""

        def backward(self, dout: Any = 1) -> Array:
            return super().backward(dout) * self.divisor(self.recall()[0])

    @fault(f"{prefix}-gradient-divided-by-rows", kind, "dx divided by N for N * C")
    class DividedByRows(Right):  # type: ignore[misc, valid-type]
        """np.mean divides the losses by their number, and backward divides by len(x)."""

        def backward(self, dout: Any = 1) -> Array:
            x, _ = self.recall()
            return super().backward(dout) * self.divisor(x) / x.dtype.type(len(x))

    @fault(f"{prefix}-gradient-divided-by-columns", kind, "dx divided by x.shape[1]")
    class DividedByColumns(Right):  # type: ignore[misc, valid-type]
        """np.mean divides the losses by their number, and backward by shape[1]."""

        def backward(self, dout: Any = 1) -> Array:
            x, _ = self.recall()
            return super().backward(dout) * self.divisor(x) / x.dtype.type(x.shape[1])

    @fault(f"{prefix}-gradient-divided-twice", kind, "dx divided twice by what the loss is divided by")
    class DividedTwice(Right):  # type: ignore[misc, valid-type]
        """The mean's division is in the slope and in backward."""

        def backward(self, dout: Any = 1) -> Array:
            return super().backward(dout) / self.divisor(self.recall()[0])

    @fault(f"{prefix}-gradient-mean-over-the-batch", kind, "the mean of dx over the batch in every row")
    class MeanOfRows(Right):  # type: ignore[misc, valid-type]
        """np.mean(..., axis=0) is taken in backward too, and broadcast over the rows."""

        def slope(self, x: Array, t: Array) -> Array:
            return np.broadcast_to(super().slope(x, t).mean(axis=0), x.shape).astype(x.dtype)

    @fault(f"{prefix}-gradient-of-one-column", kind, "dx of the first column in every column")
    class FirstColumn(Right):  # type: ignore[misc, valid-type]
        """Written for one output per row, backward takes column 0, and the shape is put right afterwards."""

        def slope(self, x: Array, t: Array) -> Array:
            return np.broadcast_to(super().slope(x, t)[:, :1], x.shape).astype(x.dtype)

    @fault(f"{prefix}-last-row", kind, "the loss of the last row alone")
    class LastRow(Right):  # type: ignore[misc, valid-type]
        """The loss is assigned in the loop over the batch, where it should be added to."""

        def each(self, x: Array, t: Array) -> Array:
            losses = super().each(x, t)
            losses[:-1] = 0
            return losses

    @fault(f"{prefix}-first-column", kind, "the loss of the first column alone")
    class ColumnOnly(Right):  # type: ignore[misc, valid-type]
        """Written for one output per row, forward reads [:, 0]."""

        def each(self, x: Array, t: Array) -> Array:
            losses = super().each(x, t)
            losses[:, 1:] = 0
            return losses

    @fault(f"{prefix}-root", kind, "the square root of the loss")
    class Root(Right):  # type: ignore[misc, valid-type]
        """np.sqrt stands around the whole loss, and the gradient is the one without it."""

        def forward(self, x: Array, t: Any) -> Any:
            return np.sqrt(super().forward(x, t))

    @fault(f"{prefix}-factor-not-in-backward", kind, "dx without the factor", needs={"factor"})
    class FactorNotInBackward(Right):  # type: ignore[misc, valid-type]
        """The factor is in forward, and backward is the one of the whole loss."""

        def backward(self, dout: Any = 1) -> Array:
            return super().backward(dout) / self.recall()[0].dtype.type(self.factor)

    @fault(f"{prefix}-reduction-ignored", kind, "the mean whatever reduction says", needs={"reduction"})
    class ReductionIgnored(Right):  # type: ignore[misc, valid-type]
        """The constructor keeps reduction, and forward and backward use np.mean."""

        def forward(self, x: Array, t: Any) -> Any:
            loss = super().forward(x, t)
            return loss.mean() if self.reduction == "none" else loss * self.divisor(x) / x.dtype.type(x.size)

        def backward(self, dout: Any = 1) -> Array:
            x, _ = self.recall()
            return super().backward(dout) * self.divisor(x) / x.dtype.type(x.size)

    @fault(f"{prefix}-targets-keep-their-dtype", kind, "float64 out of float32 outputs", shows="precision")
    class WideTargets(Right):  # type: ignore[misc, valid-type]
        """The targets stay float64, and everything that is computed with them is float64 too."""

        def check(self, x: Array, t: Any) -> tuple[Array, Array]:
            x, t = super().check(x, t)
            return x, t.astype(np.float64)


for _prefix, _kind, _right in (
    ("mse", MSE, MeanSquaredError),
    ("mae", MAE, MeanAbsoluteError),
    ("huber", HUBER, HuberLoss),
    ("hinge", HINGE, HingeLoss),
    ("bce", BCE, BinaryCrossEntropy),
):
    _of_every(_prefix, _kind, _right)


# -- the gradient of the squared error ---------------------------------------------------------------
@fault("mse-gradient-without-two", MSE, "dx without the 2 of the square")
class WithoutTwo(MeanSquaredError):
    """The slope of (x - t)**2 is written as x - t, which belongs to half the square."""

    def slope(self, x: Array, t: Array) -> Array:
        return x - t


@fault("mse-gradient-two-twice", MSE, "dx with the 2 of the square twice")
class TwoTwice(MeanSquaredError):
    """The 2 of the square is in the slope, and once more where the slope is multiplied by dout."""

    def slope(self, x: Array, t: Array) -> Array:
        return 4 * (x - t)


@fault("mse-gradient-exchanged-without-two", MSE, "dx as t - x, without the 2 of the square")
class ExchangedWithoutTwo(MeanSquaredError):
    """t - x is returned as "the error", which is what a perceptron's rule adds to the weights."""

    def slope(self, x: Array, t: Array) -> Array:
        return t - x


@fault("mse-gradient-neither-two-nor-divided", MSE, "dx as x - t, neither doubled nor divided")
class Difference(MeanSquaredError):
    """The textbook's x - t belongs to half the sum, and the loss here is a mean of squares."""

    def backward(self, dout: Any = 1) -> Array:
        return super().backward(dout) * self.divisor(self.recall()[0]) / 2


@fault("mse-gradient-half-without-two", MSE, "dx without the 2, halved as well")
class HalfWithoutTwo(MeanSquaredError):
    """The half of the textbook's square is kept in backward although its 2 is gone."""

    def slope(self, x: Array, t: Array) -> Array:
        return (x - t) / 2


@fault("mse-gradient-of-the-absolute-error", MSE, "dx as the sign of x - t")
class SlopeOfAbsolute(MeanSquaredError):
    """The slope is the one of the absolute error, from the class above in the file."""

    def slope(self, x: Array, t: Array) -> Array:
        return np.sign(x - t)


@fault("mse-gradient-squared", MSE, "dx as 2 * (x - t)**2")
class SlopeSquared(MeanSquaredError):
    """The square was copied into backward with its 2 in front."""

    def slope(self, x: Array, t: Array) -> Array:
        return 2 * (x - t) ** 2


@fault("mse-gradient-times-x", MSE, "dx multiplied by x, as a weight's gradient is")
class TimesInput(MeanSquaredError):
    """The delta rule (x - t) * x, which is the gradient of a weight, is returned for the loss's."""

    def slope(self, x: Array, t: Array) -> Array:
        return 2 * (x - t) * x


@fault("mse-gradient-without-targets", MSE, "dx without the targets")
class WithoutTargets(MeanSquaredError):
    """Backward is called without t, and uses the outputs alone."""

    def slope(self, x: Array, t: Array) -> Array:
        return 2 * x


# -- the squared error itself ------------------------------------------------------------------------
@fault("mse-absolute-error", MSE, "|x - t| for its square")
class Absolute(MeanSquaredError):
    """np.abs is written where the square should be, and the slope is still the square's."""

    def each(self, x: Array, t: Array) -> Array:
        return np.abs(x - t)


@fault("mse-square-of-the-sum", MSE, "the square of the sum for the sum of squares")
class SquareOfSum(MeanSquaredError):
    """np.mean(x - t) ** 2 has the square outside, where differences of both signs have cancelled."""

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        super().forward(x, t)
        x, t = self.recall()
        d = x - t
        if self.reduction == "none":
            return d * d.mean() * x.dtype.type(self.factor)
        total = d.sum() ** 2 / x.dtype.type(x.size)
        return x.dtype.type(self.factor) * total / self.divisor(x)


@fault("mse-differences-of-squares", MSE, "x**2 - t**2 for (x - t)**2")
class DifferenceOfSquares(MeanSquaredError):
    """The square is applied to x and to t."""

    def each(self, x: Array, t: Array) -> Array:
        return x**2 - t**2


@fault("mse-times-two-for-squared", MSE, "2 * (x - t) for the square")
class TimesTwo(MeanSquaredError):
    """(x - t) * 2 is written for (x - t) ** 2, a star short."""

    def each(self, x: Array, t: Array) -> Array:
        return (x - t) * 2


@fault("mse-sum-of-x-and-t", MSE, "x + t for x - t")
class Sum(MeanSquaredError):
    """The sign of t is lost in forward alone."""

    def each(self, x: Array, t: Array) -> Array:
        return (x + t) ** 2


@fault("mse-rows-against-every-row", MSE, "every row's outputs against every row's targets")
class EveryPair(MeanSquaredError):
    """(N, 1) minus (N,) broadcasts to (N, N), and the mean of N * N squares looks like a loss."""

    def each(self, x: Array, t: Array) -> Array:
        return ((x[:, None] - t[None]) ** 2).mean(axis=1)


@fault("mse-fourth-power", MSE, "the difference to the power 4")
class Fourth(MeanSquaredError):
    """The square is taken once for the difference and once more for its mean."""

    def each(self, x: Array, t: Array) -> Array:
        return (x - t) ** 4


# -- the absolute error ------------------------------------------------------------------------------
@fault("mae-gradient-of-the-square", MAE, "dx as 2 * (x - t)")
class SlopeOfSquare(MeanAbsoluteError):
    """The slope is the one of the squared error, from the class above in the file."""

    def slope(self, x: Array, t: Array) -> Array:
        return 2 * (x - t)


@fault("mae-gradient-of-the-difference", MAE, "dx as x - t")
class SlopeOfDifference(MeanAbsoluteError):
    """The sign of the difference is forgotten, and the difference returned."""

    def slope(self, x: Array, t: Array) -> Array:
        return x - t


@fault("mae-gradient-one-where-met", MAE, "1 where x meets t")
class OneWhereMet(MeanAbsoluteError):
    """np.where(x >= t, 1, -1) has no case for outputs that are right."""

    def slope(self, x: Array, t: Array) -> Array:
        return np.where(x >= t, x.dtype.type(1), x.dtype.type(-1))


@fault("mae-gradient-minus-one-where-met", MAE, "-1 where x meets t")
class MinusOneWhereMet(MeanAbsoluteError):
    """np.where(x > t, 1, -1) has no case for outputs that are right."""

    def slope(self, x: Array, t: Array) -> Array:
        return np.where(x > t, x.dtype.type(1), x.dtype.type(-1))


@fault("mae-gradient-zero-below", MAE, "0 for -1 below the target")
class ZeroBelow(MeanAbsoluteError):
    """x > t is used as the slope, which is 0 and not -1 on the other side."""

    def slope(self, x: Array, t: Array) -> Array:
        return (x > t).astype(x.dtype)


@fault("mae-difference", MAE, "x - t for |x - t|")
class WithoutAbs(MeanAbsoluteError):
    """np.abs is left out, and errors of both signs cancel."""

    def each(self, x: Array, t: Array) -> Array:
        return x - t


@fault("mae-square", MAE, "(x - t)**2 for |x - t|")
class Squared(MeanAbsoluteError):
    """The squared error is copied, and only its gradient replaced."""

    def each(self, x: Array, t: Array) -> Array:
        return (x - t) ** 2


@fault("mae-absolute-sum", MAE, "|x + t| for |x - t|")
class AbsoluteSum(MeanAbsoluteError):
    """The sign of t is lost in forward alone."""

    def each(self, x: Array, t: Array) -> Array:
        return np.abs(x + t)


# -- the gradient of Huber's loss --------------------------------------------------------------------
def _delta(layer: HuberLoss, x: Array) -> Any:
    return x.dtype.type(layer.delta)


@fault("huber-gradient-not-clipped", HUBER, "dx as x - t beyond delta, too")
class NotClipped(HuberLoss):
    """The slope is that of half the square, and the line beyond delta is forgotten in backward."""

    def slope(self, x: Array, t: Array) -> Array:
        return x - t


@fault("huber-gradient-delta-everywhere", HUBER, "dx as delta times the sign, within delta too")
class DeltaEverywhere(HuberLoss):
    """The slope is that of the line, which belongs beyond delta alone."""

    def slope(self, x: Array, t: Array) -> Array:
        return _delta(self, x) * np.sign(x - t)


@fault("huber-gradient-sign-without-delta", HUBER, "dx as the sign of x - t beyond delta", needs={"delta"})
class SignWithoutDelta(HuberLoss):
    """np.sign(x - t) is written for the line's slope, which is right for delta = 1 alone."""

    def slope(self, x: Array, t: Array) -> Array:
        d = x - t
        return np.where(np.abs(d) <= self.delta, d, np.sign(d))


@fault("huber-gradient-delta-without-sign", HUBER, "dx as delta beyond it, whatever the sign")
class DeltaWithoutSign(HuberLoss):
    """The line's slope is written as delta, and the sign of x - t is forgotten."""

    def slope(self, x: Array, t: Array) -> Array:
        d = x - t
        return np.where(np.abs(d) <= self.delta, d, _delta(self, x))


@fault("huber-gradient-one-side", HUBER, "dx as x - t far below the target")
class OneSide(HuberLoss):
    """The branch is chosen by x - t <= delta, without the absolute value."""

    def slope(self, x: Array, t: Array) -> Array:
        d = x - t
        return np.where(d <= self.delta, d, _delta(self, x) * np.sign(d))


@fault("huber-gradient-two-within", HUBER, "dx as 2 * (x - t) within delta")
class TwoWithin(HuberLoss):
    """The slope of the square is copied from the squared error, and the half of the square is forgotten."""

    def slope(self, x: Array, t: Array) -> Array:
        d, delta = x - t, _delta(self, x)
        return np.where(np.abs(d) <= self.delta, 2 * d, delta * np.sign(d))


@fault("huber-gradient-branches-exchanged", HUBER, "dx of each branch on the other side of delta")
class GradientBranchesExchanged(HuberLoss):
    """The condition of np.where is turned round in backward."""

    def slope(self, x: Array, t: Array) -> Array:
        d, delta = x - t, _delta(self, x)
        return np.where(np.abs(d) > self.delta, d, delta * np.sign(d))


@fault("huber-gradient-zero-beyond", HUBER, "dx 0 beyond delta")
class ZeroBeyond(HuberLoss):
    """What is beyond delta is masked out in backward, where its slope is delta."""

    def slope(self, x: Array, t: Array) -> Array:
        d = x - t
        return d * (np.abs(d) <= self.delta).astype(x.dtype)


@fault("huber-gradient-line-with-offset", HUBER, "dx with the line itself beyond delta")
class LineForSlope(HuberLoss):
    """The line's value is returned for its slope, with the sign in front."""

    def slope(self, x: Array, t: Array) -> Array:
        d, delta = x - t, _delta(self, x)
        return np.where(np.abs(d) <= self.delta, d, delta * (np.abs(d) - delta / 2) * np.sign(d))


@fault("huber-gradient-delta-ignored", HUBER, "dx of delta = 1 whatever delta is", needs={"delta"})
class GradientOfOne(HuberLoss):
    """Forward uses delta, and backward clips to [-1, 1]."""

    def slope(self, x: Array, t: Array) -> Array:
        return np.clip(x - t, x.dtype.type(-1), x.dtype.type(1))


# -- Huber's loss itself -----------------------------------------------------------------------------
@fault("huber-line-without-offset", HUBER, "delta * |x - t| beyond delta, without - delta**2 / 2")
class WithoutOffset(HuberLoss):
    """The line goes through 0, and the loss jumps at delta."""

    def each(self, x: Array, t: Array) -> Array:
        d, delta = np.abs(x - t), _delta(self, x)
        return np.where(d <= delta, d * d / 2, delta * d)


@fault("huber-line-whole-offset", HUBER, "delta * (|x - t| - delta) beyond delta")
class WholeOffset(HuberLoss):
    """The half of delta is forgotten in the line."""

    def each(self, x: Array, t: Array) -> Array:
        d, delta = np.abs(x - t), _delta(self, x)
        return np.where(d <= delta, d * d / 2, delta * (d - delta))


@fault("huber-line-offset-not-squared", HUBER, "delta * |x - t| - delta / 2 beyond delta", needs={"delta"})
class OffsetNotSquared(HuberLoss):
    """delta is multiplied into the bracket's first term alone."""

    def each(self, x: Array, t: Array) -> Array:
        d, delta = np.abs(x - t), _delta(self, x)
        return np.where(d <= delta, d * d / 2, delta * d - delta / 2)


@fault("huber-line-without-delta", HUBER, "|x - t| - delta / 2 beyond delta", needs={"delta"})
class LineWithoutDelta(HuberLoss):
    """The line is that of a smooth L1 loss, and the square is not divided by delta as it is there."""

    def each(self, x: Array, t: Array) -> Array:
        d, delta = np.abs(x - t), _delta(self, x)
        return np.where(d <= delta, d * d / 2, d - delta / 2)


@fault("huber-square-without-half", HUBER, "(x - t)**2 within delta")
class SquareWithoutHalf(HuberLoss):
    """The squared error is written without its half, and the line keeps the offset that belongs to it."""

    def each(self, x: Array, t: Array) -> Array:
        d, delta = np.abs(x - t), _delta(self, x)
        return np.where(d <= delta, d * d, delta * (d - delta / 2))


@fault("huber-line-without-abs", HUBER, "delta * (x - t - delta / 2) beyond delta")
class LineWithoutAbs(HuberLoss):
    """The absolute value is left out of the line, which is negative far below the target."""

    def each(self, x: Array, t: Array) -> Array:
        d, delta = x - t, _delta(self, x)
        return np.where(np.abs(d) <= delta, d * d / 2, delta * (d - delta / 2))


@fault("huber-condition-without-abs", HUBER, "half the square far below the target")
class ConditionWithoutAbs(HuberLoss):
    """The branch is chosen by x - t <= delta, which holds however far x is below t."""

    def each(self, x: Array, t: Array) -> Array:
        d, delta = x - t, _delta(self, x)
        return np.where(d <= delta, d * d / 2, delta * (np.abs(d) - delta / 2))


@fault("huber-branches-exchanged", HUBER, "the square beyond delta and the line within it")
class BranchesExchanged(HuberLoss):
    """The condition of np.where is turned round."""

    def each(self, x: Array, t: Array) -> Array:
        d, delta = np.abs(x - t), _delta(self, x)
        return np.where(d > delta, d * d / 2, delta * (d - delta / 2))


@fault("huber-half-square-everywhere", HUBER, "half the square beyond delta, too")
class HalfSquareEverywhere(HuberLoss):
    """The line is not there: only the gradient is clipped."""

    def each(self, x: Array, t: Array) -> Array:
        d = x - t
        return d * d / 2


@fault("huber-one-branch-for-all", HUBER, "one branch for the whole batch, by its mean distance")
class OneBranchForAll(HuberLoss):
    """An `if` on the mean distance chooses for all outputs what each should have chosen for itself."""

    def each(self, x: Array, t: Array) -> Array:
        d, delta = np.abs(x - t), _delta(self, x)
        return d * d / 2 if d.mean() <= delta else delta * (d - delta / 2)


@fault("huber-mean-of-each-branch", HUBER, "each branch divided by the number of its own outputs")
class MeanOfEachBranch(HuberLoss):
    """The mean is taken over the outputs within delta and over those beyond it, and both are added."""

    def each(self, x: Array, t: Array) -> Array:
        losses, within = super().each(x, t), np.abs(x - t) <= self.delta
        shares = np.where(within, within.sum(), (~within).sum()) / x.dtype.type(x.size)
        return (losses / shares).astype(x.dtype)


@fault("huber-delta-ignored", HUBER, "delta = 1 whatever delta is", needs={"delta"})
class DeltaIgnored(HuberLoss):
    """The constructor keeps delta, and forward and backward have a 1 in its place."""

    def each(self, x: Array, t: Array) -> Array:
        d = np.abs(x - t)
        return np.where(d <= 1, d * d / 2, d - x.dtype.type(0.5))

    def slope(self, x: Array, t: Array) -> Array:
        return np.clip(x - t, x.dtype.type(-1), x.dtype.type(1))


# -- the hinge loss ----------------------------------------------------------------------------------
@fault("hinge-gradient-everywhere", HINGE, "dx as -t beyond the margin, too")
class SlopeEverywhere(HingeLoss):
    """The maximum with 0 is forgotten in backward."""

    def slope(self, x: Array, t: Array) -> Array:
        return -t


@fault("hinge-gradient-beyond", HINGE, "dx as -t beyond the margin and 0 within it")
class SlopeBeyond(HingeLoss):
    """The condition t * x < 1 is turned round in backward."""

    def slope(self, x: Array, t: Array) -> Array:
        return np.where(t * x < 1, x.dtype.type(0), -t)


@fault("hinge-gradient-without-margin", HINGE, "dx as -t on the wrong side alone")
class SlopeOfPerceptron(HingeLoss):
    """The condition is that of a perceptron, t * x < 0, which has no margin."""

    def slope(self, x: Array, t: Array) -> Array:
        return np.where(t * x < 0, -t, x.dtype.type(0))


@fault("hinge-gradient-of-the-weights", HINGE, "dx as -t * x")
class SlopeTimesInput(HingeLoss):
    """The gradient of a linear classifier's weights, -t * x, is returned for that of its score."""

    def slope(self, x: Array, t: Array) -> Array:
        return np.where(t * x < 1, -t * x, x.dtype.type(0))


@fault("hinge-gradient-minus-one", HINGE, "dx as -1 within the margin, whatever the label")
class MinusOne(HingeLoss):
    """The label is forgotten in the slope."""

    def slope(self, x: Array, t: Array) -> Array:
        return np.where(t * x < 1, x.dtype.type(-1), x.dtype.type(0))


@fault("hinge-without-margin", HINGE, "max(0, -t * x)")
class Perceptron(HingeLoss):
    """The loss is a perceptron's, without the margin of 1."""

    def each(self, x: Array, t: Array) -> Array:
        return np.maximum(0, -t * x)


@fault("hinge-plus", HINGE, "max(0, 1 + t * x)")
class Plus(HingeLoss):
    """The sign of the product is lost, and right scores cost."""

    def each(self, x: Array, t: Array) -> Array:
        return np.maximum(0, 1 + t * x)


@fault("hinge-without-maximum", HINGE, "1 - t * x beyond the margin, too")
class WithoutMaximum(HingeLoss):
    """The maximum with 0 is forgotten, and right scores pay back."""

    def each(self, x: Array, t: Array) -> Array:
        return 1 - t * x


@fault("hinge-squared", HINGE, "the square of the hinge")
class SquaredHinge(HingeLoss):
    """The squared hinge stands in forward, with the slope of the plain one."""

    def each(self, x: Array, t: Array) -> Array:
        return np.maximum(0, 1 - t * x) ** 2


@fault("hinge-difference", HINGE, "max(0, 1 - (t - x))")
class Differences(HingeLoss):
    """The label is subtracted from, where it should be multiplied with."""

    def each(self, x: Array, t: Array) -> Array:
        return np.maximum(0, 1 - (t - x))


@fault("hinge-of-the-mean", HINGE, "the maximum of the mean for the mean of the maxima")
class MaximumOfMean(HingeLoss):
    """max(0, (1 - t * x).mean()) has the maximum outside of the mean."""

    def each(self, x: Array, t: Array) -> Array:
        return np.full_like(x, np.maximum(0, (1 - t * x).mean()))


# -- the gradient of binary cross entropy ------------------------------------------------------------
@fault("bce-gradient-of-ones-alone", BCE, "dx of the targets 1 alone")
class OnesAlone(BinaryCrossEntropy):
    """-t / x is the gradient of categorical cross entropy, which has no term for the other class."""

    def slope(self, x: Array, t: Array) -> Array:
        return -t / x


@fault("bce-gradient-plus", BCE, "-t / x - (1 - t) / (1 - x)")
class BothNegative(BinaryCrossEntropy):
    """The inner derivative of log(1 - x), which is -1, is forgotten."""

    def slope(self, x: Array, t: Array) -> Array:
        return -t / x - (1 - t) / (1 - x)


@fault("bce-gradient-denominators-exchanged", BCE, "-t / (1 - x) + (1 - t) / x")
class DenominatorsExchanged(BinaryCrossEntropy):
    """x and 1 - x stand under each other's term."""

    def slope(self, x: Array, t: Array) -> Array:
        return -t / (1 - x) + (1 - t) / x


@fault("bce-gradient-times-slope", BCE, "dx multiplied by x * (1 - x) for divided by it")
class TimesSlope(BinaryCrossEntropy):
    """The sigmoid's slope is multiplied with, where the loss's own gradient is divided by it."""

    def slope(self, x: Array, t: Array) -> Array:
        return (x - t) * x * (1 - x)


@fault("bce-gradient-divided-by-x", BCE, "dx divided by x alone")
class DividedByX(BinaryCrossEntropy):
    """(x - t) / (x * (1 - x)) is written without the second factor of its denominator."""

    def slope(self, x: Array, t: Array) -> Array:
        return (x - t) / x


@fault("bce-gradient-precedence", BCE, "(x - t) / x * (1 - x)")
class Precedence(BinaryCrossEntropy):
    """The brackets around x * (1 - x) are left out, so that 1 - x is multiplied with."""

    def slope(self, x: Array, t: Array) -> Array:
        return (x - t) / x * (1 - x)


@fault("bce-gradient-of-the-square", BCE, "dx as 2 * (x - t)")
class SlopeOfASquare(BinaryCrossEntropy):
    """The slope is the one of the squared error."""

    def slope(self, x: Array, t: Array) -> Array:
        return 2 * (x - t)


@fault("bce-gradient-clipped", BCE, "dx of probabilities clipped to [0.1, 0.9]")
class GradientClipped(BinaryCrossEntropy):
    """A clip against the division by 0 is set to 0.1, where 1e-7 would do."""

    def slope(self, x: Array, t: Array) -> Array:
        x = x.clip(0.1, 0.9).astype(x.dtype)
        return (x - t) / (x * (1 - x))


@fault("bce-gradient-clipped-at-a-hundredth", BCE, "dx of probabilities clipped to [0.01, 0.99]")
class GradientClippedAtAHundredth(BinaryCrossEntropy):
    """The division by x(1 - x) is kept away from 0 by a clip at 0.01."""

    def slope(self, x: Array, t: Array) -> Array:
        x = x.clip(0.01, 0.99).astype(x.dtype)
        return (x - t) / (x * (1 - x))


@fault("bce-gradient-clipped-at-a-thousandth", BCE, "dx of probabilities clipped to [0.001, 0.999]")
class GradientClippedAtAThousandth(BinaryCrossEntropy):
    """The clip of the loss, eps = 1e-3, is used for its gradient too."""

    def slope(self, x: Array, t: Array) -> Array:
        x = x.clip(0.001, 0.999).astype(x.dtype)
        return (x - t) / (x * (1 - x))


# -- binary cross entropy itself ---------------------------------------------------------------------
@fault("bce-ones-alone", BCE, "the targets 1 alone")
class LossOfOnes(BinaryCrossEntropy):
    """-t * log(x) is categorical cross entropy, in which an output for a target 0 costs nothing."""

    def each(self, x: Array, t: Array) -> Array:
        return -t * np.log(x)


@fault("bce-sign", BCE, "the loss with the sign flipped")
class LossSign(BinaryCrossEntropy):
    """The minus in front of the logarithms is left out, and the loss is negative."""

    def each(self, x: Array, t: Array) -> Array:
        return -super().each(x, t)


@fault("bce-minus-between", BCE, "-t log x minus (1 - t) log(1 - x) with its own sign")
class MinusBetween(BinaryCrossEntropy):
    """The minus in front is given to the first logarithm alone."""

    def each(self, x: Array, t: Array) -> Array:
        return -t * np.log(x) + (1 - t) * np.log1p(-x)


@fault("bce-logarithms-exchanged", BCE, "log(1 - x) for the targets 1")
class LogarithmsExchanged(BinaryCrossEntropy):
    """The two logarithms stand at each other's target."""

    def each(self, x: Array, t: Array) -> Array:
        return super().each(x, 1 - t)


@fault("bce-one-logarithm", BCE, "log x in both terms")
class OneLogarithm(BinaryCrossEntropy):
    """(1 - t) * log(x) is written for (1 - t) * log(1 - x)."""

    def each(self, x: Array, t: Array) -> Array:
        return -np.log(x) * np.ones_like(t)


@fault("bce-base-two", BCE, "logarithms to base 2")
class BaseTwo(BinaryCrossEntropy):
    """np.log2 is used, as information theory does, with the gradient of np.log."""

    def each(self, x: Array, t: Array) -> Array:
        return super().each(x, t) / x.dtype.type(np.log(2))


@fault("bce-large-constant", BCE, "log(x + 0.01)")
class LargeConstant(BinaryCrossEntropy):
    """The constant against log(0) is large enough to change every loss."""

    def each(self, x: Array, t: Array) -> Array:
        small = x.dtype.type(0.01)
        return -(t * np.log(x + small) + (1 - t) * np.log(1 - x + small))


@fault("bce-clipped", BCE, "probabilities clipped to [0.1, 0.9]")
class Clipped(BinaryCrossEntropy):
    """A clip against log(0) is set to 0.1, where 1e-7 would do."""

    def each(self, x: Array, t: Array) -> Array:
        return super().each(x.clip(0.1, 0.9).astype(x.dtype), t)


@fault("bce-clipped-at-a-hundredth", BCE, "probabilities clipped to [0.01, 0.99]")
class ClippedAtAHundredth(BinaryCrossEntropy):
    """A clip at 0.01 looks small beside probabilities, and caps the loss at 4.6."""

    def each(self, x: Array, t: Array) -> Array:
        return super().each(x.clip(0.01, 0.99).astype(x.dtype), t)


@fault("bce-clipped-at-a-thousandth", BCE, "probabilities clipped to [0.001, 0.999]")
class ClippedAtAThousandth(BinaryCrossEntropy):
    """eps = 1e-3 is taken from a batch normalization."""

    def each(self, x: Array, t: Array) -> Array:
        return super().each(x.clip(0.001, 0.999).astype(x.dtype), t)


@fault("bce-squared-error", BCE, "the squared error of the probabilities")
class SquaredError(BinaryCrossEntropy):
    """The squared error stands in forward, from an earlier version."""

    def each(self, x: Array, t: Array) -> Array:
        return (x - t) ** 2


@fault("bce-sigmoid-once-more", BCE, "the sigmoid taken of the probabilities")
class SigmoidOnceMore(BinaryCrossEntropy):
    """The loss takes a sigmoid of its own, and the network ends with one already."""

    def each(self, x: Array, t: Array) -> Array:
        return super().each(1 / (1 + np.exp(-x)), t)
