"""Dropout (book, section 6.4.3), inverted."""

from __future__ import annotations

import numpy as np

from scratchcnn.fast import accelerated
from scratchcnn.layers.base import Layer
from scratchcnn.typing import Array


@accelerated
class Dropout(Layer):
    """Any shape -> the same: in training each value is dropped with probability `dropout_ratio`.

        out = x * mask / (1 - dropout_ratio)        mask True = kept

    Inverted, as `torch.nn.Dropout`: the mean stays that of x in training, and inference is the
    identity. (The book scales at test time instead, so its training mean falls by the ratio.)
    `mask` holds the last mask. `inject(mask)` makes the layer use a given mask until `inject(None)`;
    that is how two frameworks are run with the same one.
    """

    def __init__(self, dropout_ratio: float = 0.5, rng: np.random.Generator | int | None = None):
        super().__init__()
        if isinstance(dropout_ratio, str) or not 0 <= dropout_ratio <= 1:
            raise ValueError(f"Dropout: dropout_ratio must lie in [0, 1], got {dropout_ratio!r}")
        self.dropout_ratio = float(dropout_ratio)
        self.rng = np.random.default_rng(rng)
        self.mask: Array | None = None
        self._injected: Array | None = None

    def inject(self, mask: Array | None) -> None:
        """Use this mask (True = kept) in every training forward from now on; None: draw again."""
        self._injected = None if mask is None else np.array(mask, dtype=bool)

    def forward(self, x: Array, train_flg: bool | None = None) -> Array:
        """`train_flg`, the book's argument, overrides the layer's own train/eval switch for this call."""
        x = self.check_input(x)
        if not (self.training if train_flg is None else train_flg):
            self.remember(None, x.shape)
            return x.copy()
        if self._injected is None:
            self.mask = self.rng.random(x.shape, dtype=np.float32) >= self.dropout_ratio
        elif self._injected.shape != x.shape:
            raise ValueError(f"{self.label}: the injected mask is {self._injected.shape}, x is {x.shape}")
        else:
            self.mask = self._injected
        self.remember(self.mask.copy(), x.shape)
        return self._drop(x, self.mask)

    def backward(self, dout: Array) -> Array:
        """dx = dout * mask / (1 - dropout_ratio), with the mask of the last forward."""
        mask, shape = self.recall()
        dout = self.check_dout(dout, shape)
        return dout.copy() if mask is None else self._drop(dout, mask)

    def _drop(self, a: Array, mask: Array) -> Array:
        keep = 1 - self.dropout_ratio
        return np.where(mask, a / keep if keep else a, a.dtype.type(0))

    def arguments(self) -> str:
        return f"{self.dropout_ratio:g}"
