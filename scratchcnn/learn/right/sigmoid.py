class Sigmoid:
    def forward(self, x):
        e = np.exp(-np.abs(x))
        y = np.where(x >= 0, 1 / (1 + e), e / (1 + e))
        self.y = y
        return y.copy()

    def backward(self, dout):
        y = self.y
        dx = dout * y * (1 - y)
        return dx
