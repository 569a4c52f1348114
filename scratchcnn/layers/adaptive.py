"""Pooling to a given output size: adaptive average pooling, and the average over the whole image."""

from __future__ import annotations

import numpy as np

from scratchcnn.im2col import pair
from scratchcnn.layers.base import Layer
from scratchcnn.typing import Array


class AdaptiveAveragePooling(Layer):
    """(N, C, H, W) -> (N, C, out_h, out_w), whatever H and W are; `torch.nn.AdaptiveAvgPool2d`.

    Output row i averages the input rows floor(i * H / out_h) up to, not including,
    ceil((i + 1) * H / out_h); columns likewise. So the windows may differ in size and overlap, and an
    output of the image's own size is the image.
    """

    def __init__(self, out_h: int, out_w: int):
        super().__init__()
        self.out_h, self.out_w = pair((out_h, out_w), "the output size", 1)

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        if x.ndim != 4 or 0 in x.shape[2:]:
            raise ValueError(f"{self.label}: expected x of shape (N, C, H, W), got {x.shape}")
        self.remember(x.shape)
        out = np.empty((*x.shape[:2], self.out_h, self.out_w), dtype=x.dtype)
        for i, rows in enumerate(self._windows(x.shape[2], self.out_h)):
            for j, columns in enumerate(self._windows(x.shape[3], self.out_w)):
                out[:, :, i, j] = x[:, :, rows, columns].mean(axis=(2, 3))
        return out

    def backward(self, dout: Array) -> Array:
        """Every pixel of a window gets dout / (pixels in the window); overlaps add up."""
        (x_shape,) = self.recall()
        dout = self.check_dout(dout, (*x_shape[:2], self.out_h, self.out_w))
        dx = np.zeros(x_shape, dtype=dout.dtype)
        for i, rows in enumerate(self._windows(x_shape[2], self.out_h)):
            for j, columns in enumerate(self._windows(x_shape[3], self.out_w)):
                window = dx[:, :, rows, columns]
                window += (dout[:, :, i, j] / (window.shape[2] * window.shape[3]))[:, :, None, None]
        return dx

    def _windows(self, size: int, count: int) -> list[slice]:
        """Where each of `count` windows over `size` pixels lies."""
        return [slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]

    def arguments(self) -> str:
        return f"{self.out_h}, {self.out_w}"


class GlobalAveragePooling(Layer):
    """(N, C, H, W) -> (N, C), the mean of each channel (Lin, Chen and Yan 2013, section 3.2).

    `torch.nn.AdaptiveAvgPool2d(1)` and `torch.nn.Flatten()` in one.
    """

    def forward(self, x: Array) -> Array:
        x = self.check_input(x)
        if x.ndim != 4 or 0 in x.shape[2:]:
            raise ValueError(f"{self.label}: expected x of shape (N, C, H, W), got {x.shape}")
        self.remember(x.shape)
        out: Array = x.mean(axis=(2, 3))
        return out

    def backward(self, dout: Array) -> Array:
        """dx = dout / (H * W) at every pixel."""
        (x_shape,) = self.recall()
        N, C, H, W = x_shape
        dout = self.check_dout(dout, (N, C))
        return np.broadcast_to((dout / (H * W))[:, :, None, None], x_shape).copy()
