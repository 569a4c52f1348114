"""What may be passed as an array: a NumPy array, whose dtype says what is computed in."""

from __future__ import annotations

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
