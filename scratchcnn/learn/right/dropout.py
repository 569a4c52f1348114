class Dropout:
    def __init__(self, dropout_ratio=0.5):
        self.dropout_ratio = dropout_ratio
        self.mask = None

    def forward(self, x, train_flg=True):
        self.train_flg = train_flg
        if not train_flg:
            return x.copy()
        self.mask = np.random.rand(*x.shape) > self.dropout_ratio
        out = np.where(self.mask, x / (1 - self.dropout_ratio), 0)
        return out.astype(x.dtype)

    def backward(self, dout):
        if not self.train_flg:
            return dout.copy()
        dx = np.where(self.mask, dout / (1 - self.dropout_ratio), 0)
        return dx.astype(dout.dtype)
