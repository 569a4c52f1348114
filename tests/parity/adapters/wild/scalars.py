"""An autograd engine of single numbers, whose activations are methods."""

import math


class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents
        self.push = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def push():
            self.grad += out.grad
            other.grad += out.grad

        out.push = push
        return out

    def _of(self, data, slope):
        out = Value(data, (self,))

        def push():
            self.grad += slope * out.grad

        out.push = push
        return out

    def relu(self):
        return self._of(max(self.data, 0.0), float(self.data > 0))

    def tanh(self):
        y = math.tanh(self.data)
        return self._of(y, 1 - y**2)

    def sigmoid(self):
        y = 0.5 * (1 + math.tanh(self.data / 2))
        return self._of(y, y)

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node.push()
