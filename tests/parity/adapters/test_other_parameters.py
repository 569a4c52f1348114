"""Parameters in forms and under names that others give them: shapes, dicts, pairs of sizes."""

import numpy as np
import pytest

from parity.verification.verify import verify


def _windows(x, k, stride):
    return np.lib.stride_tricks.sliding_window_view(x, (k, k), (1, 2))[:, ::stride, ::stride]


class ShapeConv:
    """The whole shape of its input, (N, H, W, C); `backward` is the step of the optimizer."""

    mean = False

    def __init__(self, input_shape, output_channels, kernel_size, stride, init=True):
        self.n, self.h, self.w, channels = input_shape
        self.k, self.stride = kernel_size, stride
        self.weights = np.ones((kernel_size, kernel_size, channels, output_channels))
        self.bias = np.zeros(output_channels)
        self.out_h, self.out_w = ((size - kernel_size) // stride + 1 for size in (self.h, self.w))

    def forward(self, x):
        self.x = x
        out = np.einsum("nijckl,klcf->nijf", _windows(x, self.k, self.stride), self.weights) + self.bias
        return out.reshape(self.n, self.out_h, self.out_w, -1)

    def sgd(self, error):
        self.weights_gradient = np.einsum("nijckl,nijf->klcf", _windows(self.x, self.k, self.stride), error)
        self.bias_gradient = error.sum(axis=(0, 1, 2))
        if self.mean:
            self.weights_gradient = self.weights_gradient / self.n
        dx = np.zeros_like(self.x)
        for i in range(self.out_h):
            for j in range(self.out_w):
                rows, cols = (slice(at * self.stride, at * self.stride + self.k) for at in (i, j))
                dx[:, rows, cols] += np.einsum("nf,klcf->nklc", error[:, i, j], self.weights)
        return dx

    def backward(self, lr=0.1):
        self.weights -= lr * self.weights_gradient
        self.bias -= lr * self.bias_gradient


class MeanShapeConv(ShapeConv):
    mean = True


class Sides:
    """Width and height are those of the window, of one image."""

    turned = False

    def __init__(self, num_filters, inputs_channel, width, height, stride, learning_rate, name):
        self.stride, self.size, self.lr = stride, (height, width), learning_rate
        self.weights = np.ones((num_filters, inputs_channel, height, width))
        self.bias = np.zeros(num_filters)

    def forward(self, inputs):
        self.inputs = inputs
        view = np.lib.stride_tricks.sliding_window_view(inputs, self.size, (1, 2))
        self.view = view[:, :: self.stride, :: self.stride]
        kernel = self.weights[..., ::-1] if self.turned else self.weights
        return np.einsum("cijkl,fckl->fij", self.view, kernel) + self.bias[:, None, None]

    def backward(self, dy):
        dx = np.zeros_like(self.inputs)
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                (top, left), (high, wide) = (i * self.stride, j * self.stride), self.size
                part = np.einsum("f,fckl->ckl", dy[:, i, j], self.weights)
                dx[:, top : top + high, left : left + wide] += part
        self.weights -= self.lr * np.einsum("cijkl,fij->fckl", self.view, dy)
        self.bias -= self.lr * dy.sum(axis=(1, 2))
        return dx


class TurnedSides(Sides):
    turned = True


class Sized:
    """Both sizes in one pair; a batch has a method of its own, which takes its number too."""

    mean = False

    def __init__(self, size):
        self.weights, self.biases = np.ones((size[1], size[0])), np.zeros((size[1], 1))

    def forward(self, a):
        return self.weights @ a + self.biases

    def forward_batch(self, a, m):
        self.a = a
        return a @ self.weights.T + np.repeat(self.biases, m, axis=1).T

    def backprop(self, delta):
        self.nw, self.nb = delta.T @ self.a, delta.sum(axis=0)[:, None]
        self.nb = self.nb / len(delta) if self.mean else self.nb
        return delta @ self.weights


class MeanSized(Sized):
    mean = True


class ShapePool:
    """The window as `shape`, channels last; `out` is what comes back in backward, into which it writes."""

    def __init__(self, shape):
        self.rows, self.cols = shape

    def forward(self, x, train):
        n, h, w, c = x.shape
        tiles = x.reshape(n, h // self.rows, self.rows, w // self.cols, self.cols, c)
        return tiles.mean(axis=(2, 4))

    def backward(self, out, input, output):
        out /= self.rows * self.cols
        return out.repeat(self.rows, axis=1).repeat(self.cols, axis=2)


class ShapeSum(ShapePool):
    def backward(self, out, input, output):
        return out.repeat(self.rows, axis=1).repeat(self.cols, axis=2)


def pool_forward(x, pool_param):
    stride, high, wide = pool_param["stride"], pool_param["height"], pool_param["width"]
    view = np.lib.stride_tricks.sliding_window_view(x, (high, wide), (2, 3))[:, :, ::stride, ::stride]
    return view.max(axis=(4, 5))


def pool_forward_transposed(x, pool_param):
    turned = {**pool_param, "height": pool_param["width"], "width": pool_param["height"]}
    return pool_forward(x, turned)[:, :, ::-1]


class ShapeNorm:
    """Sizes of an image, of which rows have one number per channel."""

    power = 1

    def __init__(self, X_dim):
        self.channels, self.h, self.w = X_dim
        size = self.channels * self.h * self.w
        self.gamma, self.beta = np.ones((1, size)), np.zeros((1, size))

    def forward(self, X):
        flat = X.reshape(len(X), -1)
        self.std = np.sqrt(flat.var(axis=0) + 1e-5)
        self.z = (flat - flat.mean(axis=0)) / self.std
        return (self.gamma * self.z + self.beta).reshape(X.shape)

    def backward(self, dout):
        dout, n = dout.reshape(len(dout), -1), len(dout)
        dgamma, dbeta = (dout * self.z).sum(axis=0), dout.sum(axis=0)
        dx = self.gamma / self.std**self.power / n * (n * dout - dbeta - self.z * dgamma)
        return dx, dgamma, dbeta


class ShapeNormSquared(ShapeNorm):
    power = 2


CASES = [
    (ShapeConv, "convolution", "right"),
    (MeanShapeConv, "convolution", "wrong"),
    (Sides, "convolution", "right"),
    (TurnedSides, "convolution", "wrong"),
    (Sized, "affine", "right"),
    (MeanSized, "affine", "wrong"),
    (ShapePool, "average_pooling", "right_but"),  # it writes into dout
    (ShapeSum, "average_pooling", "wrong"),
    (pool_forward, "max_pooling", "right"),
    (pool_forward_transposed, "max_pooling", "wrong"),
    (ShapeNorm, "batch_norm", "right"),
    (ShapeNormSquared, "batch_norm", "wrong"),
]


@pytest.mark.parametrize(("factory", "kind", "outcome"), CASES, ids=[case[0].__name__ for case in CASES])
def test_it_is_called_and_judged(factory, kind, outcome):
    verdict = verify(factory, kind, isolated=False, adapter="auto")
    assert verdict.outcome == outcome, str(verdict)


def test_a_layer_for_one_size_of_a_batch_is_held_to_that():
    verdict = verify(ShapeConv, "convolution", isolated=False, adapter="auto")
    assert "batches of another size than it was built for" in verdict.not_checked
