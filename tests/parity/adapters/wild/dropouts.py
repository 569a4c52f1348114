"""Dropout whose mask has another name, lies in a cache, or is not kept at all."""

import numpy as np

RNG = np.random.default_rng()


class OtherName:
    def __init__(self, rate=0.5):
        self.rate, self.training = rate, True

    def forward(self, x):
        if not self.training:
            return x.copy()
        self.r = ((RNG.random(x.shape) > self.rate) / (1 - self.rate)).astype(x.dtype)
        return x * self.r

    def backward(self, dout):
        return dout * self.r


class InCache:
    def __init__(self, keep_prob):
        self.keep_prob = keep_prob

    def forward(self, A, training=True):
        if not training:
            return A * 1
        D = RNG.random(A.shape) < self.keep_prob
        self.cache = (A, D)
        return A * D / A.dtype.type(self.keep_prob)

    def backward(self, dA):
        _, D = self.cache
        return dA * D / dA.dtype.type(self.keep_prob)


class InCacheNotScaled(InCache):
    def backward(self, dA):
        return dA * self.cache[1]


def dropout_forward(x, dropout_param):
    p, mask = dropout_param["p"], None
    out = x.copy()
    if dropout_param["mode"] == "train":
        mask = ((RNG.random(x.shape) < p) / p).astype(x.dtype)
        out = x * mask
    return out, (dropout_param, mask)


def dropout_backward(dout, cache):
    param, mask = cache
    return dout * mask if param["mode"] == "train" else dout


def dropout(x, p, training=True):
    return x * (RNG.random(x.shape) > p) / x.dtype.type(1 - p) if training else x.copy()


def dropout_twice(x, p, training=True):
    return dropout(x, p, training) / x.dtype.type(1 - p)


def dropped_forward(x, dropout_param):
    """Here p is the share that is dropped, as in the course's first years."""
    p, mask = dropout_param["p"], None
    if dropout_param["mode"] == "train":
        mask = (RNG.random(x.shape) >= p).astype(x.dtype)
        return x * mask / x.dtype.type(1 - p), (dropout_param, mask)
    return x.copy(), (dropout_param, mask)


def dropped_backward(dout, cache):
    param, mask = cache
    return dout * mask / dout.dtype.type(1 - param["p"]) if param["mode"] == "train" else dout


def dropped_backward_not_scaled(dout, cache):
    return dout * cache[1] if cache[0]["mode"] == "train" else dout


class Kept:
    """p is the share that is kept."""

    def __init__(self, p):
        self.p, self.training = p, True

    def forward(self, x):
        self.mask = (self.drawn(x.shape) < self.p).astype(x.dtype)
        return x * self.mask / x.dtype.type(self.p) if self.training else x.copy()

    def drawn(self, shape):
        return RNG.random(shape)

    def backward(self, dout):
        return dout * self.mask / dout.dtype.type(self.p) if self.training else dout.copy()


class KeptWronglyScaled(Kept):
    def forward(self, x):
        return super().forward(x) * x.dtype.type(self.p / (1 - self.p) if self.training else 1)


class DrawnNormal(Kept):
    """randn for rand."""

    def drawn(self, shape):
        return RNG.standard_normal(shape)


class OneMaskForAllRows:
    def __init__(self, keep_prob=0.8):
        self.keep_prob = keep_prob

    def forward(self, x, training=True):
        if not training:
            return x
        self.mask = (np.random.rand(*x.shape[1:]) < self.keep_prob) / self.keep_prob  # noqa: NPY002
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask
