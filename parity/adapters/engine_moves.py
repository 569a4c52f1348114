"""A method of an autograd engine that computes nothing: it moves, picks or reshapes numbers.

What it is given is made of x @ W + b by NumPy, so that its result is that, in another place. Needs NumPy
alone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from parity.adapters.engine import as_given
from parity.adapters.engine_methods import OUT_TWICE, OfEngine
from parity.adapters.engine_operators import Affine, Operands, without_sum


class Moved(Affine):
    """The engine is handed x @ W + b as `placed` puts it, and its result is that."""

    elementwise = False

    def placed(self, z: Any) -> Any:
        raise NotImplementedError

    def picked(self, grad: Any) -> Any:
        """The gradient of x @ W + b, (N, O), of that of what the engine was handed."""
        raise NotImplementedError

    def operands(self, x: Any, b: Any) -> Operands:
        self.z = x @ self.W + b
        return (np.array(self.placed(self.z)),)

    def gradients(self, grads: list[Any], dout: Any) -> tuple[Any, Any, Any]:
        dz = self.picked(grads[0])
        return dz @ self.W.T, self.x.T @ dz, dz.sum(axis=0)


class Transposed(Moved):
    def placed(self, z: Any) -> Any:
        return z.T

    def picked(self, grad: Any) -> Any:
        return grad.T


class Rows(Moved):
    """The rows in the middle of three times as many; a gradient at the others is taken off."""

    def placed(self, z: Any) -> Any:
        return np.concatenate([z + 1, z, z - 1])

    def picked(self, grad: Any) -> Any:
        first, middle, last = np.split(grad, 3)
        return middle - first - last


class Largest(Moved):
    """The largest of two: each number beside one that is smaller than all, on its left or on its right.

    A gradient at the other one is taken off. `along` is whether it takes an axis; else it is asked for one
    pair after another.
    """

    sign, along = 1, True

    def placed(self, z: Any) -> Any:
        least = (np.min(self.sign * z, initial=0, where=np.isfinite(z)) - 1) * self.sign
        self.left = np.arange(z.size) % 2 == 0
        own, other = z.ravel(), np.full(z.size, least, z.dtype)
        return np.stack([np.where(self.left, own, other), np.where(self.left, other, own)], axis=1)

    def picked(self, grad: Any) -> Any:
        one, other = grad.T
        return np.where(self.left, one - other, other - one).reshape(self.z.shape)

    def forward(self, x: Any) -> Any:
        self.shape, self.x = x.shape, np.array(x).reshape(len(x), -1)
        self.given = self.operands(self.x, self._bias())
        (pairs,) = self.given
        if self.along:
            found = self.engine.values(type(self).of, [pairs])
        else:
            each = [self.engine.values(type(self).of, [pair[None]]) for pair in pairs]
            found = np.array([one.reshape(()) for one in each]) if all(a.size == 1 for a in each) else each[0]
        return as_given(found.reshape(self.z.shape) if found.shape == (len(pairs),) else found, self.x)

    def seed(self, dout: Any) -> Any:
        return dout.ravel()

    def _gradients(self, of: Callable[..., Any], dout: Any) -> list[Any]:
        if self.along:
            return super()._gradients(of, dout)
        (pairs,), engine = self.given, self.engine
        each = [
            engine.gradients(of, [a[None]], d, False)[0] for a, d in zip(pairs, dout.ravel(), strict=True)
        ]
        odd = next((grad for grad in each if grad.shape != (1, 2)), None)
        grad = as_given(np.concatenate(each), self.x) if odd is None else odd
        return [*self.gradients([grad], dout)] if odd is None else [odd] * 3


class Smallest(Largest):
    sign = -1


class Flat(OfEngine):
    """An image as a row; `of` takes the node and a shape."""

    of: Callable[..., Any]

    def forward(self, x: Any) -> Any:
        self.x = np.array(x)
        return as_given(self.engine.values(self._shaped(), [self.x]), self.x)

    def backward(self, dout: Any) -> Any:
        return as_given(self.engine.gradients(self._shaped(), [self.x], dout, False)[0], self.x)

    def _shaped(self) -> Callable[..., Any]:
        shape = (len(self.x), self.x[0].size)
        return lambda node: type(self).of(node, shape)

    def used_twice(self, x: Any) -> dict[str, Any]:
        found = without_sum(self.engine)
        with suppress(Exception):
            self.x = np.array(x)
            of = self._shaped()
            ones = np.ones((len(x), x[0].size), x.dtype)
            (grad,) = self.engine.gradients(lambda node: of(node) + of(node), [self.x], ones, False)
            found = {OUT_TWICE: as_given(grad, x)} | found
        return found
