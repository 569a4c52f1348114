"""Layers and optimizers as people write them: right, and built or called in ways of their own."""

import numpy as np
import right

from parity.adapters import BookAdapter


class Conv2d(right.Convolution):
    """PyTorch's constructor, and one integer for the kernel."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        weight = np.zeros((out_channels, in_channels, kernel_size, kernel_size))
        super().__init__(weight, np.zeros(out_channels), stride, padding)


class SquareConv(BookAdapter):
    """How Conv2d is built."""

    def build(self, factory, probe, copy=True):
        W, b = probe.args["W"], probe.args["b"]
        FN, C, FH, FW = W.shape
        if FH != FW:
            raise NotImplementedError("one integer for the kernel")
        layer = factory(C, FN, FH, probe.args["stride"], probe.args["pad"])
        layer.W, layer.b = (W.copy(), b.copy()) if copy else (W, b)
        return layer


class MaxPool2d(right.MaxPooling):
    """One size for the window; a stride that is 2 unless it is given."""

    def __init__(self, kernel_size=2, stride=2, padding=0):
        super().__init__(kernel_size, kernel_size, stride, padding)


class PoolingByWindow(right.MaxPooling):
    def __init__(self, pool_h, pool_w, stride=None, pad=0):
        super().__init__(pool_h, pool_w, stride or pool_h, pad)


class PoolingWithoutPad(right.MaxPooling):
    def __init__(self, pool_h, pool_w, stride=1, pad=0):
        assert pad == 0
        super().__init__(pool_h, pool_w, stride)


class NoPixelsOver(right.Convolution):
    """Refuses what the stride does not divide."""

    def forward(self, x):
        for size, k in zip(x.shape[2:], self.W.shape[2:], strict=True):
            if (size + 2 * self.pad - k) % self.stride:
                raise ValueError("invalid output dimension")
        return super().forward(x)


class OneHotLoss:
    """Rows of a one-hot matrix, and nothing else, as labels."""

    def forward(self, x, t):
        z = x - x.max(axis=1, keepdims=True)
        logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        self.y, self.t = np.exp(logs), t.astype(x.dtype)
        return -(self.t * logs).sum() / x.dtype.type(len(x))

    def backward(self, dout=1):
        return (self.y - self.t) / self.y.dtype.type(len(self.y))


class LossReturnsTwo(right.SoftmaxWithLoss):
    """The loss and the probabilities."""

    def forward(self, x, t):
        return super().forward(x, t), self.y


class Called(right.Relu):
    """`layer(x)` for `layer.forward(x)`."""

    def __getattribute__(self, name):
        if name == "forward":
            raise AttributeError(name)
        return super().__getattribute__(name)

    def __call__(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0)


class Dense:
    """backward fails, and what it would have left is not there."""

    def __init__(self, n_in, n_out):
        self.weights = np.zeros((n_in, n_out))

    def forward(self, x):
        self.x = x.reshape(len(x), -1)
        return self.x @ self.weights + self.biases

    def backward(self, dout):
        raise ValueError("a mistake of mine")


class DenseAdapter(BookAdapter):
    def build(self, factory, probe, copy=True):
        layer = factory(*probe.args["W"].shape)
        layer.weights, layer.biases = probe.args["W"], probe.args["b"]
        return layer

    def state(self, layer, probe):
        return {"dW": layer.dweights, "db": layer.dbiases}


class BatchNorm2d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.num_features = num_features


class SGD:
    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def update(self, params, grads):
        for key in params:
            params[key] -= self.learning_rate * grads[key]


class MomentumOfOne:
    """Knows one array, and gives back the new one."""

    def __init__(self, eta, mu):
        self.eta, self.mu, self.v = eta, mu, 0

    def update(self, w, dw):
        self.v = self.mu * self.v - self.eta * dw
        return w + self.v


def sgd_momentum(w, dw, config=None):
    v = config["momentum"] * config.get("velocity", np.zeros_like(w)) - config["learning_rate"] * dw
    config["velocity"] = v
    return w + v, config


def max_pool_forward(x, pool_param):
    """The course's: no pad."""
    layer = right.MaxPooling(pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"])
    return layer.forward(x), layer


def max_pool_backward(dout, cache):
    return cache.backward(dout)


def dropout_forward(x, dropout_param):
    """The course's: p is the share that is kept."""
    p = dropout_param["p"]
    if dropout_param["mode"] == "test":
        return x, (dropout_param, None)
    mask = ((np.random.rand(*x.shape) < p) / p).astype(x.dtype)  # noqa: NPY002
    return x * mask, (dropout_param, mask)


def dropout_forward_swapped(x, dropout_param):
    return dropout_forward(x, dropout_param | {"p": 1 - dropout_param["p"]})


def dropout_backward(dout, cache):
    return dout * cache[1]


def spatial_forward(x, gamma, beta, bn_param):
    """Images alone."""
    x.transpose(0, 2, 3, 1)  # which rows do not have
    layer = right.BatchNormalization(
        gamma, beta, bn_param["momentum"], bn_param["running_mean"], bn_param["running_var"]
    )
    out = layer.forward(x, bn_param["mode"] == "train")
    bn_param["running_mean"], bn_param["running_var"] = layer.running_mean, layer.running_var
    return out, layer


def spatial_backward(dout, cache):
    dx = cache.backward(dout)
    return dx, cache.dgamma, cache.dbeta
