"""What may be passed as an array, and what as a whole number."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from scratchcnn.typing import Array


def require_array(array: Any, name: str) -> Array:
    """Return the array; raises TypeError, with the mend, for a list, a tensor or anything else."""
    if isinstance(array, np.ndarray):
        return array
    if isinstance(array, (list, tuple, int, float)):
        mend = "np.array(...) makes one"
    else:
        mend = "a tensor has .numpy()" if hasattr(array, "numpy") else "np.asarray(...) may make one"
    raise TypeError(f"{name} must be a NumPy array, got {type(array).__name__}; {mend}")


def unmasked(array: Any, name: str) -> Array:
    """`np.asarray(array)`; raises TypeError for a masked array, whose mask that would drop."""
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, whose mask would be lost; fill its gaps first: .filled(0)"
        )
    return np.asarray(array)


def at_least(least: int, value: Any, name: str) -> int:
    """The value as an int. Raises TypeError if it is no whole number, ValueError if it is below `least`."""
    try:
        whole = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, got {value!r}") from None
    if whole < least:
        raise ValueError(f"{name} must be at least {least}, got {whole}")
    return whole
