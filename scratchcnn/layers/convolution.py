"""Convolution by im2col and one matrix product (book, section 7.4.3)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from scratchcnn.fast import accelerated
from scratchcnn.im2col import OnRemainder, Pair, col2im, im2col, output_size, pair
from scratchcnn.layers.base import Layer, grad, param
from scratchcnn.typing import Array


@accelerated
class Convolution(Layer):
    """(N, C, H, W) -> (N, FN, OH, OW): the book's layer; `torch.nn.Conv2d` (a cross-correlation).

        out[n, f, oh, ow] =
            b[f] + sum over c, i, j of  W[f, c, i, j] * x[n, c, oh*sh + i*dh - ph, ow*sw + j*dw - pw]

    W (FN, C // groups, FH, FW), b (FN,) or None. `stride`, `pad` and `dilation` are ints or
    (height, width) pairs. With `groups`, output channel f sees only the input channels of its group.
    After `backward`, `dW` and `db` (also in `grads`) hold the gradients.

    Raises ValueError when W, b, groups and x do not fit, TypeError for integers or mixed dtypes.
    """

    W, b = param(), param()
    dW, db = grad("W"), grad("b")

    def __init__(
        self,
        W: Array,
        b: Array | None = None,
        stride: Pair = 1,
        pad: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        on_remainder: OnRemainder = "floor",
    ):
        super().__init__({"W": W, "b": b})
        if W.ndim != 4 or not W.size:
            raise ValueError(
                f"{self.kind}: expected W of shape (FN, C // groups, FH, FW), each at least 1; got {W.shape}"
            )
        if groups < 1 or W.shape[0] % groups:
            raise ValueError(f"Convolution: FN (={W.shape[0]}) must be divisible by groups (={groups})")
        if b is not None and b.shape != (W.shape[0],):
            raise ValueError(f"Convolution: expected b of shape (FN,) = ({W.shape[0]},), got {b.shape}")
        self.stride, self.pad = pair(stride, "stride", 1), pair(pad, "pad", 0)
        self.dilation, self.groups, self.on_remainder = pair(dilation, "dilation", 1), groups, on_remainder

    def forward(self, x: Array) -> Array:
        x = self.check_input(x, like=self.W)
        N, FN, OH, OW = self._output_shape(x.shape)
        _, _, FH, FW = self.W.shape

        col = im2col(x, FH, FW, self.stride, self.pad, self.dilation)  # (N*OH*OW, C*FH*FW)
        out = np.empty((N * OH * OW, FN), dtype=x.dtype)
        for rows, columns in self._groups():
            out[:, rows] = col[:, columns] @ self.W[rows].reshape(len(self.W[rows]), -1).T
        if self.b is not None:
            out += self.b
        self.remember(x.shape, col)
        # (N*OH*OW, FN) -> (N, OH, OW, FN) -> (N, FN, OH, OW)
        return out.reshape(N, OH, OW, FN).transpose(0, 3, 1, 2)

    def backward(self, dout: Array) -> Array:
        """dW = dout^T @ col,  db = sum of dout over N, OH, OW,  dx = col2im(dout @ W)."""
        x_shape, col = self.recall()
        FN, _, FH, FW = self.W.shape
        dout = self.check_dout(dout, self._output_shape(x_shape))

        dout = dout.transpose(0, 2, 3, 1).reshape(-1, FN)  # (N, FN, OH, OW) -> (N*OH*OW, FN)
        dW, dcol = np.empty_like(self.W), np.empty_like(col)
        for rows, columns in self._groups():
            dW[rows] = (dout[:, rows].T @ col[:, columns]).reshape(self.W[rows].shape)
            dcol[:, columns] = dout[:, rows] @ self.W[rows].reshape(len(self.W[rows]), -1)
        self.grads["W"] = dW
        if self.b is not None:
            self.grads["b"] = dout.sum(axis=0)
        return col2im(dcol, x_shape, FH, FW, self.stride, self.pad, self.dilation)

    def _groups(self) -> Iterable[tuple[slice, slice]]:
        """For each group its filters (rows of W) and its part of col's columns."""
        FN, Cg, FH, FW = self.W.shape
        f, k = FN // self.groups, Cg * FH * FW
        for g in range(self.groups):
            yield slice(g * f, (g + 1) * f), slice(g * k, (g + 1) * k)

    def _output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        FN, Cg, FH, FW = self.W.shape
        if len(x_shape) != 4 or x_shape[1] != Cg * self.groups:
            raise ValueError(self._other_channels(x_shape))
        N, _, H, W = x_shape
        (sh, sw), (ph, pw), (dh, dw) = self.stride, self.pad, self.dilation
        try:
            OH = output_size(H, FH, sh, ph, dh, on_remainder=self.on_remainder)
            OW = output_size(W, FW, sw, pw, dw, on_remainder=self.on_remainder)
        except ValueError as error:
            raise type(error)(f"{self.label}: {error}") from None
        return N, FN, OH, OW

    def _other_channels(self, x_shape: tuple[int, ...]) -> str:
        C = self.W.shape[1] * self.groups
        why = f"W is {self.W.shape}" + (f" and groups is {self.groups}" if self.groups > 1 else "")
        hint = " Is it (N, H, W, C)?" if len(x_shape) == 4 and x_shape[3] == C else ""
        return f"{self.label}: expected x of shape (N, {C}, H, W) because {why}; got {x_shape}.{hint}"

    def arguments(self) -> str:
        FN, Cg, FH, FW = self.W.shape
        text = f"{Cg * self.groups}, {FN}, filter={FH}x{FW}"
        text += f", stride={_short(self.stride)}, pad={_short(self.pad)}"
        text += f", dilation={_short(self.dilation)}" if self.dilation != (1, 1) else ""
        text += f", groups={self.groups}" if self.groups > 1 else ""
        return text + (", b=None" if self.b is None else "")


def _short(value: tuple[int, int]) -> str:
    return str(value[0]) if value[0] == value[1] else str(value)
