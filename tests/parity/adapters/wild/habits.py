"""Habits of small frameworks: gradients kept for a later update, a bias per pixel, methods left unwritten."""

import numpy as np

rng = np.random.default_rng(0)


class Module:
    def __call__(self, x):
        self.seen = x
        return self.forward(x)

    def backward(self, error):
        raise NotImplementedError("not for this one")


# -- gradients that show in an update alone ------------------------------------------------------------
class Linear(Module):
    def __init__(self, in_dim, out_dim):
        self.W, self.b = rng.standard_normal((out_dim, in_dim)), np.zeros(out_dim)

    def forward(self, X):
        return X @ self.W.T + self.b

    def backward(self, error):
        self.error = error
        return error @ self.W

    def fit(self, lr, decay=0.05):
        self.W -= lr * (self.error.T @ self.seen + decay * self.W)
        self.b -= lr * self.error.sum(0)


class LinearWrong(Linear):
    def fit(self, lr, decay=0.05):
        self.W -= lr * (self.error.T @ self.seen + decay * self.W)
        self.b -= lr * self.error.mean(0)


class Adaptive:
    """Its backward takes a step of its own, by the sign: no gradient can be read from that."""

    def __init__(self, n_in, n_out):
        self.w, self.b = rng.standard_normal((n_in, n_out)), np.zeros((1, n_out))

    def compile(self, lr, reg):
        self.rate = lr

    def forward(self, x, training=False):
        self.x = x
        return x @ self.w + self.b

    def backward(self, dz):
        dx = dz @ self.w.T
        self.w = self.w - self.rate * np.sign(self.x.T @ dz)
        self.b = self.b - self.rate * np.sign(dz.sum(0, keepdims=True))
        return dx


# -- parameters that are objects, a shape for all sizes, any other keyword -----------------------------
class Parameter:
    def __init__(self, data):
        self.data, self.grad = data, None


class Dense:
    def __init__(self, shape, bias=True, **kwargs):
        self.W = Parameter(rng.standard_normal(shape))
        self.b = Parameter(np.zeros(shape[-1])) if bias else None

    def forward(self, x):
        self.x = x
        return x @ self.W.data + (0 if self.b is None else self.b.data)

    def backward(self, eta):
        self.W.grad = self.x.T @ eta
        if self.b is not None:
            self.b.grad = eta.sum(axis=0)
        return eta @ self.W.data.T


# -- what backward needs is kept only when asked for -----------------------------------------------------
class Tanh:
    def __init__(self):
        self.cache = {}

    def forward_propagate(self, Z, save_cache=False):
        if save_cache:
            self.cache["A"] = np.tanh(Z)
        return np.tanh(Z)

    def back_propagate(self, dA):
        return dA * (1 - self.cache["A"] ** 2)


class TanhWrong(Tanh):
    def back_propagate(self, dA):
        return dA * (1 - self.cache["A"])


# -- a softmax whose backward is not written, or is that of the loss after it; one of a single vector ------
class Softmax(Module):
    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)


class SoftmaxEmpty(Softmax):
    def backward(self, y):
        pass


class SoftmaxOfLabels(Softmax):
    def backward(self, a, y):
        return (a - y) / len(y)


class SoftmaxOfOne:
    def __call__(self, x):
        e = np.exp(x - x.max())
        return e / e.sum()


class SoftmaxForgets(Softmax):
    def forward(self, x):
        self.seen = x
        return super().forward(x)

    def backward(self, dout):
        y = super().forward(self.seen)
        y * (dout - (dout * y).sum(axis=-1, keepdims=True))


# -- the share that is kept under the name of the one that is dropped --------------------------------------
class Dropout:
    def __init__(self, p=0.8):
        self.p = p

    def forward(self, z, training=True):
        if not training:
            return z
        self.mask = rng.choice((0, 1), size=z.shape, p=[1 - self.p, self.p]) / self.p
        return (z * self.mask).astype(z.dtype)

    def backward(self, da):
        return (da * self.mask).astype(da.dtype)


class Flatten:
    def __init__(self, in_shape, out_shape):
        self.in_shape, self.out_shape = in_shape, out_shape

    def forward(self, x):
        return x.reshape(len(x), self.out_shape)

    def backward(self, dz):
        return dz.reshape(len(dz), *self.in_shape)


# -- a bias for each pixel of the result, one image at a time ------------------------------------------------
def windows(x, size):
    return np.lib.stride_tricks.sliding_window_view(x, size, axis=(-2, -1))


class Convolutional:
    def __init__(self, input_shape, kernel_size, depth):
        C, H, W = input_shape
        self.output_shape = depth, H - kernel_size + 1, W - kernel_size + 1
        self.kernels = rng.standard_normal((depth, C, kernel_size, kernel_size))
        self.biases = rng.standard_normal(self.output_shape)

    def forward(self, input):
        self.input = input
        return self.biases + np.einsum(
            "chwij,ocij->ohw", windows(input, self.kernels.shape[2:]), self.kernels
        )

    def backward(self, output_gradient, learning_rate):
        size = self.kernels.shape[2:]
        dk = np.einsum("ohw,chwij->ocij", output_gradient, windows(self.input, size))
        wide = np.pad(output_gradient, ((0, 0), (size[0] - 1,) * 2, (size[1] - 1,) * 2))
        dx = np.einsum("ohwij,ocij->chw", windows(wide, size), self.kernels[:, :, ::-1, ::-1])
        self.kernels = self.kernels - learning_rate * dk
        self.biases = self.biases - learning_rate * output_gradient
        return dx


class ConvolutionalTurned(Convolutional):
    def forward(self, input):
        self.input = input
        turned = self.kernels[:, :, ::-1, ::-1]
        return self.biases + np.einsum("chwij,ocij->ohw", windows(input, turned.shape[2:]), turned)


class ConvolutionalOfTheSame(Convolutional):
    """Its bias is one number, which nothing takes for a bias: what is added to it is not to be judged."""

    def __init__(self, input_shape, kernel_size, depth):
        super().__init__(input_shape, kernel_size, depth)
        self.biases = 0.37


# -- a bias in the first column of the weights, one row at a time ------------------------------------------
class Augmented:
    def __init__(self, input_features, output_features):
        self.weights = rng.standard_normal((output_features, input_features + 1))

    def forward(self, x):
        self.x = np.concatenate(([1], x)).astype(x.dtype)
        return self.weights @ self.x

    def backward(self, dout):
        self.grad_weights = np.outer(dout, self.x)
        return (self.weights.T @ dout)[1:]


def correlate(image, kernel, stride=1, padding=0):
    """One image; the stride and the padding are numbers, and `np.pad` takes two numbers too."""
    image = np.pad(image, padding)
    (kh, kw), (h, w) = kernel.shape, image.shape
    out = np.zeros(((h - kh) // stride + 1, (w - kw) // stride + 1), image.dtype)
    for i, j in np.ndindex(out.shape):
        top, left = i * stride, j * stride
        out[i, j] = (image[top : top + kh, left : left + kw] * kernel).sum()
    return out


def correlate_padded_late(image, kernel, stride=1, padding=0):
    """The padding is at the bottom and the right alone."""
    return correlate(np.pad(image, (0, 2 * padding)), kernel, stride)


class Strided:
    """A convolution that always moves by two."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        windows = np.lib.stride_tricks.sliding_window_view(x, self.W.shape[2:], axis=(2, 3))
        self.windows = windows[:, :, ::2, ::2]
        return np.einsum("nchwij,fcij->nfhw", self.windows, self.W) + self.b[:, None, None]

    def backward(self, dout):
        self.dW, self.db = np.einsum("nchwij,nfhw->fcij", self.windows, dout), dout.sum((0, 2, 3))
        dx, (OH, OW) = np.zeros_like(self.x), dout.shape[2:]
        for i, j in np.ndindex(self.W.shape[2:]):
            reached = dx[:, :, i : i + 2 * OH : 2, j : j + 2 * OW : 2]
            reached += np.einsum("nfhw,fc->nchw", dout, self.W[:, :, i, j])
        return dx


class StridedFirst(Strided):
    """Its windows begin one pixel late where the image has one to spare."""

    def forward(self, x):
        late = (x.shape[2] - self.W.shape[2]) % 2
        return super().forward(np.roll(x, -late, axis=2))


# -- poolings that always pad as TensorFlow's 'same' -----------------------------------------------------
class PoolSame:
    """The maximum; images (N, H, W, C)."""

    fill = -np.inf

    def __init__(self, pool_size=2, stride=2):
        self.k, self.s = pool_size, stride

    def pads(self, size):
        total = max((-(-size // self.s) - 1) * self.s + self.k - size, 0)
        return total // 2, total - total // 2

    def forward(self, x):
        self.shape, self.p = x.shape, [self.pads(size) for size in x.shape[1:3]]
        padded = np.pad(x, ((0, 0), *self.p, (0, 0)), constant_values=self.fill)
        self.padded = padded.shape
        windows = np.lib.stride_tricks.sliding_window_view(padded, (self.k, self.k), (1, 2))
        return self.one(windows[:, :: self.s, :: self.s].reshape(*self.cells(windows), self.k**2))

    def cells(self, windows):
        N, H, W, C = windows.shape[:4]
        return N, -(-H // self.s), -(-W // self.s), C

    def one(self, windows):
        best = windows.argmax(-1)[..., None]
        self.share = np.arange(self.k**2) == best
        return windows.max(-1)

    def backward(self, dout):
        dx, (OH, OW) = np.zeros(self.padded, dout.dtype), dout.shape[1:3]
        for cell, (y, z) in enumerate(np.ndindex(self.k, self.k)):
            reached = dx[:, y : y + self.s * OH : self.s, z : z + self.s * OW : self.s]
            reached += self.share[..., cell] * dout
        (top, _), (left, _) = self.p
        return dx[:, top : top + self.shape[1], left : left + self.shape[2]]


class PoolSameAtTop(PoolSame):
    """The odd row is at the top, the odd column at the left."""

    def pads(self, size):
        return PoolSame.pads(self, size)[::-1]


class PoolSameOneSize(PoolSame):
    """Its windows lie side by side."""

    def __init__(self, size):
        super().__init__(size, size)


class PoolSameOneSizeAtTop(PoolSameOneSize):
    pads = PoolSameAtTop.pads


class MeanSame(PoolSame):
    """The mean of the pixels that there are."""

    fill = np.nan

    def one(self, windows):
        self.share = ~np.isnan(windows) / (~np.isnan(windows)).sum(-1, keepdims=True)
        self.share = self.share.astype(windows.dtype)
        return np.nanmean(windows, -1)


class MeanSameOneSize(MeanSame):
    def __init__(self, size):
        super().__init__(size, size)


class MeanSameCounted(MeanSame):
    """The zeros around count in the mean."""

    fill = 0.0
