import numpy as np

from scratchcnn import im2col


class Convolution:
    """W (FN, C, FH, FW), b (FN,)."""

    def __init__(self, W, b, stride=1, pad=0):
        self.W, self.b, self.stride, self.pad = W, b, stride, pad

    def forward(self, x):
        """(N, C, H, W) -> (N, FN, OH, OW)."""
        FN, C, FH, FW = self.W.shape
        N, C, H, W = x.shape
        OH = (H + 2 * self.pad - FH) // self.stride + 1
        OW = (W + 2 * self.pad - FW) // self.stride + 1
        col = im2col(x, FH, FW, self.stride, self.pad)  # (N*OH*OW, C*FH*FW)
        #<gap product
        out = col @ self.W.reshape(FN, -1).T + self.b
        #>
        #<gap arrange
        return out.reshape(N, OH, OW, FN).transpose(0, 3, 1, 2)
        #>
