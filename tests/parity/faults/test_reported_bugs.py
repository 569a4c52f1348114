"""Bugs as people reported them, written without the catalogue: each is named."""

import numpy as np
import pytest

from parity.adapters.conventions import ADAPTERS
from parity.faults.diagnose import diagnose, observe
from parity.kinds.probes import probes


class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max())
        return e / e.sum()


class Adam:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999):
        self.lr, self.beta1, self.beta2, self.t = lr, beta1, beta2, 0

    def update(self, params, grads):
        self.t += 1
        for key, p in params.items():
            m, v = (1 - self.beta1) * grads[key], (1 - self.beta2) * grads[key] ** 2
            m, v = m / (1 - self.beta1**self.t), v / (1 - self.beta2**self.t)
            p -= self.lr * m / (np.sqrt(v) + 1e-8)


class AdaGrad:
    def __init__(self, lr=0.01):
        self.lr, self.h = lr, {}

    def update(self, params, grads):
        for key, p in params.items():
            self.h[key] = self.h.get(key, 0) + grads[key] ** 2
            p -= self.lr * grads[key] / np.sqrt(self.h[key] + 1e-7)


def convolve(x, W, b, stride, pad):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, W.shape[2:], (2, 3))[:, :, ::stride, ::stride]
    return np.ascontiguousarray(np.einsum("ncyxij,fcij->nfyx", windows, W) + b[:, None, None])


class Convolution:
    def __init__(self, W, b, stride=1, pad=0):
        self.W, self.b, self.stride, self.pad = W, b, stride, pad


class FirstImage(Convolution):
    def forward(self, x):
        return np.repeat(convolve(x[:1], self.W, self.b, self.stride, self.pad), len(x), axis=0)


class FirstChannel(Convolution):
    def forward(self, x):
        return convolve(x[:, :1], self.W[:, :1], self.b, self.stride, self.pad)


class BiasInside(Convolution):
    def forward(self, x):
        return convolve(x, self.W, self.b * self.W[0].size, self.stride, self.pad)


class BatchNorm:
    def __init__(self, gamma, beta, momentum=0.9, running_mean=None, running_var=None):
        self.gamma, self.beta, self.momentum = gamma, beta, momentum
        self.running_mean, self.running_var = running_mean, running_var

    def forward(self, x, train_flg=True):
        axes, column = ((0,), (1, -1)) if x.ndim == 2 else ((0, 2, 3), (1, -1, 1, 1))
        mean, var = self.running_mean, self.running_var
        if train_flg:
            mean, var = x.mean(axis=axes), x.var(axis=axes)
            self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mean
            unbiased = x.var(axis=axes, ddof=1)
            self.running_var = self.momentum * self.running_var + (1 - self.momentum) * unbiased
        return self.normalise(x, mean.reshape(column), var.reshape(column), column).astype(x.dtype)

    def normalise(self, x, mean, var, column):
        z = (x - mean) / np.sqrt(var) + 1e-5
        return z * self.gamma.reshape(column) + self.beta.reshape(column)


class GammaIgnored(BatchNorm):
    def normalise(self, x, mean, var, column):
        return (x - mean) / np.sqrt(var + 1e-5) + self.beta.reshape(column)


REPORTED = {
    "softmax-over-everything": ("softmax", Softmax),
    "adam-moments-reset": ("adam", Adam),
    "adagrad-book-eps-inside-the-root": ("adagrad", AdaGrad),
    "conv-first-image-only": ("convolution", FirstImage),
    "conv-first-channel-only": ("convolution", FirstChannel),
    "conv-bias-inside-the-sum": ("convolution", BiasInside),
    "batch-norm-eps-after-the-division": ("batch_norm", BatchNorm),
    "batch-norm-gamma-ignored": ("batch_norm", GammaIgnored),
}


@pytest.mark.parametrize(("name", "case"), REPORTED.items(), ids=REPORTED)
def test_a_reported_bug_is_named(name, case):
    kind, broken = case
    optimizer = kind in ("adam", "adagrad")
    adapter = ADAPTERS["book" if optimizer else "forward_only"]
    lacks = {"pairs", "dilation", "groups", "no_bias", "weight_decay", "eps", "training"}
    cases = [p for p in probes(kind) if not p.needs & lacks and "eps" not in p.args]
    seen = observe(kind, broken, adapter, cases)
    assert not seen.ok
    if not optimizer:
        seen.records[:] = [row for row in seen.records if not row.tensor.startswith("d")]
    assert diagnose(seen, cases, 0, adapter).fault == name
