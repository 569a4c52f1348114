"""The fully connected layer (book, section 5.6), Flatten, and LeNet-5's distance layer."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scratchcnn.fast import dense
from scratchcnn.layers.base import Layer, param


class Affine(Layer):
    """(N, ...) -> (N, out): `x.reshape(N, -1) @ W + b`; `torch.nn.Linear` with its weight transposed.

    W (in, out) as in the book (PyTorch keeps (out, in)), b (out,) or None. An input with more than
    two axes is flattened behind the first, and dx comes back in its shape, as in the book.
    """

    W, b = param("params", "W"), param("params", "b")
    dW, db = param("grads", "W"), param("grads", "b")
    has_fast = True

    def __init__(self, W: NDArray, b: NDArray | None = None):
        if np.ndim(W) != 2:
            raise ValueError(f"Affine: expected W of shape (in, out), got {np.shape(W)}")
        if b is not None and np.shape(b) != (W.shape[1],):
            raise ValueError(f"Affine: expected b of shape (out,) = ({W.shape[1]},), got {np.shape(b)}")
        super().__init__({"W": W} if b is None else {"W": W, "b": b})

    def forward(self, x: NDArray) -> NDArray:
        x = self.check_input(x, like=self.W)
        size = math.prod(x.shape[1:])
        if x.ndim < 2 or size != self.W.shape[0]:
            hint = " Is W transposed (PyTorch keeps (out, in))?" if size == self.W.shape[1] else ""
            raise ValueError(
                f"{self.label}: expected {self.W.shape[0]} numbers an image because W is {self.W.shape}; "
                f"got x of shape {x.shape}.{hint}"
            )
        flat = x.reshape(len(x), size)  # (N, ...) -> (N, in)
        self.remember(x.shape, flat.copy("K"))
        if self.is_fast():
            return dense.forward(flat, self.W, self.b)
        out = flat @ self.W
        return out if self.b is None else out + self.b

    def backward(self, dout: NDArray) -> NDArray:
        """dW = x^T @ dout,  db = sum of dout over N,  dx = dout @ W^T."""
        x_shape, x = self.recall()
        dout = self.check_dout(dout, (len(x), self.W.shape[1]))
        if self.b is not None:
            self.grads["b"] = dout.sum(axis=0)
        if self.is_fast():
            self.grads.pop("W", None)
            dx, self.grads["W"] = dense.backward(dout, x, self.W)
            return dx.reshape(x_shape)
        self.grads["W"] = x.T @ dout
        return (dout @ self.W.T).reshape(x_shape)

    def arguments(self) -> str:
        return f"{self.W.shape[0]}, {self.W.shape[1]}" + (", b=None" if self.b is None else "")


class Flatten(Layer):
    """(N, C, H, W) -> (N, C*H*W); `torch.nn.Flatten()`."""

    by_image = True

    def forward(self, x: NDArray) -> NDArray:
        x = self.check_input(x)
        if x.ndim < 2:
            raise ValueError(f"{self.label}: expected x of shape (N, ...), got {x.shape}")
        self.remember(x.shape)
        return self.owned(x.reshape(len(x), math.prod(x.shape[1:])))

    def backward(self, dout: NDArray) -> NDArray:
        (x_shape,) = self.recall()
        return self.owned(self.check_dout(dout, (x_shape[0], math.prod(x_shape[1:]))).reshape(x_shape))


class RBF(Layer):
    """LeNet-5's output: (N, in) -> (N, out), the squared distance to each class's code.

        out[n, i] = sum over j of (x[n, j] - W[i, j])**2          (LeCun et al. 1998, eq. 7)

    W (out, in) is fixed, not trained: it is a buffer.
    """

    W = param("buffers", "W")

    def __init__(self, W: NDArray):
        if np.ndim(W) != 2:
            raise ValueError(f"RBF: expected W of shape (out, in), got {np.shape(W)}")
        super().__init__(buffers={"W": W})

    def forward(self, x: NDArray) -> NDArray:
        x = self.check_input(x, like=self.W)
        if x.ndim != 2 or x.shape[1] != self.W.shape[1]:
            raise ValueError(
                f"{self.label}: expected x of shape (N, {self.W.shape[1]}) because W is {self.W.shape}; "
                f"got {x.shape}"
            )
        difference = x[:, None, :] - self.W  # (N, out, in)
        self.remember(difference)
        return (difference**2).sum(axis=2)

    def backward(self, dout: NDArray) -> NDArray:
        """dx = sum over i of 2 * dout_i * (x - W_i)."""
        (difference,) = self.recall()
        dout = self.check_dout(dout, difference.shape[:2])
        return 2 * (dout[:, :, None] * difference).sum(axis=1)

    def arguments(self) -> str:
        return f"{self.W.shape[1]}, {self.W.shape[0]}"
