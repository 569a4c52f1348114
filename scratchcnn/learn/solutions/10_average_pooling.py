import numpy as np

from scratchcnn import col2im, im2col


class AveragePooling:
    """The mean of each window, as between LeNet's layers."""

    def __init__(self, pool_h, pool_w, stride=1, pad=0):
        self.pool_h, self.pool_w, self.stride, self.pad = pool_h, pool_w, stride, pad

    def forward(self, x):
        N, C, H, W = x.shape
        self.x_shape = x.shape
        OH = (H + 2 * self.pad - self.pool_h) // self.stride + 1
        OW = (W + 2 * self.pad - self.pool_w) // self.stride + 1
        col = im2col(x, self.pool_h, self.pool_w, self.stride, self.pad)
        col = col.reshape(-1, self.pool_h * self.pool_w)
        #<gap mean
        out = col.mean(axis=1)
        #>
        return out.reshape(N, OH, OW, C).transpose(0, 3, 1, 2)

    def backward(self, dout):
        N, C, OH, OW = dout.shape
        size = self.pool_h * self.pool_w
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, 1)  # (N*OH*OW*C, 1)
        #<gap shares
        dcol = np.repeat(dout / size, size, axis=1)
        #>
        dcol = dcol.reshape(N * OH * OW, -1)
        return col2im(dcol, self.x_shape, self.pool_h, self.pool_w, self.stride, self.pad)
