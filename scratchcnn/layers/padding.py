"""Padding as a layer of its own: unequal sides, and borders that are not zeros; the book has neither."""

from __future__ import annotations

from typing import Literal

import numpy as np

from scratchcnn.im2col import Pair, pair
from scratchcnn.layers.base import Layer
from scratchcnn.typing import Array

PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
MODES = ("zeros", "reflect", "replicate", "circular")
Sides = Pair | tuple[Pair, Pair]


class Pad(Layer):
    """(N, C, H, W) -> (N, C, top + H + bottom, left + W + right): `torch.nn.functional.pad`.

    pad   an int for all sides, a (height, width) pair, or ((top, bottom), (left, right))
    mode  what the border holds, by the names of `torch.nn.Conv2d(padding_mode=...)`:
          zeros      0 0 | a b c d | 0 0
          reflect    c b | a b c d | c b      fewer pixels than the image has
          replicate  a a | a b c d | d d
          circular   c d | a b c d | a b      at most as many pixels as the image has

    In front of a convolution without padding it is that convolution's `padding_mode`:

        Sequential(Pad.same(3, 3, mode="reflect"), Convolution(W, b))

    Raises ValueError for another mode and for an image that is too small for its border.
    """

    def __init__(self, pad: Sides, mode: PaddingMode = "zeros"):
        super().__init__()
        if mode not in MODES:
            raise ValueError(f"Pad: mode must be one of {', '.join(MODES)}; got {mode!r}")
        height, width = pad if isinstance(pad, (tuple, list)) and len(pad) == 2 else (pad, pad)
        self.pad = pair(height, "pad", 0), pair(width, "pad", 0)
        self.mode = mode

    @classmethod
    def same(cls, filter_h: int, filter_w: int, dilation: Pair = 1, mode: PaddingMode = "zeros") -> Pad:
        """The border with which a convolution of stride 1 keeps the size of its image.

        It has dilation * (filter - 1) pixels along each axis. Where that is odd, the one over is at the
        bottom or right, as with PyTorch's `padding="same"`.
        """
        dh, dw = pair(dilation, "dilation", 1)
        height, width = dh * (filter_h - 1), dw * (filter_w - 1)
        return cls(((height // 2, height - height // 2), (width // 2, width - width // 2)), mode)

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        if x.ndim != 4:
            raise ValueError(f"{self.label}: expected x of shape (N, C, H, W), got {x.shape}")
        self.remember(x.shape)
        if self.mode == "zeros":
            return np.pad(x, ((0, 0), (0, 0), *self.pad))
        rows, columns = self._sources(x.shape)
        return x[:, :, rows[:, None], columns]

    def backward(self, dout: Array) -> Array:
        """dx[h, w] = the sum of dout over all places to which x[h, w] was copied."""
        (x_shape,) = self.recall()
        (N, C, H, W), ((top, bottom), (left, right)) = x_shape, self.pad
        dout = self.check_dout(dout, (N, C, top + H + bottom, left + W + right))
        if self.mode == "zeros":
            return dout[:, :, top : top + H, left : left + W].copy()
        rows, columns = self._sources(x_shape)
        across = np.zeros((N, C, H, dout.shape[3]), dtype=dout.dtype)
        for at, row in enumerate(rows):
            across[:, :, row] += dout[:, :, at]
        dx = np.zeros(x_shape, dtype=dout.dtype)
        for at, column in enumerate(columns):
            dx[:, :, :, column] += across[:, :, :, at]
        return dx

    def _sources(self, x_shape: tuple[int, ...]) -> tuple[Array, Array]:
        """The row and the column of x that each row and each column of out is copied from."""
        found = []
        for size, (before, after) in zip(x_shape[2:], self.pad, strict=True):
            most = {"reflect": size - 1, "circular": size}.get(self.mode, before + after)
            if not size or max(before, after) > most:
                raise ValueError(
                    f"{self.label}: a {self.mode} border of {max(before, after)} pixels needs an image of at "
                    f"least {max(before, after) + (self.mode == 'reflect')}, got x of shape {x_shape}"
                )
            at = np.arange(-before, size + after)
            if self.mode == "reflect":
                at = size - 1 - np.abs(size - 1 - np.abs(at))  # -1 -> 1, and size -> size - 2
            found.append(at % size if self.mode == "circular" else at.clip(0, size - 1))
        return found[0], found[1]

    def arguments(self) -> str:
        return f"{self.pad}, mode={self.mode!r}"
