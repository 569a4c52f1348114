"""An engine with layers that hand it tensors with their flag, and functions of tensors that name NumPy."""

import numpy as np


class Tensor:
    def __init__(self, data, autograd=False, parents=(), back=None):
        self.data, self.autograd, self.grad = np.array(data), autograd, None
        self.parents, self.back = parents, back

    def of(self, data, parents, back):
        return Tensor(data, any(p.autograd for p in parents), parents, back)

    def __add__(self, other):
        return self.of(self.data + other.data, (self, other), lambda g: (g, g))

    def __mul__(self, other):
        back = lambda g: (g * other.data, g * self.data)  # noqa: E731
        return self.of(self.data * other.data, (self, other), back)

    def tanh(self):
        return tanh(self)

    def backward(self, grad=None):
        grad = Tensor(np.ones_like(self.data)) if grad is None else grad
        assert not grad.autograd
        if self.autograd:
            self.grad = grad if self.grad is None else Tensor(self.grad.data + grad.data)
        for parent, g in zip(self.parents, self.back(grad.data) if self.back else (), strict=False):
            parent.backward(Tensor(g))


def tanh(tensor: Tensor) -> Tensor:
    y = np.tanh(tensor.data)
    return tensor.of(y, (tensor,), lambda g: (g * (1 - y**2),))


def sigmoid(tensor: Tensor) -> Tensor:
    y = 0.5 + 0.5 * np.tanh(0.5 * tensor.data)
    return tensor.of(y, (tensor,), lambda g: (g * y,))


class Tanh:
    def forward(self, input):
        return input.tanh()
