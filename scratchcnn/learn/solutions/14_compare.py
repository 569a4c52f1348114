import numpy as np


def same(ours, theirs, rtol=1e-9):
    """Whether two arrays are equal up to rtol times the largest number of theirs."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    #<gap shape
    if ours.shape != theirs.shape:
        return False
    #>
    #<gap finite
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return False
    #>
    #<gap close
    return bool(np.abs(ours - theirs).max() <= rtol * np.abs(theirs).max())
    #>
