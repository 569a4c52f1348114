class Pooling:
    def __init__(self, pool_h, pool_w, stride=1, pad=0):
        self.pool_h, self.pool_w, self.stride, self.pad = pool_h, pool_w, stride, pad

    def windows(self, OH, OW):
        s = self.stride
        for y in range(self.pool_h):
            for x in range(self.pool_w):
                yield y, x, (slice(None), slice(None), slice(y, y + s * OH, s), slice(x, x + s * OW, s))

    def forward(self, x):
        N, C, H, W = x.shape
        p = self.pad
        OH = (H + 2 * p - self.pool_h) // self.stride + 1
        OW = (W + 2 * p - self.pool_w) // self.stride + 1
        img = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)], constant_values=np.inf)
        col = np.zeros((N, C, self.pool_h, self.pool_w, OH, OW), x.dtype)
        for i, j, pixels in self.windows(OH, OW):
            col[:, :, i, j] = img[pixels]
        col = col.transpose(0, 4, 5, 1, 2, 3).reshape(-1, self.pool_h * self.pool_w)
        self.winner, self.x_shape, self.img_shape = col.argmin(axis=1), x.shape, img.shape
        out = col.min(axis=1)
        return out.reshape(N, OH, OW, C).transpose(0, 3, 1, 2)

    def backward(self, dout):
        N, C, OH, OW = dout.shape
        H, W = self.x_shape[2:]
        p = self.pad
        rows = dout.transpose(0, 2, 3, 1).reshape(-1, 1)
        cells = np.arange(self.pool_h * self.pool_w)
        dcol = np.where(cells == self.winner[:, None], rows, 0).astype(dout.dtype)
        dcol = dcol.reshape(N, OH, OW, C, self.pool_h, self.pool_w).transpose(0, 3, 4, 5, 1, 2)
        dimg = np.zeros(self.img_shape, dout.dtype)
        for i, j, pixels in self.windows(OH, OW):
            dimg[pixels] += dcol[:, :, i, j]
        return dimg[:, :, p:p + H, p:p + W]
