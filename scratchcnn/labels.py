"""The forms in which labels are given, for those who count them; the losses have the same rules."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn.typing import Array


def class_numbers(t: Any, classes: int, name: str = "t") -> Array:
    """The class of each image as (N,): t is (N,), the book's column (N, 1), or one-hot rows (N, classes).

    Raises TypeError for labels that are not integers, ValueError for other shapes and for labels outside of
    0..classes-1; the error names `name`.
    """
    t = np.asarray(t)
    if t.ndim == 2 and t.shape[1] == classes > 1:
        return np.asarray(t.argmax(axis=1))
    if t.ndim != 1 and t.shape[1:] != (1,):
        raise ValueError(f"{name}: expected labels (N,) or one-hot (N, {classes}), got {t.shape}")
    if t.dtype.kind not in "iu":
        hint = "; did you mean t.astype(int)?" if t.dtype.kind == "f" else ""
        raise TypeError(f"{name}: labels must be integers, got {t.dtype}{hint}")
    if t.size and not 0 <= t.min() <= t.max() < classes:
        raise ValueError(f"{name}: labels must lie in 0..{classes - 1}, got {t.min()}..{t.max()}")
    return np.asarray(t.reshape(-1))
