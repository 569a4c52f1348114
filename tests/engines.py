"""Two right autograd engines, one of single numbers and one of arrays, for tests to put bugs into."""

WALK = """
    def backward(self):
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = self.grad * 0 + 1
        for node in reversed(order):
            node.push(node.grad)
"""
NUMBERS = (
    """
import math


class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.grad, self.parents, self.slopes = data, 0.0, parents, slopes

    def push(self, g):
        for parent, slope in zip(self.parents, self.slopes):
            parent.grad += slope * g

    @staticmethod
    def made(a):
        return a if isinstance(a, Value) else Value(a)

    def __add__(self, other):
        other = Value.made(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = Value.made(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, k):
        return Value(self.data**k, (self,), (k * self.data ** (k - 1),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __truediv__(self, other):
        return self * other**-1

    def __iadd__(self, other):
        return self + other

    def __isub__(self, other):
        self.data -= other.data
        return self

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return self**-1 * other

    def __rpow__(self, base):
        out = base**self.data
        return Value(out, (self,), (math.log(base) * out,))

    __radd__ = __add__
    __rmul__ = __mul__
"""
    + WALK
)
ARRAYS = (
    """
import numpy as np


def fit(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    return grad.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


class Tensor:
    __array_priority__ = 100

    def __init__(self, data, parents=(), push=lambda g: None):
        self.data, self.parents, self.push = np.asarray(data), parents, push
        self.grad = np.zeros_like(self.data, dtype=float)

    def take(self, grad):
        self.grad = self.grad + fit(grad, self.data.shape)

    def __add__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        return Tensor(self.data + other.data, (self, other), lambda g: (self.take(g), other.take(g)))

    def __mul__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        push = lambda g: (self.take(g * other.data), other.take(g * self.data))
        return Tensor(self.data * other.data, (self, other), push)

    def __matmul__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        push = lambda g: (self.take(g @ other.data.T), other.take(self.data.T @ g))
        return Tensor(self.data @ other.data, (self, other), push)

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rmatmul__(self, other):
        return Tensor(other) @ self

    def sum(self, axis=None, keepdims=False):
        def push(g):
            g = g if axis is None or keepdims else np.expand_dims(g, axis)
            self.take(g * np.ones_like(self.data))

        return Tensor(self.data.sum(axis=axis, keepdims=keepdims), (self,), push)

    def mean(self, axis=None, keepdims=False):
        count = self.data.size if axis is None else self.data.shape[axis]
        return self.sum(axis, keepdims) * (1 / count)
"""
    + WALK
)
