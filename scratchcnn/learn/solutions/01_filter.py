import numpy as np


def apply_filter(x, w):
    """x (H, W) and w (FH, FW) -> out (H - FH + 1, W - FW + 1)."""
    H, W = x.shape
    FH, FW = w.shape
    out = np.zeros((H - FH + 1, W - FW + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            #<gap cell
            out[i, j] = np.sum(x[i:i + FH, j:j + FW] * w)
            #>
    return out
