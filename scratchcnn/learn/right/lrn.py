class LocalResponseNormalization:
    def __init__(self, size=5, alpha=1e-4, beta=0.75, k=1.0):
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def window_sum(self, a, before, after):
        C, total = a.shape[1], np.zeros_like(a)
        for c in range(C):
            total[:, c] = a[:, max(c - before, 0):c + after + 1].sum(axis=1)
        return total

    def forward(self, x):
        before, after = self.size // 2, (self.size - 1) // 2
        square_sum = self.window_sum(x ** 2, before, after)
        scale = self.k + self.alpha / self.size * square_sum
        self.x, self.scale = x.copy(), scale
        out = x * scale ** -self.beta
        return out

    def backward(self, dout):
        x, scale = self.x, self.scale
        before, after = (self.size - 1) // 2, self.size // 2
        ratio = dout * x * scale ** (-self.beta - 1)
        cross = self.window_sum(ratio, before, after)
        cross = 2 * self.alpha / self.size * self.beta * x * cross
        dx = dout * scale ** -self.beta - cross
        return dx
