import numpy as np


class GlobalAveragePooling:
    """(N, C, H, W) -> (N, C): the mean of each channel, as at the end of GoogLeNet and ResNet."""

    def forward(self, x):
        self.x_shape = x.shape
        #<gap mean
        return x.mean(axis=(2, 3))
        #>

    def backward(self, dout):
        N, C, H, W = self.x_shape
        #<gap shares
        return np.broadcast_to(dout[:, :, None, None] / (H * W), self.x_shape).copy()
        #>
