import numpy as np

from scratchcnn import col2im, im2col


class Pooling:
    """The largest number of each window."""

    def __init__(self, pool_h, pool_w, stride=1, pad=0):
        self.pool_h, self.pool_w, self.stride, self.pad = pool_h, pool_w, stride, pad

    def forward(self, x):
        N, C, H, W = x.shape
        p = self.pad
        framed = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)], constant_values=-np.inf)
        OH = (H + 2 * p - self.pool_h) // self.stride + 1
        OW = (W + 2 * p - self.pool_w) // self.stride + 1
        col = im2col(framed, self.pool_h, self.pool_w, self.stride)
        col = col.reshape(-1, self.pool_h * self.pool_w)  # (N*OH*OW*C, PH*PW): one row per window
        self.framed, self.arg_max = framed.shape, col.argmax(axis=1)
        #<gap largest
        out = col.max(axis=1)
        #>
        return out.reshape(N, OH, OW, C).transpose(0, 3, 1, 2)

    def backward(self, dout):
        N, C, OH, OW = dout.shape
        dout = dout.transpose(0, 2, 3, 1)  # (N, OH, OW, C)
        dcol = np.zeros((dout.size, self.pool_h * self.pool_w), dout.dtype)
        #<gap winner
        dcol[np.arange(dout.size), self.arg_max] = dout.flatten()
        #>
        dcol = dcol.reshape(N * OH * OW, -1)
        dx = col2im(dcol, self.framed, self.pool_h, self.pool_w, self.stride)
        p = self.pad
        return dx[:, :, p:dx.shape[2] - p, p:dx.shape[3] - p]
