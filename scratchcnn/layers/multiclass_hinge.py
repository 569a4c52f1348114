"""The loss of a support vector machine for several classes, as cs231n has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn.layers.basic import Loss
from scratchcnn.typing import Array


class MultiClassHingeLoss(Loss):
    """max(0, x[n, c] - x[n, t[n]] + 1) summed over the wrong classes c, mean over N.

    cs231n's `svm_loss` (Weston and Watkins 1999); C times `torch.nn.MultiMarginLoss()`, which divides by C
    as well.

    x (N, C) scores; t (N,) integer labels, or (N, C) one-hot. At a margin of exactly 0 the slope is 0.
    """

    def forward(self, x: Array, t: Any) -> Any:  # type: ignore[override]
        x, t = self.check(x, t)
        t = t if t.ndim == 1 else t.argmax(axis=1)
        rows = np.arange(len(x))
        margins = np.maximum(0, x - x[rows, t][:, None] + 1)
        margins[rows, t] = 0
        self.remember(margins > 0, t.copy(), x.dtype)
        return margins.sum() / x.dtype.type(len(x))

    def backward(self, dout: Any = 1) -> Array:
        """dx = dout / N for each wrong class within the margin, and minus their number for the right one."""
        within, t, dtype = self.recall()
        dx: Array = within.astype(dtype)
        dx[np.arange(len(dx)), t] = -within.sum(axis=1)
        dx *= dtype.type(dout) / dtype.type(len(dx))
        return dx
