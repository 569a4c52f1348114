"""The book's common/optimizer.py (section 6.1): our optimizers with the book's names and defaults.

`params` may hold single numbers too, as in the book's ch06/optimizer_compare_naive.py; gradients may have
another floating-point type than the parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import scratchcnn as sc

BOOK_EPS = 1e-7


class _Book:
    """What the book's optimizers take and ours refuse."""

    def update(self, params: Any, grads: Any) -> None:
        """One step: every parameter is changed, arrays in place."""
        arrays = {key: p if isinstance(p, np.ndarray) else np.array(p, float) for key, p in params.items()}
        slopes = {key: np.asarray(grads[key], p.dtype) for key, p in arrays.items()}
        super().update(arrays, slopes)  # type: ignore[misc]
        for key, p in arrays.items():
            if params[key] is not p:
                params[key] = float(p)


class SGD(_Book, sc.SGD):
    def __init__(self, lr: float = 0.01):
        super().__init__(lr)


class Momentum(_Book, sc.Momentum):
    def __init__(self, lr: float = 0.01, momentum: float = 0.9):
        super().__init__(lr, momentum)


class Nesterov(_Book, sc.Nesterov):
    def __init__(self, lr: float = 0.01, momentum: float = 0.9):
        super().__init__(lr, momentum)


class AdaGrad(_Book, sc.AdaGrad):
    def __init__(self, lr: float = 0.01):
        super().__init__(lr, BOOK_EPS)


class RMSprop(_Book, sc.RMSProp):
    def __init__(self, lr: float = 0.01, decay_rate: float = 0.99):
        super().__init__(lr, decay_rate, BOOK_EPS)


class Adam(_Book, sc.Adam):
    def __init__(self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999):
        super().__init__(lr, beta1, beta2, BOOK_EPS)
