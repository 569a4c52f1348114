import numpy as np


def allowed(a, b):
    """How far rounding alone may move each number of a @ b in float32: sqrt(K) * u * (|a| @ |b|)."""
    K = a.shape[1]
    u = 2.0 ** -24  # half the distance from 1 to the next float32
    #<gap bound
    return np.sqrt(K) * u * (np.abs(a) @ np.abs(b))
    #>


def is_bug(found, a, b, factor=8):
    """Whether a float32 result of a @ b is wrong by more than rounding can be."""
    exact = a.astype(np.float64) @ b.astype(np.float64)
    #<gap verdict
    return not (np.abs(found - exact) <= factor * allowed(a, b)).all()
    #>
