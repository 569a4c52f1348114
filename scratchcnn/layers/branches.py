"""Layers side by side, and around a shortcut: what GoogLeNet and ResNet are made of (book, section 8.2)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scratchcnn.layers.base import Container, Layer
from scratchcnn.typing import Array


class Concat(Container):
    """Branches over the same input, joined along the channels: (N, C, H, W) -> (N, sum of C_i, H, W).

    GoogLeNet's inception module: `Concat({"branch1": ..., "branch2": ...})`. dx is the branches' sum.
    """

    def __init__(self, branches: Mapping[str, Layer]):
        if not branches:
            raise ValueError("Concat: expected at least one branch, got none")
        super().__init__(branches)

    def forward(self, x: Array) -> Array:
        outs = [layer.forward(x) for layer in self._children.values()]
        for key, out in zip(self._children, outs, strict=True):
            if out.shape[:1] + out.shape[2:] != outs[0].shape[:1] + outs[0].shape[2:]:
                raise ValueError(
                    f"{self.label}: branches must agree in all but the channels; the first gives "
                    f"{outs[0].shape}, {key} gives {out.shape}"
                )
        self.remember([out.shape[1] for out in outs])
        return np.concatenate(outs, axis=1)

    def backward(self, dout: Array) -> Array:
        (channels,) = self.recall()
        if dout.shape[1] != sum(channels):
            raise ValueError(f"{self.label}: expected dout with {sum(channels)} channels, got {dout.shape}")
        parts = np.split(dout, np.cumsum(channels)[:-1], axis=1)
        dxs = [layer.backward(part) for layer, part in zip(self._children.values(), parts, strict=True)]
        dx = dxs[0].copy()
        for other in dxs[1:]:
            dx += other
        return dx


class Residual(Container):
    """body(x) + shortcut(x), the shortcut the identity unless a layer is given (He et al. 2015, eq. 1)."""

    def __init__(self, body: Layer, shortcut: Layer | None = None):
        super().__init__({"body": body} if shortcut is None else {"body": body, "shortcut": shortcut})

    def forward(self, x: Array) -> Array:
        out = self["body"].forward(x)
        side = self["shortcut"].forward(x) if "shortcut" in self else x
        if out.shape != side.shape:
            raise ValueError(
                f"{self.label}: body gives {out.shape}, the shortcut {side.shape}; "
                "a shortcut layer must match them"
            )
        return out + side

    def backward(self, dout: Array) -> Array:
        """dx = body's dx + shortcut's dx: the gradient takes both ways."""
        side = self["shortcut"].backward(dout) if "shortcut" in self else dout
        return self["body"].backward(dout) + side
