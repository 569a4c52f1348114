"""Constructors that take the input itself, and poolings that ask for one size of a name that says nothing."""

import numpy as np
import pytest

from parity.verification.verify import verify


class Pool:
    """Takes its input twice; shares the gradient among equal maxima."""

    scale = 1

    def __init__(self, input, siz):
        self.x, self.k = input, siz

    def forward(self, input):
        self.x = input
        n, c, h, w = input.shape
        self.tiles = input.reshape(n, c, h // self.k, self.k, w // self.k, self.k)
        self.out = self.tiles.max(axis=(3, 5))
        return self.out

    def backward(self, grad):
        mask = self.tiles == self.out[:, :, :, None, :, None]
        share = mask / mask.sum(axis=(3, 5), keepdims=True)
        return self.scale * (share * grad[:, :, :, None, :, None]).reshape(self.x.shape)


class DoublePool(Pool):
    scale = 2


class BatchNorm:
    """Is built on each batch anew; forward takes nothing."""

    def __init__(self, x, gamma, beta, eps=1e-12):
        self.x, self.gamma, self.beta, self.eps = x, gamma, beta, eps

    def forward_pass(self):
        self.std = np.sqrt(self.x.var(axis=0) + self.eps)
        self.z = (self.x - self.x.mean(axis=0)) / self.std
        return self.gamma * self.z + self.beta

    def backward_pass(self, d_out):
        n, dgamma, dbeta = len(d_out), (d_out * self.z).sum(axis=0), d_out.sum(axis=0)
        return self.gamma / self.std / n * (n * d_out - dbeta - self.z * dgamma), dgamma, dbeta


class MeanBatchNorm(BatchNorm):
    def backward_pass(self, d_out):
        dx, dgamma, dbeta = super().backward_pass(d_out)
        return dx, dgamma / len(d_out), dbeta


class Sizes:
    """One size and a stride, by whatever names."""

    def __init__(self, siz, stride):
        self.siz, self.stride = siz, stride

    def forward(self, x):
        ys, xs = (range(0, n - self.siz + 1, self.stride) for n in x.shape[2:])
        tiles = [[x[:, :, i : i + self.siz, j : j + self.siz].max(axis=(2, 3)) for j in xs] for i in ys]
        return np.array(tiles).transpose(2, 3, 0, 1)


@pytest.mark.parametrize(
    ("cls", "outcome"), [(Pool, "right_but"), (DoublePool, "wrong"), (Sizes, "right")], ids=lambda a: str(a)
)
def test_one_size_is_that_of_both_axes(cls, outcome):
    verdict = verify(cls, "max_pooling", isolated=False)
    assert verdict.outcome == outcome, str(verdict)


def test_an_input_is_no_size():
    assert "called       as Pool(input, siz)" in str(verify(Pool, "max_pooling", isolated=False))


def test_an_object_on_each_batch():
    verdict = verify(BatchNorm, "batch_norm", isolated=False)
    assert verdict.outcome == "right" and "inference" in verdict.not_checked, str(verdict)


def test_an_object_on_each_batch_is_judged():
    verdict = verify(MeanBatchNorm, "batch_norm", isolated=False)
    assert verdict.outcome == "wrong" and "dgamma" in str(verdict), str(verdict)
