"""Layers that are built, set up and called under odd names: right ones pass, with a bug they are wrong."""

import pytest

from parity.verification.verify import verify

COLOURS = """
class Conv3x3:
    def __init__(self, num_filters):
        self.filters = np.random.randn(num_filters, 3, 3, 3)
        self.biases = np.zeros(num_filters)

    def forward(self, image):
        high, wide, _ = image.shape
        out = np.zeros((high - 2, wide - 2, len(self.filters)), image.dtype)
        for i, j in np.ndindex(out.shape[:2]):
            out[i, j] = np.sum(image[i : i + 3, j : j + 3] * self.filters, axis=(1, 2, 3)) + BUG * self.biases
        return out
"""
OTHER_AXES = COLOURS.replace(
    "self.filters, axis", "self.filters.transpose(0, 2, 3, 1), axis"
)  # (FN, C, FH, FW), of images (H, W, C)
DEPTH = """
class ConvLayer:
    def __init__(self, kernel_num, kernel_size, kernel_depth):
        self.k = k = kernel_size
        self.kernels = np.random.randn(kernel_num, kernel_depth, k, k)

    def forward(self, x):
        out = np.zeros((len(x), len(self.kernels), x.shape[2] - self.k + 1, x.shape[3] - self.k + 1), x.dtype)
        for i, j in np.ndindex(out.shape[2:]):
            part = x[:, None, :, i : i + self.k, j : j + self.k]
            out[:, :, i, j] = BUG * np.sum(part * self.kernels, axis=(2, 3, 4))
        return out
"""
FLAT_BIAS = """
def conv2d(A_prev, W, b, pad, S):
    padded, f = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad))), W.shape[2]
    high, wide = ((n - f) // S + 1 for n in padded.shape[1:])
    out = np.zeros((len(W), high, wide), A_prev.dtype)
    for c, i, j in np.ndindex(out.shape):
        part = padded[:, i * S : i * S + f, j * S : j * S + f]
        out[c, i, j] = np.sum(part * W[c]) + BUG * np.squeeze(b[:, :, c])
    return out
"""
POOL = """
def max_pooling(conv_out_relu, f_pool, S_pool):
    channels, high, wide = conv_out_relu.shape
    high, wide = (high - f_pool[0]) // S_pool[0] + 1, (wide - f_pool[1]) // S_pool[1] + 1
    out = np.zeros((channels, high, wide), conv_out_relu.dtype)
    for c, i, j in np.ndindex(out.shape):
        top, left = i * S_pool[0], j * S_pool[1]
        out[c, i, j] = BUG * conv_out_relu[c, top : top + f_pool[0], left : left + f_pool[1]].max()
    return out
"""
AVERAGE = """
class AvgPooling:
    def __init__(self, kernel_size, stride=None, padding=0, padding_mode="constant"):
        self.kernel = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
        self.stride, self.padding, self.mode = stride or self.kernel, padding, padding_mode

    def __call__(self, x):
        both = (self.padding,) * 2 if isinstance(self.padding, int) else self.padding
        x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in both)], mode=self.mode)
        (fh, fw), (sh, sw) = self.kernel, (self.stride[0], self.stride[1])
        out = np.zeros((*x.shape[:2], (x.shape[2] - fh) // sh + 1, (x.shape[3] - fw) // sw + 1), x.dtype)
        for i, j in np.ndindex(out.shape[2:]):
            out[:, :, i, j] = BUG * x[:, :, i * sh : i * sh + fh, j * sw : j * sw + fw].mean(axis=(2, 3))
        return out
"""
SIZES_FIRST = """
class MaxPool2d:
    def __init__(self, pool_size, strides):
        self.pool, self.strides = pool_size, strides

    def calculate_size(self, input_size):
        n, *sizes, channels = input_size
        self.size = n, *((size - self.pool) // self.strides + 1 for size in sizes), channels

    def __call__(self, x):
        out = np.zeros(self.size, x.dtype)
        for i, j in np.ndindex(out.shape[1:3]):
            top, left = i * self.strides, j * self.strides
            out[:, i, j] = BUG * x[:, top : top + self.pool, left : left + self.pool].max(axis=(1, 2))
        return out
"""
MISSPELT = """
class Pool:
    def __init__(self, pool_size, stride):
        self.pool, self.stride = pool_size, stride

    def forward(self, x):
        self.x = x
        high, wide = ((n - self.pool) // self.stride + 1 for n in x.shape[2:])
        out = np.zeros((*x.shape[:2], high, wide), x.dtype)
        for n, c, i, j in np.ndindex(out.shape):
            out[n, c, i, j] = self.part(n, c, i, j).max()
        return out

    def part(self, n, c, i, j):
        return self.x[n, c, i * self.stride :, j * self.stride :][: self.pool, : self.pool]

    def backward(self, d_out, learnin_rate):
        dx = np.zeros_like(self.x)
        for n, c, i, j in np.ndindex(d_out.shape):
            part = self.part(n, c, i, j)
            a, b = np.unravel_index(part.argmax(), part.shape)
            dx[n, c, i * self.stride + a, j * self.stride + b] += BUG * d_out[n, c, i, j]
        return dx
"""
BUILT = """
class DenseLayer:
    def __init__(self, nb_neurons):
        self.n = nb_neurons

    def build(self, input_size):
        assert input_size > 1
        self.weights, self.biases = np.random.randn(input_size, self.n), np.zeros((1, self.n))

    def forward(self, x):
        return x @ self.weights + BUG * self.biases
"""
OPTIMIZED = """
class Linear:
    def __init__(self, in_features, layer_size):
        self.weights, self.b = np.random.randn(in_features, layer_size), np.zeros((1, layer_size))
        self.of_W = self.of_b = None

    def optim_init(self, optim):
        self.of_W, self.of_b = copy.copy(optim), copy.copy(optim)

    def __call__(self, x):
        self.x = x
        return x @ self.weights + self.b

    def backward(self, grad):
        dx = grad @ self.weights.T
        self.weights = self.of_W.update(self.weights, BUG * self.x.T @ grad)
        self.b = self.of_b.update(self.b, grad.sum(axis=0, keepdims=True))
        return dx
"""
NEURONS = """
class Dense:
    def __init__(self, inputs, numberNuerones):
        self.weights, self.biases = np.random.randn(inputs, numberNuerones), np.zeros(numberNuerones)

    def forward(self, inputs):
        return inputs @ self.weights + BUG * self.biases
"""
TIMED = """
class Linear:
    def __init__(self, dim_in, dim_out, use_ternary):
        self.weight, self.bias = np.random.randn(dim_in, dim_out), np.zeros(dim_out)
        self.ternary = use_ternary

    def __call__(self, X, time_step):
        self.X = X
        return self.forward(time_step)

    def forward(self, time_step):
        weight = np.sign(self.weight) if self.ternary else self.weight
        return BUG * self.X @ weight + self.bias
"""
FLATTENING = """
class FlatteningLayer:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1) * BUG

    def backward(self, dout):
        return dout.reshape(self.shape)
"""
NUMBERS = """
class BatchNormalization:
    def __init__(self, epsilon=1e-5):
        self.eps, self.gamma, self.beta = epsilon, 1.0, 0.0

    def forward(self, x):
        return self.gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + self.eps) + BUG * self.beta
"""
CASES = {
    "three channels": ("Conv3x3", "convolution", COLOURS),
    "three channels, that lie elsewhere": ("Conv3x3", "convolution", OTHER_AXES),
    "kernel_depth": ("ConvLayer", "convolution", DEPTH),
    "bias (1, 1, FN)": ("conv2d", "convolution", FLAT_BIAS),
    "f_pool, S_pool": ("max_pooling", "max_pooling", POOL),
    "padding_mode": ("AvgPooling", "average_pooling", AVERAGE),
    "calculate_size": ("MaxPool2d", "max_pooling", SIZES_FIRST),
    "learnin_rate": ("Pool", "max_pooling", MISSPELT),
    "build of a number": ("DenseLayer", "affine", BUILT),
    "optim_init, layer_size": ("Linear", "affine", OPTIMIZED),
    "numberNuerones": ("Dense", "affine", NEURONS),
    "time_step, use_ternary": ("Linear", "affine", TIMED),
    "flattening": ("FlatteningLayer", "flatten", FLATTENING),
    "gamma of one number": ("BatchNormalization", "batch_norm", NUMBERS),
}


def judged(tmp_path, case, bug):
    name, kind, source = CASES[case]
    file = tmp_path / "layers.py"
    file.write_text(f"import copy\nimport numpy as np\n{source.replace('BUG', bug)}")
    return verify(f"{file}:{name}", kind)


@pytest.mark.parametrize("case", CASES)
def test_the_right_one_is_right(tmp_path, case):
    verdict = judged(tmp_path, case, "1")
    assert verdict.ok, str(verdict)


@pytest.mark.parametrize("case", CASES)
def test_a_bug_in_it_is_seen(tmp_path, case):
    verdict = judged(tmp_path, case, "2")
    assert verdict.outcome == "wrong", str(verdict)


def test_what_it_does_not_take_is_said(tmp_path):
    assert "layers of one input or of one output" in judged(tmp_path, "build of a number", "1").not_checked
    assert "numbers of channels other than 3" in judged(tmp_path, "three channels", "1").not_checked


SWITCHED = """
class Linear:
    def __init__(self, dim_in, dim_out, use_scale=True):
        self.weight, self.bias = np.random.randn(dim_in, dim_out), np.zeros(dim_out)
        self.scale = 2 if use_scale else 1

    def forward(self, x):
        return self.scale * x @ self.weight + self.bias
"""


def test_what_is_on_where_nothing_is_given_stays_on(tmp_path):
    file = tmp_path / "layers.py"
    file.write_text(f"import numpy as np\n{SWITCHED}")
    assert verify(f"{file}:Linear", "affine").outcome == "wrong"
