"""Affine on the last axis of several, as PyTorch has it; the book's Affine flattens each image instead."""

from __future__ import annotations

from scratchcnn.layers.base import Layer, grad, param
from scratchcnn.typing import Array


class Linear(Layer):
    """(..., in) -> (..., out): `x @ W + b`; `torch.nn.Linear` with its weight transposed.

    W (in, out) as in Affine (PyTorch keeps (out, in)), b (out,) or None. Every row of the last axis is
    multiplied for itself: x (N, T, in) gives (N, T, out), where Affine would want W of (T * in, out).

    Raises ValueError when W, b and x do not fit, TypeError for integers or mixed dtypes.
    """

    W, b = param(), param()
    dW, db = grad("W"), grad("b")

    def __init__(self, W: Array, b: Array | None = None):
        super().__init__({"W": W, "b": b})
        if W.ndim != 2:
            raise ValueError(f"Linear: expected W of shape (in, out), got {W.shape}")
        if b is not None and b.shape != (W.shape[1],):
            raise ValueError(f"Linear: expected b of shape (out,) = ({W.shape[1]},), got {b.shape}")

    def forward(self, x: Array) -> Array:
        x = self.check_input(x, like=self.W)
        size, outputs = self.W.shape
        if x.ndim < 1 or x.shape[-1] != size:
            raise ValueError(
                f"{self.label}: expected x of shape (..., {size}) because W is {self.W.shape}; got {x.shape}"
            )
        rows = x.reshape(-1, size)  # (..., in) -> (M, in)
        self.remember(x.shape, rows.copy())
        out: Array = rows @ self.W
        if self.b is not None:
            out += self.b
        return out.reshape(*x.shape[:-1], outputs)

    def backward(self, dout: Array) -> Array:
        """dW = x^T @ dout,  db = sum of dout,  dx = dout @ W^T, each over all axes but the last."""
        x_shape, rows = self.recall()
        outputs = self.W.shape[1]
        dout = self.check_dout(dout, (*x_shape[:-1], outputs)).reshape(-1, outputs)
        self.grads["W"] = rows.T @ dout
        if self.b is not None:
            self.grads["b"] = dout.sum(axis=0)
        dx: Array = dout @ self.W.T
        return dx.reshape(x_shape)

    def arguments(self) -> str:
        return f"{self.W.shape[0]}, {self.W.shape[1]}" + (", b=None" if self.b is None else "")
