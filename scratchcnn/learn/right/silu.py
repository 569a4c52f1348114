class SiLU:
    def forward(self, x):
        e = np.exp(-np.abs(x))
        s = np.where(x >= 0, 1 / (1 + e), e / (1 + e))
        self.x, self.s = x.copy(), s
        out = x * s
        return out

    def backward(self, dout):
        x, s = self.x, self.s
        dx = dout * (s + x * s * (1 - s))
        return dx
