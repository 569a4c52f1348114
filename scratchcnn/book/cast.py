"""float32 images meet float64 weights: one of them has to give way, and that is said once."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from scratchcnn.typing import Array

_said = False


def as_like(x: Any, weights: Array) -> Array:
    """x in the dtype of the weights. The first time that this changes float32 to float64, or the other
    way round, one line on stderr says so."""
    x = _array(x)
    if x.dtype.kind == "f" and x.dtype != weights.dtype:
        _say(x.dtype, weights.dtype)
    cast: Array = np.asarray(x, weights.dtype)
    return cast


def floating(x: Any) -> Array:
    """x as floating-point numbers; integers become float64."""
    x = _array(x)
    return x if x.dtype in (np.float32, np.float64) else np.asarray(x, np.float64)


def _array(x: Any) -> Array:
    array: Array = np.asarray(x)
    return array


def _say(images: Any, weights: Any) -> None:
    global _said
    if _said:
        return
    _said = True
    hint = (
        "; for about twice the speed make the weights float32 too: W.astype(np.float32)"
        if weights == np.float64
        else ""
    )
    print(
        f"scratchcnn.book: the images are {images} and the weights {weights}; the images are converted{hint}",
        file=sys.stderr,
    )
