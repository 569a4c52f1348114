"""The forms in which labels are given, for those who count them; the losses have the same rules."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn.arrays import unmasked
from scratchcnn.finite import is_finite
from scratchcnn.typing import Array

MAX_SUM_ERROR = 1e-2  # of a row of shares, which float16 rounds


def class_numbers(t: Any, classes: int, name: str = "t") -> Array:
    """The class of each image as (N,): t is (N,), the book's column (N, 1), or one-hot rows (N, classes).

    Raises TypeError for labels that are not integers and for masked arrays, ValueError for other shapes, for
    labels outside of 0..classes-1 and for rows that do not sum to 1; the error names `name`.
    """
    t = unmasked(t, name)
    if t.ndim == 2 and t.shape[1] == classes > 1 and t.dtype.kind in "fiub":
        if not is_finite(t):
            raise ValueError(f"{name}: the labels hold NaN or infinity")
        wrong = np.flatnonzero(abs(t.sum(axis=1) - 1) > MAX_SUM_ERROR)
        if len(wrong):
            raise ValueError(
                f"{name}: one-hot rows must sum to 1, row {wrong[0]} sums to {t[wrong[0]].sum():g}"
            )
        return np.asarray(t.argmax(axis=1))
    if t.ndim != 1 and t.shape[1:] != (1,):
        raise ValueError(f"{name}: expected labels (N,) or one-hot (N, {classes}), got {t.shape}")
    if t.dtype.kind not in "iu":
        raise TypeError(f"{name}: labels must be integers, got {t.dtype}{how_to_number(t)}")
    if t.size and not 0 <= t.min() <= t.max() < classes:
        raise ValueError(
            f"{name}: labels must lie in 0..{classes - 1}, got {t.min()}..{t.max()}{one_too_high(t, classes)}"
        )
    return np.asarray(t.reshape(-1))


def how_to_number(t: Array) -> str:
    """How labels that are not integers become such, appended to an error; empty where it is unknown."""
    if t.dtype.kind in "fb" and is_finite(t):
        return "; did you mean t.astype(int)?"
    if t.dtype.kind == "f":
        return ", among them NaN or infinity"
    if t.dtype.kind in "USO":
        return "; np.unique(t, return_inverse=True)[1] numbers the classes"
    return ""


def one_too_high(t: Array, classes: int) -> str:
    """The mend for labels of 1..classes, appended to an error."""
    return "; did you mean t - 1?" if t.min() == 1 and t.max() == classes else ""
