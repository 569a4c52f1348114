"""A small autograd engine and layers on it."""

import numpy as np


def _summed(grad, shape):
    """A gradient brought back to the shape that was broadcast."""
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1 and grad.shape[axis] != 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


class Tensor:
    def __init__(self, data, parents=()):
        self.data, self.grad = np.asarray(data), None
        self._parents, self._backward = parents, lambda grad: ()

    def _give(self, grad):
        self.grad = grad if self.grad is None else self.grad + grad

    def __add__(self, other):
        out = Tensor(self.data + other.data, (self, other))
        out._backward = lambda g: (_summed(g, self.data.shape), _summed(g, other.data.shape))
        return out

    def __mul__(self, other):
        out = Tensor(self.data * other.data, (self, other))
        out._backward = lambda g: (
            _summed(g * other.data, self.data.shape),
            _summed(g * self.data, other.data.shape),
        )
        return out

    def __matmul__(self, other):
        out = Tensor(self.data @ other.data, (self, other))
        out._backward = lambda g: (g @ other.data.T, self.data.T @ g)
        return out

    def sum(self):
        out = Tensor(self.data.sum(), (self,))
        out._backward = lambda g: (np.broadcast_to(g, self.data.shape),)
        return out

    def relu(self):
        out = Tensor(np.maximum(self.data, 0), (self,))
        out._backward = lambda g: (g * (self.data > 0),)
        return out

    def backward(self):
        order, seen = [], set()

        def visit(t):
            if id(t) not in seen:
                seen.add(id(t))
                for parent in t._parents:
                    visit(parent)
                order.append(t)

        visit(self)
        self.grad = np.ones_like(self.data)
        for t in reversed(order):
            for parent, grad in zip(t._parents, t._backward(t.grad), strict=False):
                parent._give(grad)


class Linear:
    def __init__(self, nin, nout):
        self.w, self.b = Tensor(np.zeros((nin, nout))), Tensor(np.zeros(nout))

    def __call__(self, x):
        return x @ self.w + self.b

    def parameters(self):
        return [self.w, self.b]


class LinearWrong(Linear):
    """The bias counts twice."""

    def __call__(self, x):
        return x @ self.w + self.b + self.b


class ReLU:
    def __call__(self, x):
        return x.relu()
