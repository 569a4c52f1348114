import numpy as np


def convolve(x, W, b):
    """x (N, C, H, W), W (FN, C, FH, FW), b (FN,) -> out (N, FN, OH, OW), stride 1, no padding."""
    N, C, H, width = x.shape
    FN, C, FH, FW = W.shape
    OH, OW = H - FH + 1, width - FW + 1
    out = np.zeros((N, FN, OH, OW))
    for i in range(OH):
        for j in range(OW):
            window = x[:, :, i:i + FH, j:j + FW]  # (N, C, FH, FW)
            for f in range(FN):
                #<gap sum
                out[:, f, i, j] = np.sum(window * W[f], axis=(1, 2, 3)) + b[f]
                #>
    return out
