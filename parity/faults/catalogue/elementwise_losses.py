"""Bugs of losses per output: a slope that is not the loss's, and sums divided by something else.

What divides the sum is read off the forward of foreign code, so that no bug here is another divisor or a
half in forward and backward alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.faults.fault import Family
from scratchcnn.layers import MeanSquaredError
from scratchcnn.typing import Array

fault = Family()
MSE = "mean_squared_error"


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


@fault("mse-gradient-sign", MSE, "dx with the sign flipped")
class Sign(MeanSquaredError):
    """The square does not care about t - x for x - t, and its slope does."""

    def slope(self, x: Array, t: Array) -> Array:
        return 2 * (t - x)


@fault("mse-gradient-exchanged-without-two", MSE, "dx as t - x, without the 2 of the square")
class ExchangedWithoutTwo(MeanSquaredError):
    """t - x is returned as "the error", which is what a perceptron's rule adds to the weights."""

    def slope(self, x: Array, t: Array) -> Array:
        return t - x


@fault("mse-gradient-not-divided", MSE, "dx not divided, though the loss is: the gradient of the sum")
class NotDivided(MeanSquaredError):
    """The loss is a mean, and backward returns 2 * (x - t)."""

    def backward(self, dout: Any = 1) -> Array:
        return super().backward(dout) * self.divisor(self.recall()[0])


@fault("mse-gradient-neither-two-nor-divided", MSE, "dx as x - t, neither doubled nor divided")
class Difference(MeanSquaredError):
    """The textbook's x - t belongs to half the sum, and the loss here is a mean of squares."""

    def backward(self, dout: Any = 1) -> Array:
        return super().backward(dout) * self.divisor(self.recall()[0]) / 2


@fault("mse-gradient-divided-by-rows", MSE, "dx divided by N for N * C")
class DividedByRows(MeanSquaredError):
    """np.mean divides the squares by their number, and backward divides by len(x)."""

    def backward(self, dout: Any = 1) -> Array:
        x, _ = self.recall()
        return super().backward(dout) * self.divisor(x) / x.dtype.type(len(x))


@fault("mse-gradient-divided-by-columns", MSE, "dx divided by x.shape[1]")
class DividedByColumns(MeanSquaredError):
    """np.mean divides the squares by their number, and backward by shape[1], the features and not all."""

    def backward(self, dout: Any = 1) -> Array:
        x, _ = self.recall()
        return super().backward(dout) * self.divisor(x) / x.dtype.type(x.shape[1])


@fault("mse-gradient-divided-twice", MSE, "dx divided twice by what the loss is divided by")
class DividedTwice(MeanSquaredError):
    """The mean's division is in the slope and in backward."""

    def backward(self, dout: Any = 1) -> Array:
        return super().backward(dout) / self.divisor(self.recall()[0])


@fault("mse-gradient-half-without-two", MSE, "dx without the 2, halved as well")
class HalfWithoutTwo(MeanSquaredError):
    """The half of the textbook's square is kept in backward although its 2 is gone."""

    def slope(self, x: Array, t: Array) -> Array:
        return (x - t) / 2


@fault("mse-gradient-mean-over-the-batch", MSE, "the mean of dx over the batch in every row")
class MeanOfRows(MeanSquaredError):
    """np.mean(..., axis=0) is taken in backward too, and broadcast over the rows."""

    def slope(self, x: Array, t: Array) -> Array:
        return np.broadcast_to((2 * (x - t)).mean(axis=0), x.shape).astype(x.dtype)


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


@fault("mse-gradient-of-one-column", MSE, "dx of the first column in every column")
class FirstColumn(MeanSquaredError):
    """Written for one output per row, backward takes column 0, and the shape is put right afterwards."""

    def slope(self, x: Array, t: Array) -> Array:
        first = 2 * (x - t).reshape(len(x), -1)[:, 0]
        return np.broadcast_to(first.reshape(-1, *(1,) * (x.ndim - 1)), x.shape).astype(x.dtype)


# -- the squared error itself ------------------------------------------------------------------------
@fault("mse-absolute-error", MSE, "|x - t| for its square")
class Absolute(MeanSquaredError):
    """np.abs is written where the square should be, and the slope is still the square's."""

    def each(self, x: Array, t: Array) -> Array:
        return np.abs(x - t)


@fault("mse-root", MSE, "the square root of the loss")
class Root(MeanSquaredError):
    """The root mean squared error is returned, with the gradient of the mean squared error."""

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        return np.sqrt(super().forward(x, t))


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


@fault("mse-last-row", MSE, "the loss of the last row alone")
class LastRow(MeanSquaredError):
    """The loss is assigned in the loop over the batch, where it should be added to."""

    def each(self, x: Array, t: Array) -> Array:
        losses = (x - t) ** 2
        losses[:-1] = 0
        return losses


@fault("mse-first-column", MSE, "the loss of the first column alone")
class ColumnOnly(MeanSquaredError):
    """Written for one output per row, forward reads [:, 0]."""

    def each(self, x: Array, t: Array) -> Array:
        losses = (x - t) ** 2
        losses[:, 1:] = 0
        return losses


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


# -- the options -------------------------------------------------------------------------------------
@fault("mse-factor-not-in-backward", MSE, "dx without the factor", needs={"factor"})
class FactorNotInBackward(MeanSquaredError):
    """The half is in forward, and backward is the one of the whole square."""

    def backward(self, dout: Any = 1) -> Array:
        return super().backward(dout) / self.recall()[0].dtype.type(self.factor)


@fault("mse-reduction-ignored", MSE, "the mean whatever reduction says", needs={"reduction"})
class ReductionIgnored(MeanSquaredError):
    """The constructor keeps reduction, and forward and backward use np.mean."""

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        loss = super().forward(x, t)
        return loss.mean() if self.reduction == "none" else loss * self.divisor(x) / x.dtype.type(x.size)

    def backward(self, dout: Any = 1) -> Array:
        x, _ = self.recall()
        return super().backward(dout) * self.divisor(x) / x.dtype.type(x.size)


@fault("mse-targets-keep-their-dtype", MSE, "float64 out of float32 outputs", shows="precision")
class WideTargets(MeanSquaredError):
    """The targets stay float64, and every difference from them is float64 too."""

    def check(self, x: Array, t: Any) -> tuple[Array, Array]:
        x, t = super().check(x, t)
        return x, t.astype(np.float64)
