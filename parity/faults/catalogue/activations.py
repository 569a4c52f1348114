"""Bugs of the activations: what happens at zero, what the derivative is taken of, what overflows."""

from __future__ import annotations

import numpy as np

from parity.faults.fault import Family
from scratchcnn.layers import Relu, Sigmoid, SiLU, Softmax, Tanh
from scratchcnn.typing import Array

fault = Family()


# -- relu ----------------------------------------------------------------------------------------
@fault("relu-gradient-one-at-zero", "relu", "ReLU's gradient 1 at zero")
class OneAtZero(Relu):
    """The mask of backward is x >= 0."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        self.remember(x >= 0)
        return out


@fault("relu-gradient-half-at-zero", "relu", "ReLU's gradient 1/2 at zero")
class HalfAtZero(Relu):
    """The gradient is taken from np.heaviside(x, 0.5)."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        self.remember(np.heaviside(x, x.dtype.type(0.5)))
        return out

    def backward(self, dout: Array) -> Array:
        return dout * self.recall()[0]


@fault("relu-leaky", "relu", "a slope of 0.01 below zero")
class Leaky(Relu):
    """Copied from a model that used LeakyReLU."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.where(x > 0, x, x.dtype.type(0.01) * x)

    def backward(self, dout: Array) -> Array:
        return np.where(self.recall()[0], dout, dout.dtype.type(0.01) * dout)


@fault("relu-capped-at-six", "relu", "a cap at 6")
class Capped(Relu):
    """ReLU6 comes along with a mobile network."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        self.remember((x > 0) & (x < 6))
        return np.minimum(out, 6)


@fault("relu-straight-through", "relu", "dout passed through unmasked")
class StraightThrough(Relu):
    """Backward hands dout on, since ReLU has no parameters."""

    def backward(self, dout: Array) -> Array:
        return dout.copy()


@fault("relu-masks-by-dout", "relu", "dout masked by its own sign")
class Deconvnet(Relu):
    """relu(dout) is used for backward, as the deconvnet pictures do."""

    def backward(self, dout: Array) -> Array:
        return np.maximum(dout, 0)


@fault("relu-guided", "relu", "negative gradients dropped")
class Guided(Relu):
    """Guided backpropagation is left switched on after its pictures were made."""

    def backward(self, dout: Array) -> Array:
        return np.maximum(super().backward(dout), 0)


@fault("relu-multiplies-by-x", "relu", "dout multiplied by the output for the mask")
class TimesOutput(Relu):
    """dout * out is written for dout * (out > 0)."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        self.remember(out.copy())
        return out

    def backward(self, dout: Array) -> Array:
        return dout * self.recall()[0]


# -- sigmoid and tanh -----------------------------------------------------------------------------
def logistic(x: Array) -> Array:
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1) / (1 + small)


@fault("sigmoid-derivative-of-x", "sigmoid", "x(1 - x) for y(1 - y) in the derivative")
class SigmoidOfX(Sigmoid):
    """The derivative is y(1 - y), and the layer kept x."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        self.remember(x.copy())
        return out


@fault("sigmoid-derivative-twice", "sigmoid", "the derivative at y instead of x")
class SigmoidTwice(Sigmoid):
    """A function d_sigmoid(x) that applies the sigmoid itself is handed the output."""

    def backward(self, dout: Array) -> Array:
        y = logistic(self.recall()[0])
        return dout * y * (1 - y)


@fault("sigmoid-derivative-y", "sigmoid", "y for y(1 - y) in the derivative")
class SigmoidY(Sigmoid):
    """The factor (1 - y) is lost."""

    def backward(self, dout: Array) -> Array:
        return dout * self.recall()[0]


@fault("sigmoid-derivative-of-tanh", "sigmoid", "1 - y*y for y(1 - y) in the derivative")
class SigmoidAsTanh(Sigmoid):
    """Forward was changed from tanh to sigmoid, and backward was not."""

    def backward(self, dout: Array) -> Array:
        y = self.recall()[0]
        return dout * (1 - y * y)


@fault("sigmoid-overflow", "sigmoid", "exp(x) / (1 + exp(x)), which overflows")
class SigmoidOverflow(Sigmoid):
    """exp(x) / (1 + exp(x)) is inf / inf for a large x."""

    def forward(self, x: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.exp(x)
            out = e / (1 + e)
        self.remember(out.copy())
        return out


@fault("sigmoid-hard", "sigmoid", "the hard sigmoid")
class HardSigmoid(Sigmoid):
    """The straight line of older Keras, clip(0.2*x + 0.5, 0, 1), is taken for the sigmoid."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return np.clip(x.dtype.type(0.2) * x + x.dtype.type(0.5), 0, 1)


@fault("tanh-derivative-of-x", "tanh", "1 - x*x for 1 - y*y in the derivative")
class TanhOfX(Tanh):
    """The derivative is 1 - y*y, and the layer kept x."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        self.remember(x.copy())
        return out


@fault("tanh-derivative-not-squared", "tanh", "1 - y for 1 - y*y in the derivative")
class NotSquared(Tanh):
    """The square is lost on the way from the formula."""

    def backward(self, dout: Array) -> Array:
        y = self.recall()[0]
        return dout * (self.amplitude * self.slope * (1 - y))


@fault("tanh-derivative-of-sigmoid", "tanh", "y(1 - y) for 1 - y*y in the derivative")
class TanhAsSigmoid(Tanh):
    """Forward was changed from sigmoid to tanh, and backward was not."""

    def backward(self, dout: Array) -> Array:
        y = self.recall()[0]
        return dout * (self.amplitude * self.slope * y * (1 - y))


@fault("tanh-overflow", "tanh", "(e^x - e^-x) / (e^x + e^-x), which overflows")
class TanhOverflow(Tanh):
    """The definition is typed in, and it is inf / inf for a large x."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        with np.errstate(over="ignore", invalid="ignore"):
            a, b = np.exp(self.slope * x), np.exp(-self.slope * x)
            y = (a - b) / (a + b)
        self.remember(y)
        return self.amplitude * y


@fault("tanh-slope-forgotten-in-backward", "tanh", "dx without the slope", needs={"amplitude"})
class SlopeForgotten(Tanh):
    """The inner derivative is forgotten."""

    def backward(self, dout: Array) -> Array:
        return super().backward(dout / self.slope)


@fault("tanh-derivative-of-scaled-output", "tanh", "the derivative of the scaled output", needs={"amplitude"})
class ScaledOutput(Tanh):
    """The output is kept after the amplitude was multiplied in, and 1 - y*y is taken of that."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        self.remember(out.copy())
        return out


# -- silu -----------------------------------------------------------------------------------------
@fault("silu-derivative-of-sigmoid", "silu", "x * s(1 - s) without s in the derivative")
class SecondTermOnly(SiLU):
    """Only the sigmoid is differentiated: x is taken for a constant factor, and the first term is lost."""

    def backward(self, dout: Array) -> Array:
        x, s = self.recall()
        return dout * x * s * (1 - s)


@fault("silu-derivative-s", "silu", "s without x * s(1 - s) in the derivative")
class FirstTermOnly(SiLU):
    """The sigmoid is taken for a mask, as a Relu has one, and the product rule's second term is lost."""

    def backward(self, dout: Array) -> Array:
        _, s = self.recall()
        return dout * s


@fault("silu-derivative-sign", "silu", "the sign of the derivative's second term flipped")
class SecondTermSubtracted(SiLU):
    """The derivative is typed as s * (1 - x * (1 - s))."""

    def backward(self, dout: Array) -> Array:
        x, s = self.recall()
        return dout * s * (1 - x * (1 - s))


@fault("silu-derivative-swapped", "silu", "s + y(1 - y) for y + s(1 - y) in the derivative")
class OutputAndSigmoidSwapped(SiLU):
    """The short form of the derivative, y + s * (1 - y), is written down with y and s exchanged."""

    def backward(self, dout: Array) -> Array:
        x, s = self.recall()
        y = x * s
        return dout * (s + y * (1 - y))


@fault("silu-derivative-of-output", "silu", "the derivative at y instead of x")
class DerivativeOfOutput(SiLU):
    """The layer kept its output, as Sigmoid does, but this derivative cannot be had from the output alone."""

    def backward(self, dout: Array) -> Array:
        x, s = self.recall()
        y = x * s
        at_y = logistic(y)
        return dout * (at_y + y * at_y * (1 - at_y))


@fault("silu-backward-of-sigmoid", "silu", "the derivative of the sigmoid")
class SigmoidsBackward(SiLU):
    """The class is copied from Sigmoid, and only its forward is changed."""

    def backward(self, dout: Array) -> Array:
        _, s = self.recall()
        return dout * s * (1 - s)


@fault("silu-backward-of-relu", "silu", "the mask of ReLU for the derivative")
class RelusBackward(SiLU):
    """SiLU replaces ReLU in a network whose backward masks dout by x > 0."""

    def backward(self, dout: Array) -> Array:
        x, _ = self.recall()
        return dout * (x > 0)


@fault("silu-beta", "silu", "1.702 in the exponent, as in GELU's approximation")
class Beta(SiLU):
    """Swish has a factor beta in the exponent, and the one that approximates GELU is left there."""

    def forward(self, x: Array) -> Array:
        s = logistic(x.dtype.type(1.702) * x)
        self.remember(x.copy(), s)
        return x * s

    def backward(self, dout: Array) -> Array:
        x, s = self.recall()
        return dout * (s + x.dtype.type(1.702) * x * s * (1 - s))


@fault("silu-without-x", "silu", "the sigmoid alone")
class Gate(SiLU):
    """Only the gate is returned, since x was to be multiplied in by the caller."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return logistic(x)


@fault("silu-hard", "silu", "the hard swish")
class HardSwish(SiLU):
    """MobileNetV3's x * clip(x + 3, 0, 6) / 6 is taken for SiLU."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        return x * np.clip(x + 3, 0, 6) / 6

    def backward(self, dout: Array) -> Array:
        x, _ = self.recall()
        return dout * np.where(x <= -3, 0, np.where(x >= 3, 1, (2 * x + 3) / 6)).astype(x.dtype)


@fault("silu-overflow", "silu", "x * exp(x) / (1 + exp(x)), which overflows")
class SiluOverflow(SiLU):
    """exp(x) / (1 + exp(x)) is inf / inf for a large x."""

    def forward(self, x: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.exp(x)
            s = e / (1 + e)
        self.remember(x.copy(), s)
        return x * s


@fault("silu-in-place", "silu", "a write into x", shows="contract")
class SiluInPlace(SiLU):
    """x *= s saves an array, as PyTorch's inplace=True does."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        x[...] = out
        return out


@fault("silu-keeps-x", "silu", "the caller's x kept without a copy", shows="contract")
class SiluKeepsInput(SiLU):
    """The backward needs x, and a reference to it is what self.x = x keeps."""

    def forward(self, x: Array) -> Array:
        out = super().forward(x)
        self.remember(x, self.recall()[1])
        return out


# -- softmax --------------------------------------------------------------------------------------
class OpenSoftmax(Softmax):
    """The right layer, with its formulas to be replaced."""

    def normalise(self, x: Array) -> Array:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def forward(self, x: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            y = self.normalise(x)
        self.remember(y.copy())
        return y


@fault("softmax-no-shift", "softmax", "no shift by the maximum")
class NoShift(OpenSoftmax):
    """The definition is typed in, and exp overflows from 710 on."""

    def normalise(self, x: Array) -> Array:
        return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)


@fault("softmax-global-maximum", "softmax", "a shift by the maximum of the whole batch")
class GlobalMaximum(OpenSoftmax):
    """x - np.max(x) lacks its axis, and rows far below the largest one become 0 / 0."""

    def normalise(self, x: Array) -> Array:
        e = np.exp(x - x.max())
        return e / e.sum(axis=1, keepdims=True)


@fault("softmax-over-the-batch", "softmax", "the normalisation down the batch")
class OverTheBatch(OpenSoftmax):
    """axis=0 is kept from the version for a single row."""

    def normalise(self, x: Array) -> Array:
        e = np.exp(x - x.max(axis=0))
        return e / e.sum(axis=0)


@fault("softmax-total-over-everything", "softmax", "one sum for the whole batch")
class OneSum(OpenSoftmax):
    """np.sum lacks its axis, which a single row does not show."""

    def normalise(self, x: Array) -> Array:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum()


@fault("softmax-over-everything", "softmax", "one maximum and one sum for the whole batch")
class OverEverything(OpenSoftmax):
    """A softmax for one row of scores is given a batch: neither np.max nor np.sum has an axis."""

    def normalise(self, x: Array) -> Array:
        e = np.exp(x - x.max())
        return e / e.sum()


@fault("softmax-epsilon", "softmax", "1e-7 added to the sum")
class Epsilon(OpenSoftmax):
    """A small number is added to a denominator that is never below 1."""

    def normalise(self, x: Array) -> Array:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / (e.sum(axis=1, keepdims=True) + x.dtype.type(1e-7))


@fault("softmax-logarithm", "softmax", "the log-softmax")
class LogSoftmax(OpenSoftmax):
    """LogSoftmax and NLLLoss are split differently from Softmax and the cross entropy."""

    def forward(self, x: Array) -> Array:
        super().forward(x)
        shifted = x - x.max(axis=1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@fault("softmax-diagonal-backward", "softmax", "the diagonal of the Jacobian alone")
class Diagonal(Softmax):
    """The derivative is taken as y(1 - y), as for a sigmoid."""

    def backward(self, dout: Array) -> Array:
        y = self.recall()[0]
        return dout * y * (1 - y)


@fault("softmax-backward-without-sum", "softmax", "y * dout without the sum over the classes")
class WithoutSum(Softmax):
    """The second term of the Jacobian is forgotten."""

    def backward(self, dout: Array) -> Array:
        return self.recall()[0] * dout


@fault("softmax-backward-sum-over-batch", "softmax", "one sum over the whole batch in dx")
class SumOverBatch(Softmax):
    """(dout * y).sum() lacks its axis."""

    def backward(self, dout: Array) -> Array:
        y = self.recall()[0]
        return y * (dout - (dout * y).sum())


@fault("softmax-backward-straight-through", "softmax", "dout passed through")
class SoftmaxStraightThrough(Softmax):
    """Softmax with the loss has the gradient y - t, so softmax alone is thought to have none of its own."""

    def backward(self, dout: Array) -> Array:
        return dout.copy()
