"""The same homework with mistakes, each as people make it. Imports its sibling by its bare name."""

import numpy as np
import right
from right import col2im, im2col


# -- functions ------------------------------------------------------------------------------------
def im2col_float64(input_data, filter_h, filter_w, stride=1, pad=0):
    """The book's own: np.zeros without a dtype."""
    return im2col(input_data, filter_h, filter_w, stride, pad).astype(np.float64)


def im2col_pads_one_side(input_data, filter_h, filter_w, stride=1, pad=0):
    img = np.pad(input_data, [(0, 0), (0, 0), (0, 2 * pad), (0, 2 * pad)])
    return im2col(img, filter_h, filter_w, stride)


def im2col_flattens_c_last(input_data, filter_h, filter_w, stride=1, pad=0):
    col, C = im2col(input_data, filter_h, filter_w, stride, pad), input_data.shape[1]
    return col.reshape(len(col), C, -1).transpose(0, 2, 1).reshape(len(col), -1)


def col2im_overwrites(col, input_shape, filter_h, filter_w, stride=1, pad=0):
    N, C, H, W = input_shape
    out_h, out_w = (H + 2 * pad - filter_h) // stride + 1, (W + 2 * pad - filter_w) // stride + 1
    col = col.reshape(N, out_h, out_w, C, filter_h, filter_w).transpose(0, 3, 4, 5, 1, 2)
    img = np.zeros((N, C, H + 2 * pad + stride - 1, W + 2 * pad + stride - 1), dtype=col.dtype)
    for y in range(filter_h):
        for x in range(filter_w):
            img[:, :, y : y + stride * out_h : stride, x : x + stride * out_w : stride] = col[:, :, y, x]
    return img[:, :, pad : H + pad, pad : W + pad]


def col2im_keeps_the_border(col, input_shape, filter_h, filter_w, stride=1, pad=0):
    N, C, H, W = input_shape
    return col2im(col, (N, C, H + 2 * pad, W + 2 * pad), filter_h, filter_w, stride)


def col2im_float64(col, input_shape, filter_h, filter_w, stride=1, pad=0):
    return col2im(col, input_shape, filter_h, filter_w, stride, pad).astype(np.float64)


def gradient_of_integers(f, x):
    """The book's: x + h is cut back to x in an array of integers."""
    grad, h = np.zeros_like(x), 1e-4
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + h
        high = f(x)
        x[index] = value - h
        grad[index] = (high - f(x)) / (2 * h)
        x[index] = value
    return grad


def gradient_one_sided(f, x):
    x = x.astype(float)
    low, grad, h = f(x), np.zeros_like(x), 1e-4
    for index in np.ndindex(x.shape):
        x[index] += h
        grad[index] = (f(x) - low) / h
        x[index] -= h
    return grad


def gradient_that_leaves_x_changed(f, x):
    x += 0
    grad = right.numerical_gradient(f, x.copy() if x.dtype.kind == "f" else x)
    x += x.dtype.type(1)
    return grad


# -- convolution ----------------------------------------------------------------------------------
class ConvolutionWithoutDx(right.Convolution):
    def backward(self, dout):
        super().backward(dout)


class ConvolutionTurned(right.Convolution):
    """A true convolution, with the kernel turned by 180 degrees."""

    def __init__(self, W, b, stride=1, pad=0):
        super().__init__(W[:, :, ::-1, ::-1], b, stride, pad)

    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW[:, :, ::-1, ::-1].copy()
        return dx


class ConvolutionMeanBias(right.Convolution):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout.mean(axis=(0, 2, 3))
        return dx


class ConvolutionAddsUp(right.Convolution):
    """Gradients are added to those of the last call."""

    def backward(self, dout):
        before = getattr(self, "dW", 0)
        dx = super().backward(dout)
        self.dW = self.dW + before
        return dx


class ConvolutionFloat64(right.Convolution):
    """Its im2col fills an np.zeros without a dtype."""

    def forward(self, x):
        return super().forward(x.astype(float))

    def backward(self, dout):
        return super().backward(dout).astype(float)


# -- pooling --------------------------------------------------------------------------------------
class PoolingThatRaises(right.MaxPooling):
    """The book's: pad is taken, and the output's size forgets it."""

    def forward(self, x):
        N, C, H, W = x.shape
        out_h = int(1 + (H - self.pool_h) / self.stride)
        out_w = int(1 + (W - self.pool_w) / self.stride)
        col = im2col(x, self.pool_h, self.pool_w, self.stride, self.pad).reshape(
            -1, self.pool_h * self.pool_w
        )
        self.shape, self.winner = x.shape, col.argmax(axis=1)
        return col.max(axis=1).reshape(N, out_h, out_w, C).transpose(0, 3, 1, 2)

    def backward(self, dout):
        dout = dout.transpose(0, 2, 3, 1)
        hot = (self.winner[:, None] == np.arange(self.pool_h * self.pool_w)).astype(dout.dtype)
        col = (dout.reshape(-1, 1) * hot).reshape(dout.shape[0] * dout.shape[1] * dout.shape[2], -1)
        return col2im(col, self.shape, self.pool_h, self.pool_w, self.stride, self.pad)


class PoolingThatRaisesAndWidens(PoolingThatRaises):
    """The book's, with its dx in float64 besides."""

    def backward(self, dout):
        return super().backward(dout).astype(float)


class PoolingZeroPadded(right.MaxPooling):
    border = 0.0


class PoolingTiesToAll(right.MaxPooling):
    def forward(self, x):
        windows = self.unfold(x)
        self.best = (windows == windows.max(axis=-1, keepdims=True)).astype(x.dtype)
        return windows.max(axis=-1).transpose(0, 3, 1, 2)

    def backward(self, dout):
        return self.fold(dout.transpose(0, 2, 3, 1)[..., None] * self.best)


class AverageSwapped(right.AveragePooling):
    """pool_h and pool_w exchanged."""

    def __init__(self, pool_h, pool_w, stride=1, pad=0):
        super().__init__(pool_w, pool_h, stride, pad)


class AverageGradientNotDivided(right.AveragePooling):
    def backward(self, dout):
        return super().backward(dout) * (self.pool_h * self.pool_w)


class AverageSum(right.AveragePooling):
    def forward(self, x):
        return super().forward(x) * (self.pool_h * self.pool_w)

    def backward(self, dout):
        return super().backward(dout) * (self.pool_h * self.pool_w)


class MinZeroPadded(right.MinPooling):
    border = 0.0


class MinForgetsTheSign(right.MinPooling):
    def forward(self, x):
        return -super().forward(x)


class MinIsMax(right.MaxPooling):
    pass


# -- numbers --------------------------------------------------------------------------------------
class AffineTransposedGradient(right.Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW.T
        return dx


class AffineNoBiasGradient(right.Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = None
        return dx


class AffineMean(right.Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW / len(dout)
        return dx


class ReluOneArray:
    """One array for the output of every call."""

    out = None

    def forward(self, x):
        self.mask = x > 0
        if self.out is None or (self.out.shape, self.out.dtype) != (x.shape, x.dtype):
            self.out = np.empty_like(x)
        return np.multiply(x, self.mask, out=self.out)

    def backward(self, dout):
        return dout * self.mask


class ReluInPlace:
    """The book's own."""

    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        dx = dout
        return dx


class ReluLeaky(right.Relu):
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, x * x.dtype.type(0.01))

    def backward(self, dout):
        return np.where(self.mask, dout, dout * dout.dtype.type(0.01))


class ReluAtZero(right.Relu):
    def forward(self, x):
        self.mask = x >= 0
        return np.where(self.mask, x, 0)


class SigmoidOverflows(right.Sigmoid):
    def forward(self, x):
        self.out = np.exp(x) / (1 + np.exp(x))
        self.rest = 1 - self.out
        return self.out.copy()


class SigmoidOfInput(right.Sigmoid):
    def forward(self, x):
        out = super().forward(x)
        self.out, self.rest = x.copy(), 1 - x
        return out


class SigmoidHalfGradient(right.Sigmoid):
    def backward(self, dout):
        return super().backward(dout) / 2


class TanhWrongDerivative(right.Tanh):
    def backward(self, dout):
        return dout * (1 - self.out)


class TanhOutputForDerivative(right.Tanh):
    def backward(self, dout):
        return dout * self.out


class TanhSigmoid(right.Tanh):
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out.copy()


class SoftmaxNoShift(right.Softmax):
    def forward(self, x):
        self.out = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        return self.out.copy()


class SoftmaxDiagonal(right.Softmax):
    def backward(self, dout):
        return dout * self.out * (1 - self.out)


class SoftmaxOverRows(right.Softmax):
    def forward(self, x):
        self.out = right.softmax(x.T).T
        return self.out.copy()


class ClampedLoss:
    """The book's: log(y + 1e-7)."""

    def forward(self, x, t):
        if t.ndim == 2:
            t = t.argmax(axis=1)
        self.t, self.y = t.copy(), right.softmax(x)
        return -np.log(self.y[np.arange(len(t)), t] + 1e-7).sum() / len(t)

    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(self.t)), self.t] -= 1
        return dx / len(self.t)


class LossNotDivided(right.SoftmaxWithLoss):
    def backward(self, dout=1):
        return super().backward(dout) * len(self.t)


class LossInBits(right.SoftmaxWithLoss):
    def forward(self, x, t):
        return super().forward(x, t) / np.log(2).astype(x.dtype)


class LRNPaper(right.LRN):
    def __init__(self, size, alpha, beta, k):
        super().__init__(size, alpha * size, beta, k)


class LRNForgetsTheNeighbours(right.LRN):
    def backward(self, dout):
        return dout * self.scale**-self.beta


class LRNForgetsK(right.LRN):
    def __init__(self, size, alpha, beta, k):
        super().__init__(size, alpha, beta, 1.0)


class DropoutNotInverted:
    """The book's: scaled at test time."""

    def __init__(self, dropout_ratio=0.5):
        self.dropout_ratio = dropout_ratio
        self.mask = None

    def forward(self, x, train_flg=True):
        if train_flg:
            self.mask = np.random.rand(*x.shape) > self.dropout_ratio  # noqa: NPY002
            return x * self.mask
        return x * (1 - self.dropout_ratio)

    def backward(self, dout):
        return dout * self.mask


class DropoutKeepsTheRatio(right.Dropout):
    """Keeps the share that was to be dropped."""

    def __init__(self, dropout_ratio=0.5):
        super().__init__(1 - dropout_ratio)


class DropoutForgetsBackward(right.Dropout):
    def backward(self, dout):
        return dout.copy()


class BatchNormReversed(right.BatchNormalization):
    def __init__(self, gamma, beta, momentum=0.9, running_mean=None, running_var=None):
        super().__init__(gamma, beta, 1 - momentum, running_mean, running_var)


class BatchNormAlwaysTraining(right.BatchNormalization):
    def forward(self, x, train_flg=True):
        kept = self.running_mean, self.running_var
        out = super().forward(x, True)
        if not train_flg:
            self.running_mean, self.running_var = kept
        return out


class BatchNormForgetsTheMean(right.BatchNormalization):
    def backward(self, dout):
        super().backward(dout)
        return dout * self.gamma.reshape(self.like) / self.std


class BatchNormBook(right.BatchNormalization):
    """The book's 10e-7, and the variance of the batch kept as it is."""

    eps = 10e-7

    def forward(self, x, train_flg=True):
        before = self.running_var
        out = super().forward(x, train_flg)
        if train_flg:
            var = x.var(axis=self.axes)
            self.running_var = self.momentum * before + (1 - self.momentum) * var
        return out
