class BatchNormalization:
    def __init__(self, gamma, beta, momentum=0.9, running_mean=None, running_var=None, eps=1e-5):
        self.gamma, self.beta, self.momentum, self.eps = gamma, beta, momentum, eps
        self.running_mean = np.zeros_like(gamma) if running_mean is None else running_mean
        self.running_var = np.ones_like(gamma) if running_var is None else running_var

    def forward(self, x, train_flg=True):
        self.train_flg = train_flg
        self.axes = (0, 2, 3) if x.ndim == 4 else (0,)
        self.column = (1, -1, 1, 1) if x.ndim == 4 else (1, -1)
        n = x.size // x.shape[1]
        if train_flg:
            mean, var = x.mean(axis=self.axes), x.var(axis=self.axes)
            m = self.momentum
            self.running_mean = m * self.running_mean + (1 - m) * mean
            self.running_var = m * self.running_var + (1 - m) * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        self.std = np.sqrt(var + self.eps).astype(x.dtype).reshape(self.column)
        self.xn = (x - mean.reshape(self.column)) / self.std
        out = self.gamma.reshape(self.column) * self.xn + self.beta.reshape(self.column)
        return out.astype(x.dtype)

    def backward(self, dout):
        xn, n = self.xn, dout.size // dout.shape[1]
        self.dbeta = dout.sum(axis=self.axes)
        self.dgamma = (xn * dout).sum(axis=self.axes)
        dxn = dout * self.gamma.reshape(self.column)
        if self.train_flg:
            mean = dxn.sum(axis=self.axes, keepdims=True) / n
            slope = (dxn * xn).sum(axis=self.axes, keepdims=True) / n
            dxn = dxn - mean - xn * slope
        return (dxn / self.std).astype(dout.dtype)
