"""Bugs of LeakyReLU and ELU: which side the constant belongs to, and what the derivative is taken of."""

from __future__ import annotations

import numpy as np

from parity.faults.catalogue.contracts import callers_arrays
from parity.faults.fault import Family
from scratchcnn.layers import ELU, LeakyRelu
from scratchcnn.typing import Array

fault = Family()


# -- leaky relu ------------------------------------------------------------------------------------
@fault("leaky-slope-on-the-wrong-side", "leaky_relu", "the slope on the positive side")
class WrongSide(LeakyRelu):
    """np.minimum(x, slope * x) is written for np.maximum, or the arguments of np.where are exchanged."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.where(x > 0, self.negative_slope * x, x)

    def backward(self, dout: Array) -> Array:
        return np.where(self.recall()[0], self.negative_slope * dout, dout)


@fault("leaky-backward-on-the-wrong-side", "leaky_relu", "the slope on the positive side in backward")
class BackwardOnTheWrongSide(LeakyRelu):
    """The mask that forward keeps is that of the negative numbers, and backward takes it for the other."""

    def backward(self, dout: Array) -> Array:
        return np.where(self.recall()[0], self.negative_slope * dout, dout)


@fault("leaky-backward-of-relu", "leaky_relu", "a gradient of 0 for negative x")
class RelusBackward(LeakyRelu):
    """Only the forward of a ReLU was made leaky."""

    def backward(self, dout: Array) -> Array:
        return np.where(self.recall()[0], dout, dout.dtype.type(0))


@fault("leaky-forward-of-relu", "leaky_relu", "0 for negative x")
class RelusForward(LeakyRelu):
    """Only the backward of a ReLU was made leaky."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.maximum(x, 0)


@fault("leaky-straight-through", "leaky_relu", "dout passed through unmasked")
class StraightThrough(LeakyRelu):
    """Backward hands dout on, since the layer has no parameters."""

    def backward(self, dout: Array) -> Array:
        return dout.copy()


@fault("leaky-slope-twice-in-backward", "leaky_relu", "the slope applied twice in backward")
class SlopeTwice(LeakyRelu):
    """dout is multiplied by the slope in place, and the derivative that is multiplied in holds it too."""

    def backward(self, dout: Array) -> Array:
        return np.where(self.recall()[0], dout, self.negative_slope**2 * dout)


@fault("leaky-slope-for-dout", "leaky_relu", "the slope itself, not times dout, for negative x")
class SlopeForDout(LeakyRelu):
    """dx[x < 0] = slope is written for dx[x < 0] *= slope."""

    def backward(self, dout: Array) -> Array:
        return np.where(self.recall()[0], dout, dout.dtype.type(self.negative_slope))


@fault("leaky-without-dout", "leaky_relu", "the derivative, not times dout")
class WithoutDout(LeakyRelu):
    """The derivative is returned, and the product with dout is left to a caller who does not know of it."""

    def backward(self, dout: Array) -> Array:
        positive = self.recall()[0]
        self.check_dout(dout, positive.shape)
        return np.where(positive, dout.dtype.type(1), dout.dtype.type(self.negative_slope))


@fault("leaky-masks-by-dout", "leaky_relu", "the side chosen by dout's sign")
class MasksByDout(LeakyRelu):
    """np.maximum(dout, slope * dout) is used for backward, as if the layer were its own derivative."""

    def backward(self, dout: Array) -> Array:
        return np.where(dout > 0, dout, self.negative_slope * dout)


@fault("leaky-multiplies-by-output", "leaky_relu", "dout multiplied by the output for the derivative")
class TimesOutput(LeakyRelu):
    """dout * out is written where a mask belongs."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        self.remember(out.copy())
        return out

    def backward(self, dout: Array) -> Array:
        return dout * self.recall()[0]


@fault("leaky-sign", "leaky_relu", "the sign of the negative side flipped")
class Folded(LeakyRelu):
    """slope * abs(x) is added to max(x, 0) for slope * min(x, 0)."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.where(x > 0, x, -self.negative_slope * x)

    def backward(self, dout: Array) -> Array:
        return np.where(self.recall()[0], dout, -self.negative_slope * dout)


@fault("leaky-adds-everywhere", "leaky_relu", "slope * x added on both sides")
class AddsEverywhere(LeakyRelu):
    """np.maximum(x, 0) + slope * x lacks the minimum in its second term."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.maximum(x, 0) + self.negative_slope * x

    def backward(self, dout: Array) -> Array:
        return np.where(self.recall()[0], dout, dout.dtype.type(0)) + self.negative_slope * dout


@fault("leaky-subtracts-slope", "leaky_relu", "x minus the slope for negative x")
class SubtractsSlope(LeakyRelu):
    """x - slope is typed for x * slope."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.where(x > 0, x, x - x.dtype.type(self.negative_slope))


@fault("leaky-slope-fixed-in-forward", "leaky_relu", "a slope of 0.01 in forward", needs={"negative_slope"})
class FixedInForward(LeakyRelu):
    """The constructor takes a slope, and forward still has the number that stood there before."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.where(x > 0, x, x.dtype.type(0.01) * x)


@fault("leaky-slope-fixed-in-backward", "leaky_relu", "a slope of 0.01 in backward", needs={"negative_slope"})
class FixedInBackward(LeakyRelu):
    """The constructor takes a slope, and backward still has the number that stood there before."""

    def backward(self, dout: Array) -> Array:
        return np.where(self.recall()[0], dout, dout.dtype.type(0.01) * dout)


@fault("leaky-slope-fixed", "leaky_relu", "a slope of 0.01 whatever is asked for", needs={"negative_slope"})
class Fixed(LeakyRelu):
    """The argument is kept, and nothing reads it."""

    def __init__(self, negative_slope: float = 0.01):
        super().__init__()


@fault("leaky-slope-inverted", "leaky_relu", "x divided by the slope for negative x")
class Inverted(LeakyRelu):
    """x / a is Caffe2's older form, whose a is 100 or 5.5, and a is given 0.01."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.where(x > 0, x, x / x.dtype.type(self.negative_slope))

    def backward(self, dout: Array) -> Array:
        return np.where(self.recall()[0], dout, dout / dout.dtype.type(self.negative_slope))


callers_arrays(
    fault,
    "leaky",
    "leaky_relu",
    LeakyRelu,
    "x[x < 0] *= slope needs no second array.",
    "dout[x < 0] *= slope is the book's own way with its ReLU.",
    "x is kept for its sign, and the next layer works in place.",
)


@fault("leaky-stale-mask", "leaky_relu", "the memory of the first forward", shows="contract")
class StaleMask(LeakyRelu):
    """The mask is made once, with the array that holds the output."""

    first: Array | None = None

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        self.first = self.recall()[0] if self.first is None or self.first.shape != x.shape else self.first
        self.remember(self.first)
        return out


# -- elu -------------------------------------------------------------------------------------------
class OpenELU(ELU):
    """The right layer, with the derivative of its negative side to be replaced."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        self.remember(x.copy(), out.copy())
        return out

    def negative(self, x: Array, y: Array) -> Array:
        return y + self.alpha

    def backward(self, dout: Array) -> Array:
        x, y = self.recall()
        below = self.negative(np.minimum(x, 0), np.minimum(y, 0))
        return np.where(x > 0, dout, dout * below.astype(dout.dtype))


@fault("elu-derivative-of-x", "elu", "x + alpha for y + alpha in the derivative")
class DerivativeOfX(OpenELU):
    """The derivative is y + alpha, and the layer kept x."""

    def negative(self, x: Array, y: Array) -> Array:
        return x + self.alpha


@fault("elu-derivative-of-output", "elu", "the derivative at y instead of x")
class DerivativeOfOutput(OpenELU):
    """A function d_elu(x) that has the exponential itself is handed the output."""

    def negative(self, x: Array, y: Array) -> Array:
        return self.alpha * np.exp(y)


@fault("elu-derivative-y", "elu", "y for y + alpha in the derivative")
class DerivativeY(OpenELU):
    """The -1 of the forward is left standing in the derivative."""

    def negative(self, x: Array, y: Array) -> Array:
        return y


@fault("elu-derivative-alpha", "elu", "alpha for alpha * exp(x) in the derivative")
class DerivativeAlpha(OpenELU):
    """The layer is taken for a leaky one, and alpha for its slope."""

    def negative(self, x: Array, y: Array) -> Array:
        return np.full_like(x, self.alpha)


@fault("elu-derivative-without-alpha", "elu", "exp(x) for alpha * exp(x) in the derivative", needs={"alpha"})
class DerivativeWithoutAlpha(OpenELU):
    """exp(x) is differentiated, and its factor is forgotten; with alpha = 1 nobody sees it."""

    def negative(self, x: Array, y: Array) -> Array:
        return np.exp(x)


@fault("elu-derivative-plus-one", "elu", "y + 1 for y + alpha in the derivative", needs={"alpha"})
class DerivativePlusOne(OpenELU):
    """The derivative is derived for alpha = 1."""

    def negative(self, x: Array, y: Array) -> Array:
        return y + 1


@fault("elu-backward-of-relu", "elu", "a gradient of 0 for negative x")
class ELUWithRelusBackward(OpenELU):
    """Only the forward of a ReLU was changed."""

    def negative(self, x: Array, y: Array) -> Array:
        return np.zeros_like(x)


@fault("elu-straight-through", "elu", "dout passed through unmasked")
class ELUStraightThrough(OpenELU):
    """Backward hands dout on, since the layer has no parameters."""

    def backward(self, dout: Array) -> Array:
        return dout.copy()


@fault("elu-masks-by-dout", "elu", "the side chosen by dout's sign")
class ELUMasksByDout(OpenELU):
    """The mask of backward is dout > 0, as forward's is x > 0."""

    def backward(self, dout: Array) -> Array:
        y = np.minimum(self.recall()[1], 0)
        return np.where(dout > 0, dout, dout * (y + self.alpha))


@fault("elu-multiplies-by-output", "elu", "dout multiplied by the output for the derivative")
class ELUTimesOutput(OpenELU):
    """dout * out is written where the derivative belongs."""

    def backward(self, dout: Array) -> Array:
        return dout * self.recall()[1]


@fault("elu-without-dout", "elu", "the derivative, not times dout")
class ELUWithoutDout(OpenELU):
    """The derivative is returned, and the product with dout is left to a caller who does not know of it."""

    def backward(self, dout: Array) -> Array:
        x, y = self.recall()
        self.check_dout(dout, x.shape)
        return np.where(x > 0, dout.dtype.type(1), y + dout.dtype.type(self.alpha))


@fault("elu-without-minus-one", "elu", "alpha * exp(x) for negative x")
class WithoutMinusOne(ELU):
    """The -1 is forgotten, and the function jumps at zero."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.where(x > 0, x, self.alpha * np.exp(np.minimum(x, 0)))


@fault("elu-minus-one-outside", "elu", "alpha * exp(x) - 1 for negative x", needs={"alpha"})
class MinusOneOutside(OpenELU):
    """The parentheses around exp(x) - 1 are lost."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.where(x > 0, x, self.alpha * np.exp(np.minimum(x, 0)) - 1)


@fault("elu-alpha-ignored", "elu", "alpha = 1 whatever is asked for", needs={"alpha"})
class AlphaIgnored(ELU):
    """The argument is kept, and nothing reads it."""

    def __init__(self, alpha: float = 1.0):
        super().__init__()


@fault("elu-alpha-ignored-in-forward", "elu", "exp(x) - 1 without alpha in forward", needs={"alpha"})
class AlphaIgnoredInForward(OpenELU):
    """Forward is written for alpha = 1."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


@fault("elu-alpha-in-the-exponent", "elu", "exp(alpha * x) - 1 for negative x", needs={"alpha"})
class AlphaInTheExponent(OpenELU):
    """alpha is moved into the exponential, where CELU has its inverse."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.where(x > 0, x, np.expm1(self.alpha * np.minimum(x, 0)))


@fault("elu-on-the-wrong-side", "elu", "the exponential on the positive side")
class ELUWrongSide(ELU):
    """The arguments of np.where are exchanged."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        with np.errstate(over="ignore"):
            return np.where(x > 0, self.alpha * np.expm1(x), x)


@fault("elu-leaky", "elu", "alpha * x for negative x")
class Leaky(ELU):
    """alpha is read as a slope, as LeakyReLU has one."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.where(x > 0, x, self.alpha * x)


@fault("elu-overflow", "elu", "a product of a mask and exp(x), which overflows")
class Overflow(ELU):
    """(x <= 0) * alpha * (exp(x) - 1) is 0 * inf for a large x."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        with np.errstate(over="ignore", invalid="ignore"):
            return (x > 0) * x + (x <= 0) * (self.alpha * np.expm1(x))


callers_arrays(
    fault,
    "elu",
    "elu",
    ELU,
    "x[x < 0] = alpha * (exp(x[x < 0]) - 1) needs no second array.",
    "dout *= y + alpha needs no second array.",
    "The backward needs x, and a reference to it is what self.x = x keeps.",
)
