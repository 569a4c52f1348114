import numpy as np

from scratchcnn import col2im, im2col


class Convolution:
    """W (FN, C, FH, FW), b (FN,)."""

    def __init__(self, W, b, stride=1, pad=0):
        self.W, self.b, self.stride, self.pad = W, b, stride, pad
        self.dW = self.db = None

    def forward(self, x):
        FN, C, FH, FW = self.W.shape
        N, C, H, W = x.shape
        OH = (H + 2 * self.pad - FH) // self.stride + 1
        OW = (W + 2 * self.pad - FW) // self.stride + 1
        self.x_shape = x.shape
        self.col = im2col(x, FH, FW, self.stride, self.pad)
        out = self.col @ self.W.reshape(FN, -1).T + self.b
        return out.reshape(N, OH, OW, FN).transpose(0, 3, 1, 2)

    def backward(self, dout):
        """dout (N, FN, OH, OW) -> dx (N, C, H, W); dW and db are kept."""
        FN, C, FH, FW = self.W.shape
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, FN)  # (N*OH*OW, FN)
        #<gap db
        self.db = np.sum(dout, axis=0)
        #>
        #<gap dW
        self.dW = (self.col.T @ dout).T.reshape(FN, C, FH, FW)
        #>
        #<gap dx
        dcol = dout @ self.W.reshape(FN, -1)
        #>
        return col2im(dcol, self.x_shape, FH, FW, self.stride, self.pad)
