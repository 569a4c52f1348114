class Softmax:
    def forward(self, x):
        shifted = x - x.max(axis=1, keepdims=True)
        e = np.exp(shifted)
        y = e / e.sum(axis=1, keepdims=True)
        self.y = y
        return y.copy()

    def backward(self, dout):
        y = self.y
        total = (dout * y).sum(axis=1, keepdims=True)
        dx = y * (dout - total)
        return dx
