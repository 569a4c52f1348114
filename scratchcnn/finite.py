"""Numbers that are NaN or infinite, and where they come from: nothing right is computed from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchcnn.typing import Array


def is_finite(array: Any) -> bool:
    """Whether none of the numbers is NaN or infinite."""
    array = np.asarray(array)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def not_finite(arrays: Mapping[str, Array]) -> list[str]:
    """The names of the arrays that hold such numbers."""
    return [name for name, array in arrays.items() if not is_finite(array)]


def origin(x: Any, t: Any, params: Mapping[str, Array]) -> str:
    """What holds such numbers: the images, the labels or some of the weights; empty if none of them does."""
    if not is_finite(x):
        return "the images hold NaN or infinity"
    if not is_finite(t):
        return "the labels hold NaN or infinity"
    damaged = not_finite(params)
    return f"the weights hold NaN or infinity in {', '.join(damaged[:3])}" if damaged else ""


def check_scores(scores: Array, x: Any, params: Mapping[str, Array], who: str) -> None:
    """Raises FloatingPointError where scores are NaN, or made of images that are not finite: the largest of
    them means nothing. The error names `who` counts on them."""
    odd = int(np.isnan(scores).any(axis=1).sum())
    if odd or not is_finite(x):
        why = origin(x, (), params) or f"the scores of {odd} of {len(scores)} images are NaN"
        raise FloatingPointError(f"{who}: {why}")
