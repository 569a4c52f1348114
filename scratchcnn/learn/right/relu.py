class Relu:
    def forward(self, x):
        self.mask = x > 0
        out = np.where(self.mask, x, 0).astype(x.dtype)
        return out

    def backward(self, dout):
        dx = np.where(self.mask, dout, 0).astype(dout.dtype)
        return dx
