import numpy as np


class Dropout:
    """Inverted: what is kept is divided by the share that is kept."""

    def __init__(self, dropout_ratio=0.5):
        self.dropout_ratio = dropout_ratio
        self.mask = None

    def forward(self, x, train_flg=True):
        if not train_flg:
            #<gap inference
            return x * 1
            #>
        #<gap drop
        self.mask = (np.random.rand(*x.shape) > self.dropout_ratio) / (1 - self.dropout_ratio)
        #>
        return (x * self.mask).astype(x.dtype)

    def backward(self, dout):
        #<gap backward
        return (dout * self.mask).astype(dout.dtype)
        #>
