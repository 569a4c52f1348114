"""The activations that came after the book's: one number in, one number out, any shape."""

from __future__ import annotations

import math

import numpy as np

from scratchcnn.fast import accelerated
from scratchcnn.layers.base import Layer
from scratchcnn.typing import Array


@accelerated
class LeakyRelu(Layer):
    """x where x > 0, else negative_slope * x, any shape; `torch.nn.LeakyReLU` (Maas et al. 2013).

    The gradient at exactly 0 is that of the negative side, as in PyTorch.
    """

    def __init__(self, negative_slope: float = 0.01):
        super().__init__()
        self.negative_slope = float(negative_slope)

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        positive = x > 0
        self.remember(positive)
        return np.where(positive, x, self.negative_slope * x)

    def backward(self, dout: Array) -> Array:
        """dx = dout where x > 0, else negative_slope * dout."""
        (positive,) = self.recall()
        dout = self.check_dout(dout, positive.shape)
        return np.where(positive, dout, self.negative_slope * dout)

    def arguments(self) -> str:
        return f"{self.negative_slope:g}"


@accelerated
class ELU(Layer):
    """x where x > 0, else alpha * (exp(x) - 1), any shape; `torch.nn.ELU` (Clevert et al. 2016)."""

    def __init__(self, alpha: float = 1.0):
        super().__init__()
        self.alpha = float(alpha)

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        out = np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))  # expm1(x) is exp(x) - 1
        self.remember(x > 0, out.copy())
        return out

    def backward(self, dout: Array) -> Array:
        """dx = dout where x > 0, else dout * alpha * exp(x) = dout * (y + alpha)."""
        positive, y = self.recall()
        dout = self.check_dout(dout, y.shape)
        return np.where(positive, dout, dout * (y + self.alpha))

    def arguments(self) -> str:
        return f"{self.alpha:g}"


@accelerated
class SELU(Layer):
    """scale * ELU(alpha)(x) with the two constants that keep mean 0 and variance 1; `torch.nn.SELU`.

    Klambauer et al. 2017, equation 2.
    """

    alpha, scale = 1.6732632423543772, 1.0507009873554805

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        out = self.scale * np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))
        self.remember(x > 0, out.copy())
        return out

    def backward(self, dout: Array) -> Array:
        """dx = scale * dout where x > 0, else dout * scale * alpha * exp(x) = dout * (y + scale * alpha)."""
        positive, y = self.recall()
        dout = self.check_dout(dout, y.shape)
        return np.where(positive, self.scale * dout, dout * (y + self.scale * self.alpha))


class Softplus(Layer):
    """log(1 + exp(x)), any shape, without overflow; `torch.nn.Softplus` (Dugas et al. 2001)."""

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        self.remember(x.copy())
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    def backward(self, dout: Array) -> Array:
        """dx = dout * sigmoid(x)."""
        (x,) = self.recall()
        with np.errstate(over="ignore"):  # exp(1000) is inf, and 1 / inf the 0 that it should be
            s = 1 / (1 + np.exp(-x))
        dx: Array = self.check_dout(dout, x.shape) * s
        return dx


@accelerated
class GELU(Layer):
    """x * P(a normal number is below x), any shape; `torch.nn.GELU` (Hendrycks and Gimpel 2016).

    `approximate="tanh"` is the paper's 0.5 * x * (1 + tanh(u)) with u = sqrt(2 / pi) * (x + 0.044715 * x**3).
    NumPy has no erf, so that "none", the exact function, is computed here one number at a time.
    """

    def __init__(self, approximate: str = "none"):
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate must be 'none' or 'tanh', got {approximate!r}")
        self.approximate = approximate

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        if self.approximate == "tanh":
            t = np.tanh(SLOPE * (x + 0.044715 * x**3))
            below = 0.5 * (1 + t)
            density = 0.5 * (1 - t * t) * SLOPE * (1 + 3 * 0.044715 * x * x)
        else:
            below = 0.5 * (1 + _erf(x / math.sqrt(2)).astype(x.dtype))
            density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
        self.remember(below + x * density)
        return x * below

    def backward(self, dout: Array) -> Array:
        """dx = dout * (P(below x) + x * its derivative): the product rule."""
        (slope,) = self.recall()
        dx: Array = self.check_dout(dout, slope.shape) * slope
        return dx

    def arguments(self) -> str:
        return "" if self.approximate == "none" else f"approximate={self.approximate!r}"


SLOPE = math.sqrt(2 / math.pi)
_erf = np.vectorize(math.erf, otypes=[np.float64])


@accelerated
class Relu6(Layer):
    """min(max(x, 0), 6), any shape; `torch.nn.ReLU6` (Krizhevsky 2010). The gradient at 0 and at 6 is 0."""

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        self.remember((x > 0) & (x < 6))
        return np.clip(x, 0, 6)

    def backward(self, dout: Array) -> Array:
        """dx = dout where 0 < x < 6, else 0."""
        (mask,) = self.recall()
        dout = self.check_dout(dout, mask.shape)
        return np.where(mask, dout, dout.dtype.type(0))


class Softsign(Layer):
    """x / (1 + |x|), any shape; `torch.nn.Softsign` (Turian et al. 2009)."""

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        divisor = 1 + np.abs(x)
        self.remember(divisor)
        out: Array = x / divisor
        return out

    def backward(self, dout: Array) -> Array:
        """dx = dout / (1 + |x|)**2."""
        (divisor,) = self.recall()
        dx: Array = self.check_dout(dout, divisor.shape) / (divisor * divisor)
        return dx


class Step(Layer):
    """1 where x > 0, else 0, any shape: the book's step function (section 3.2); `torch.heaviside(x, 0)`.

    at_zero is the value at exactly 0, which conventions differ in: 0 as in the book, 0.5 or 1.
    The derivative is 0, also at 0, where there is none: nothing learns through it.
    """

    def __init__(self, at_zero: float = 0.0):
        super().__init__()
        self.at_zero = float(at_zero)

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        self.remember(x.shape)
        out: Array = np.heaviside(x, x.dtype.type(self.at_zero))
        return out

    def backward(self, dout: Array) -> Array:
        """dx = 0."""
        (shape,) = self.recall()
        return np.zeros_like(self.check_dout(dout, shape))

    def arguments(self) -> str:
        return f"{self.at_zero:g}"


class Identity(Layer):
    """x itself, any shape, for where an activation is asked for and none is wanted; `torch.nn.Identity`.

    Unlike PyTorch's, forward and backward return copies.
    """

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        self.remember(x.shape)
        return x.copy()

    def backward(self, dout: Array) -> Array:
        """dx = dout."""
        (shape,) = self.recall()
        return self.check_dout(dout, shape).copy()
