"""A function of one number that is an autograd engine's, inside an activation of which the rest is NumPy's.

An exponential is the left half of ELU, a logarithm the middle of softplus, a root all of softplus, of its
square, and an absolute value half of ReLU: on the numbers that the function gets the whole is well
conditioned, on the others it is NumPy's. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from parity.adapters.engine import as_given
from parity.adapters.engine_methods import OUT_TWICE, OfEngine
from parity.adapters.engine_operators import without_sum


class Inside(OfEngine):
    """`share * of(inner(x)) + rest(x)` where `asked(x)`, and NumPy's `rest(x)` elsewhere.

    share  a factor, which the gradient of the engine's result has
    """

    of: Callable[..., Any]
    share = 1.0

    def asked(self, x: Any) -> Any:
        """Whether the engine gets a number."""
        raise NotImplementedError

    def inner(self, x: Any) -> tuple[Any, Any]:
        """What it gets, and the slope of that."""
        return x, 1

    def rest(self, x: Any, asked: Any) -> tuple[Any, Any]:
        """What is added, and the slope of that."""
        raise NotImplementedError

    # -- as a layer -----------------------------------------------------------------------------------
    def forward(self, x: Any) -> Any:
        self.x = np.array(x)
        self.at = self.asked(self.x)
        self.safe = np.where(self.at, self.x, 1).astype(self.x.dtype)
        self.given = self.inner(self.safe)[0].astype(self.x.dtype)
        found = as_given(self.engine.values(type(self).of, [self.given]), self.x)
        if found.shape != self.x.shape:
            return found
        own = np.where(self.at, found * found.dtype.type(self.share), 0)
        return (own + self.rest(self.x, self.at)[0]).astype(found.dtype)

    def backward(self, dout: Any) -> Any:
        return self._back(type(self).of, dout, 1)

    def _back(self, of: Callable[..., Any], dout: Any, uses: int) -> Any:
        seed = np.where(self.at, dout * dout.dtype.type(self.share), 0).astype(dout.dtype)
        grad = as_given(self.engine.gradients(of, [self.given], seed)[0], self.x)
        if grad.shape != self.x.shape:
            return grad
        own = np.where(self.at, grad * self.inner(self.safe)[1], 0)
        return (own + uses * self.rest(self.x, self.at)[1] * dout).astype(grad.dtype)

    def used_twice(self, x: Any) -> dict[str, Any]:
        found = without_sum(self.engine)
        with suppress(Exception):
            self.forward(x)
            of, ones = type(self).of, np.ones_like(x)
            one, both = (self._back(f, ones, 1) for f in (of, lambda node: of(node) + of(node)))
            lost = both.shape == one.shape and np.allclose(both, one)  # then what is NumPy's loses it too
            found = {OUT_TWICE: one if lost else both + self.rest(self.x, self.at)[1]} | found
        return found


class Exponential(Inside):
    """ELU: exp(x) - 1 where x is not above 0, x elsewhere; of x / unit."""

    unit = 1.0

    def __init__(self, alpha: float = 1.0):
        self.share = alpha

    def asked(self, x: Any) -> Any:
        return x <= 0

    def inner(self, x: Any) -> tuple[Any, Any]:
        return np.where(self.at, x, 0) / self.unit, 1 / self.unit

    def rest(self, x: Any, asked: Any) -> tuple[Any, Any]:
        return np.where(asked, -x.dtype.type(self.share), x), np.where(asked, 0, 1)


class PowerOf2(Exponential):
    """exp(x) as 2 ** (x / ln 2), of which the power is the engine's."""

    unit = float(np.log(2))


class Logarithm(Inside):
    """Softplus: log(1 + exp(x)) where x is between -1 and 10."""

    def asked(self, x: Any) -> Any:
        return (x > -1) & (x < 10)

    def inner(self, x: Any) -> tuple[Any, Any]:
        return 1 + np.exp(x), np.exp(x)

    def rest(self, x: Any, asked: Any) -> tuple[Any, Any]:
        with np.errstate(over="ignore"):
            out, slope = np.logaddexp(x.dtype.type(0), x), 1 / (1 + np.exp(-x))
        return np.where(asked, 0, out), np.where(asked, 0, slope)


class Root(Logarithm):
    """Softplus: the root of its square, where that is a number."""

    def asked(self, x: Any) -> Any:
        with np.errstate(under="ignore"):
            square = np.logaddexp(x.dtype.type(0), x) ** 2
        return (square > np.finfo(x.dtype).tiny) & np.isfinite(square)

    def inner(self, x: Any) -> tuple[Any, Any]:
        plus = np.logaddexp(x.dtype.type(0), x)
        with np.errstate(over="ignore"):
            return plus**2, 2 * plus / (1 + np.exp(-x))


class Absolute(Inside):
    """ReLU: the half of x + |x|, where x is not 0."""

    share = 0.5

    def asked(self, x: Any) -> Any:
        return (x != 0) & np.isfinite(x)

    def rest(self, x: Any, asked: Any) -> tuple[Any, Any]:
        return np.where(asked, x / 2, np.maximum(x, 0)), np.where(asked, 0.5, x > 0)

    def used_twice(self, x: Any) -> dict[str, Any]:
        return {}  # half of it is NumPy's; see `engine_expressions`
