"""An operator of an autograd engine as a layer: `x @ W + b` with one operator the engine's, the rest NumPy's.

So each operator has a verdict of its own, and no other is held against it. Operands are of one shape; whether
a gradient is summed over what NumPy stretches is asked by `used_twice`. A power is the square of an error.
Needs NumPy alone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np

from parity.adapters.engine import Engine, NoGradient, as_given, of_one_number
from parity.adapters.engine_methods import OUT_TWICE, OfEngine, used_twice
from parity.adapters.wire import Odd

W_TWICE = "f(x) + f(x), the gradient of W"
ROWS, COLUMNS = "rows", "columns"  # of numbers, over which x is stretched
Operands = tuple[Any, ...]
Stretched = dict[str, Callable[[Any, Any], Any]]  # by what is stretched: of the other array, and of x
BACK, BY_HAND = "backward of ", "what is stretched"
FLAT = "a row (D,) in "  # where (1, D) can be stretched


def _stretches(sign: str, of: Callable[[Any, Any], Any]) -> Stretched:
    """`rows + x`, `x + rows`, and the same with columns."""
    from_right = {f"{what} {sign} x": of for what in (ROWS, COLUMNS)}
    return from_right | {f"x {sign} {what}": lambda other, x: of(x, other) for what in (ROWS, COLUMNS)}


class Affine(OfEngine):
    """x @ W + b, of which one operator is the engine's."""

    of: Callable[..., Any]
    twice: tuple[str, ...] = ()  # expressions of that operator, some with a sum
    alone: tuple[str, ...] = ()  # those without
    stretches: ClassVar[Stretched] = {}  # those in which NumPy stretches x
    elementwise = True

    def __init__(self, W: Any, b: Any = None):
        self.W, self.b = W, b

    # -- of each operator ---------------------------------------------------------------------------
    def operands(self, x: Any, b: Any) -> Operands:
        raise NotImplementedError

    def result(self, found: Any, b: Any) -> Any:
        """out, from what the operator gives."""
        return found

    def seed(self, dout: Any) -> Any:
        """The gradient of what it gives."""
        return dout

    def gradients(self, grads: list[Any], dout: Any) -> tuple[Any, Any, Any]:
        """dx, dW and db."""
        raise NotImplementedError

    # -- as a layer -----------------------------------------------------------------------------------
    def forward(self, x: Any) -> Any:
        self.shape, self.x = x.shape, np.array(x).reshape(len(x), -1)
        self.given = self.operands(self.x, self._bias())
        found = as_given(self.engine.values(type(self).of, self.given), self.x)
        return in_type_of(found, self.result(found, self._bias()))

    def backward(self, dout: Any) -> Any:
        dx, self.dW, self.db = self._gradients(type(self).of, dout)
        return dx.reshape(self.shape) if dx.size == np.prod(self.shape) else dx

    def _bias(self) -> Any:
        return np.zeros(self.W.shape[1], self.W.dtype) if self.b is None else self.b

    def _gradients(self, of: Callable[..., Any], dout: Any) -> list[Any]:
        grads = self.engine.gradients(of, self.given, self.seed(dout), self.elementwise)
        grads = [as_given(grad, self.x) for grad in grads]
        odd = [grad for grad, a in zip(grads, self.given, strict=True) if grad.shape != a.shape]
        found = [odd[0]] * 3 if odd else self.gradients(grads, dout)
        return [in_type_of(grads[0], a) for a in found]

    def used_twice(self, x: Any) -> dict[str, Any]:
        """The gradients of expressions in which x, or what is made of it, is used more than once."""
        sums = self.engine.adds_up  # else a sum would be held against them
        found = used_twice(self.engine, x, self.twice if sums else self.alone)
        found |= without_sum(self.engine)
        with suppress(Exception):
            out = self.forward(x)
            of = type(self).of
            dx, dW, _ = self._gradients(lambda *nodes: of(*nodes) + of(*nodes), np.ones_like(out))
            found = {OUT_TWICE: dx.reshape(x.shape), W_TWICE: dW} | found
        stretches = self.stretches if self.engine.of_arrays else {}
        if stretches and (name := self.engine.by_hand):
            return found | {BY_HAND: Odd(f"which it leaves to .{name}()")}
        for says, stretched in stretches.items():
            found |= self._asked_for(says, stretched, x)
        return found

    def _asked_for(self, says: str, of: Callable[[Any, Any], Any], x: Any) -> dict[str, Any]:
        """The gradient of x where it is stretched, or what was raised: it may refuse that.

        What backward raises after a forward that gave a result stands under another name, but for an engine
        none of whose methods is made for arrays: it need not stretch them. A row is (D,);
        where that does not work it is (1, D), and what was raised before stands beside its gradient.
        """
        crash: dict[str, Any] = {}
        for shape in [(-1,), (1, -1)] if ROWS in says else [(-1, 1)]:
            flat = x.reshape(shape)
            other = np.array([[1.0], [2.0], [3.0]]) if ROWS in says else np.array([[1.0, 2.0]])
            other = (other + np.zeros_like(flat)).astype(x.dtype)
            where = says
            try:
                self.engine.values(lambda node, a=other: of(self.engine.node(a), node), [flat])
                where = says if of_one_number(self.engine.cls) else BACK + says
                grad = self._stretched(of, flat, other)
            except NoGradient as error:
                crash = crash or {says: error}
            except Exception as error:
                crash = {where: error} if not crash or (says in crash and where != says) else crash
            else:
                grad = as_given(grad.reshape(x.shape) if grad.shape == flat.shape else grad, x)
                return {says: grad} | dict(zip([FLAT + says], crash.values(), strict=False))
        return crash

    def _stretched(self, of: Callable[[Any, Any], Any], flat: Any, other: Any) -> Any:
        """The gradient of x where it meets an array that has more rows, or more columns."""
        return self.engine.gradients(lambda node: of(self.engine.node(other), node), [flat], 1.0)[0]


class Addition(Affine):
    twice = ("x + x", "y + y, y = x + x")
    alone = twice
    stretches: ClassVar[Stretched] = _stretches("+", operator.add)

    def operands(self, x: Any, b: Any) -> Operands:
        product = x @ self.W
        return product, b + np.zeros_like(product)

    def gradients(self, grads: list[Any], dout: Any) -> tuple[Any, Any, Any]:
        return grads[0] @ self.W.T, self.x.T @ grads[0], grads[1].sum(axis=0)


class Subtraction(Affine):
    twice = ("x - x",)
    alone = twice
    stretches: ClassVar[Stretched] = _stretches("-", operator.sub)

    def operands(self, x: Any, b: Any) -> Operands:
        product = x @ self.W
        return product, -b + np.zeros_like(product)

    def gradients(self, grads: list[Any], dout: Any) -> tuple[Any, Any, Any]:
        return grads[0] @ self.W.T, self.x.T @ grads[0], -grads[1].sum(axis=0)


class Negation(Affine):
    def operands(self, x: Any, b: Any) -> Operands:
        return (-(x @ self.W + b),)

    def gradients(self, grads: list[Any], dout: Any) -> tuple[Any, Any, Any]:
        return -grads[0] @ self.W.T, -self.x.T @ grads[0], -grads[0].sum(axis=0)


class Matrix(Affine):
    elementwise = False

    def operands(self, x: Any, b: Any) -> Operands:
        return x, self.W

    def result(self, found: Any, b: Any) -> Any:
        return found + b if found.shape[1:] == b.shape else found

    def gradients(self, grads: list[Any], dout: Any) -> tuple[Any, Any, Any]:
        return grads[0], grads[1], dout.sum(axis=0)


class Product(Affine):
    """Each product of the sums by itself: (N * I, O)."""

    twice: tuple[str, ...] = (
        *("x * x", "x * x + x"),
        *("y * y, y = x + x", "y + y * y, y = x + x", "y * y + y, y = x + x"),
    )
    alone: tuple[str, ...] = ("x * x",)
    stretches: ClassVar[Stretched] = _stretches("*", operator.mul)

    def operands(self, x: Any, b: Any) -> Operands:
        shape = (*x.shape, self.W.shape[1])
        each = np.broadcast_to(x[:, :, None], shape), np.broadcast_to(self.W, shape)
        return tuple(np.array(a.reshape(-1, shape[2])) for a in each)

    def result(self, found: Any, b: Any) -> Any:
        return self._apart(found).sum(axis=1) + b if found.shape == self.given[0].shape else found

    def seed(self, dout: Any) -> Any:
        return np.repeat(dout, self.x.shape[1], axis=0)

    def gradients(self, grads: list[Any], dout: Any) -> tuple[Any, Any, Any]:
        return self._apart(grads[0]).sum(axis=2), self._apart(grads[1]).sum(axis=0), dout.sum(axis=0)

    def _apart(self, a: Any) -> Any:
        return a.reshape(*self.x.shape, self.W.shape[1])  # (N * I, O) -> (N, I, O)


class Division(Product):
    """x / (1 / W); where W is 0, NumPy's product."""

    twice = alone = ()
    stretches: ClassVar[Stretched] = _stretches("/", operator.truediv)

    def operands(self, x: Any, b: Any) -> Operands:
        one, other = super().operands(x, b)
        self.zero = other == 0
        return one, 1 / np.where(self.zero, 1, other)

    def result(self, found: Any, b: Any) -> Any:
        return super().result(np.where(self.zero, 0, found) if found.shape == self.zero.shape else found, b)

    def gradients(self, grads: list[Any], dout: Any) -> tuple[Any, Any, Any]:
        one, other = self.given
        dx = np.where(self.zero, 0, grads[0])
        dW = np.where(self.zero, self.seed(dout) * one, -grads[1] * other**2)
        return super().gradients([dx, dW], dout)


class Reversed(Affine):
    """A plain number on the left, one for each column of out."""

    def forward(self, x: Any) -> Any:
        self.shape, self.x = x.shape, np.array(x).reshape(len(x), -1)
        self.product = self.x @ self.W
        self.given = self.operands(self.x, self._bias())
        columns = [self._values(number, column) for number, column in self._columns()]
        found = next((a for a in columns if a.shape != (len(self.x), 1)), None)
        found = np.concatenate(columns, axis=1) if found is None else found
        return in_type_of(found, self.result(found, self._bias()))

    def numbers(self) -> Any:
        """Those on the left: powers of 2."""
        return np.resize([2.0, -4.0, 0.5], self.W.shape[1])

    def _values(self, number: float, column: Any) -> Any:
        return as_given(self.engine.values(lambda node: type(self).of(number, node), [column]), self.x)

    def _columns(self) -> Iterator[tuple[float, Any]]:
        (given,) = self.given
        return ((float(number), given[:, [o]]) for o, number in enumerate(self.numbers()))

    def _gradients(self, of: Callable[..., Any], dout: Any) -> list[Any]:
        grads = [
            self.engine.gradients(_left(of, number), [column], self.seed(dout[:, [o]]))[0]
            for o, (number, column) in enumerate(self._columns())
        ]
        grads = [as_given(grad, self.x) for grad in grads]
        odd = [grad for grad in grads if grad.shape != (len(self.x), 1)]
        found = [odd[0]] * 3 if odd else self.gradients([np.concatenate(grads, axis=1)], dout)
        return [in_type_of(grads[0], a) for a in found]


class ReversedSum(Reversed):
    def numbers(self) -> Any:
        return self._bias()

    def operands(self, x: Any, b: Any) -> Operands:
        return (self.product,)

    def gradients(self, grads: list[Any], dout: Any) -> tuple[Any, Any, Any]:
        return grads[0] @ self.W.T, self.x.T @ grads[0], dout.sum(axis=0)


class ReversedDifference(ReversedSum):
    def operands(self, x: Any, b: Any) -> Operands:
        return (-self.product,)

    def gradients(self, grads: list[Any], dout: Any) -> tuple[Any, Any, Any]:
        return super().gradients([-grads[0]], dout)


class ReversedProduct(Reversed):
    def operands(self, x: Any, b: Any) -> Operands:
        return (((self.product + b) / self.numbers()).astype(x.dtype),)

    def gradients(self, grads: list[Any], dout: Any) -> tuple[Any, Any, Any]:
        grad = (grads[0] / self.numbers()).astype(grads[0].dtype)
        return grad @ self.W.T, self.x.T @ grad, grad.sum(axis=0)


class ReversedQuotient(Reversed):
    """c / (c / z), with z = x @ W + b; where z is 0 or no number, z itself."""

    def operands(self, x: Any, b: Any) -> Operands:
        self.z = self.product + b
        self.apart = ~np.isfinite(self.z) | (self.z == 0)
        return ((self.numbers() / np.where(self.apart, 1, self.z)).astype(x.dtype),)

    def result(self, found: Any, b: Any) -> Any:
        return np.where(self.apart, self.z, found) if found.shape == self.z.shape else found

    def gradients(self, grads: list[Any], dout: Any) -> tuple[Any, Any, Any]:
        (given,) = self.given
        grad = np.where(self.apart, dout, -grads[0] * given**2 / self.numbers()).astype(grads[0].dtype)
        return grad @ self.W.T, self.x.T @ grad, grad.sum(axis=0)


class ReversedMatrix(Affine):
    """A plain array on the left: x, of which NumPy has the gradient."""

    elementwise = False

    def operands(self, x: Any, b: Any) -> Operands:
        return (self.W,)

    def forward(self, x: Any) -> Any:
        self.shape, self.x = x.shape, np.array(x).reshape(len(x), -1)
        self.given = self.operands(self.x, self._bias())
        found = as_given(self.engine.values(self._of(type(self).of), self.given), self.x)
        return in_type_of(found, found + self._bias() if found.shape[1:] == self._bias().shape else found)

    def _of(self, of: Callable[..., Any]) -> Callable[..., Any]:
        return lambda node: of(np.array(self.x), node)

    def _gradients(self, of: Callable[..., Any], dout: Any) -> list[Any]:
        return super()._gradients(self._of(of), dout)

    def gradients(self, grads: list[Any], dout: Any) -> tuple[Any, Any, Any]:
        return dout @ self.W.T, grads[0], dout.sum(axis=0)

    def used_twice(self, x: Any) -> dict[str, Any]:
        return {says: grad for says, grad in super().used_twice(x).items() if says != OUT_TWICE}


class Total(Affine):
    """The sum or the mean of the products, a row of them for each number of out: (1, I)."""

    mean = False
    by = 1

    def forward(self, x: Any) -> Any:
        self.shape, self.x = x.shape, np.array(x).reshape(len(x), -1)
        self.by = self.x.shape[1] if self.mean else 1
        found = np.array([[self._value(row * w) for w in self.W.T] for row in self.x])
        found = as_given(found * found.dtype.type(self.by), self.x)
        return in_type_of(found, found + self._bias())

    def _value(self, products: Any) -> Any:
        found = self.engine.values(type(self).of, [products[None]])
        return found.reshape(()) if found.size == 1 else found

    def _gradients(self, of: Callable[..., Any], dout: Any) -> list[Any]:
        dx, dW = np.zeros_like(self.x), np.zeros_like(self.W)
        for n, o in np.ndindex(*dout.shape):
            row, w, seed = self.x[n], self.W[:, o], dout[n, o] * self.by
            grad = as_given(self.engine.gradients(of, [(row * w)[None]], seed)[0], self.x)
            if grad.shape != (1, len(row)):
                return [grad] * 3
            dx[n] += grad[0] * w
            dW[:, o] += grad[0] * row
        return [in_type_of(grad, a) for a in (dx, dW, dout.sum(axis=0))]


class Mean(Total):
    mean = True


class Square(OfEngine):
    """The mean of (x - t) ** 2, or another of its divisors, of which the power is the engine's."""

    of: Callable[..., Any]

    def __init__(self, reduction: str = "mean", factor: float = 1.0):
        self.reduction, self.factor = reduction, factor

    def forward(self, x: Any, t: Any) -> Any:
        self.error = x - t
        by = {"mean": x.size, "batchmean": len(x)}.get(self.reduction, 1)
        self.share = x.dtype.type(self.factor / by)
        found = as_given(self.engine.values(type(self).of, [self.error]), self.error)
        found = found * found.dtype.type(self.share)
        return found if self.reduction == "none" else found.sum()

    def backward(self) -> Any:
        share = np.full_like(self.error, self.share)
        return as_given(self.engine.gradients(type(self).of, [self.error], share)[0], self.error)


def _left(of: Callable[..., Any], number: float) -> Callable[[Any], Any]:
    return lambda node: of(number, node)


def without_sum(engine: Engine) -> dict[str, Any]:
    """Why it is not asked for the sum of two uses, where its sums are wrong."""
    if engine.adds_up or not hasattr(engine.cls, "__add__"):
        return {}
    return dict.fromkeys((OUT_TWICE, W_TWICE), NoGradient("x + x has another gradient than 2"))


def in_type_of(like: Any, array: Any) -> Any:
    """In the floating-point type of what the engine gave."""
    return array.astype(like.dtype) if array.dtype.kind == "f" else array
