class Convolution:
    def __init__(self, W, b, stride=1, pad=0):
        self.W, self.b, self.stride, self.pad = W, b, stride, pad
        self.dW = self.db = None

    def windows(self, img, OH, OW):
        FH, FW = self.W.shape[2:]
        s = self.stride
        for y in range(FH):
            for x in range(FW):
                yield y, x, (slice(None), slice(None), slice(y, y + s * OH, s), slice(x, x + s * OW, s))

    def forward(self, x):
        FN, C, FH, FW = self.W.shape
        N, C, H, W = x.shape
        p = self.pad
        OH = (H + 2 * p - FH) // self.stride + 1
        OW = (W + 2 * p - FW) // self.stride + 1
        img = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
        col = np.zeros((N, C, FH, FW, OH, OW), x.dtype)
        for i, j, pixels in self.windows(img, OH, OW):
            col[:, :, i, j] = img[pixels]
        self.col = col.transpose(0, 4, 5, 1, 2, 3).reshape(N * OH * OW, -1)
        self.x_shape, self.img_shape = x.shape, img.shape
        out = self.col @ self.W.reshape(FN, -1).T + self.b
        return out.reshape(N, OH, OW, FN).transpose(0, 3, 1, 2)

    def backward(self, dout):
        FN, C, FH, FW = self.W.shape
        N, FN, OH, OW = dout.shape
        H, W = self.x_shape[2:]
        p = self.pad
        rows = dout.transpose(0, 2, 3, 1).reshape(-1, FN)
        self.db = rows.sum(axis=0)
        self.dW = (rows.T @ self.col).reshape(self.W.shape)
        dcol = rows @ self.W.reshape(FN, -1)
        dcol = dcol.reshape(N, OH, OW, C, FH, FW).transpose(0, 3, 4, 5, 1, 2)
        dimg = np.zeros(self.img_shape, dout.dtype)
        for i, j, pixels in self.windows(dimg, OH, OW):
            dimg[pixels] += dcol[:, :, i, j]
        return dimg[:, :, p:p + H, p:p + W]
