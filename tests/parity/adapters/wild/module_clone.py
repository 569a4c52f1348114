"""A clone of torch's modules: Parameter objects with .data and .grad, in a base class Module."""

import numpy as np


class Parameter:
    def __init__(self, data):
        self.data = data
        self.grad = np.zeros_like(data)


class Module:
    def __init__(self):
        self.training = True
        self._saved = None

    def train(self):
        self.training = True

    def eval(self):
        self.training = False

    def parameters(self):
        return [value for value in vars(self).values() if isinstance(value, Parameter)]

    def zero_grad(self):
        for parameter in self.parameters():
            parameter.grad[...] = 0

    def __call__(self, *args):
        return self.forward(*args)


class Linear(Module):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        bound = 1 / np.sqrt(in_features)
        rng = np.random.default_rng(0)
        self.weight = Parameter(rng.uniform(-bound, bound, (out_features, in_features)))
        self.bias = Parameter(np.zeros(out_features)) if bias else None

    def forward(self, x):
        self._saved = x
        out = x @ self.weight.data.T
        return out if self.bias is None else out + self.bias.data

    def backward(self, grad_output):
        self.weight.grad += grad_output.T @ self._saved
        if self.bias is not None:
            self.bias.grad += grad_output.sum(axis=0)
        return grad_output @ self.weight.data


class LinearWrong(Linear):
    def backward(self, grad_output):
        super().backward(grad_output)
        return grad_output @ np.ones_like(self.weight.data)


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__()
        k = kernel_size
        self.stride, self.padding, self.k = stride, padding, k
        self.weight = Parameter(np.random.default_rng(0).standard_normal((out_channels, in_channels, k, k)))
        self.bias = Parameter(np.zeros(out_channels))

    def _windows(self, x):
        p = self.padding
        x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        view = np.lib.stride_tricks.sliding_window_view(x, (self.k, self.k), axis=(2, 3))
        return x, view[:, :, :: self.stride, :: self.stride]

    def forward(self, x):
        self._shape = x.shape
        _, self._saved = self._windows(x)
        out = np.einsum("nchwij,ocij->nohw", self._saved, self.weight.data, optimize=True)
        return out + self.bias.data[None, :, None, None]

    def backward(self, grad_output):
        self.weight.grad += np.einsum("nohw,nchwij->ocij", grad_output, self._saved, optimize=True)
        self.bias.grad += grad_output.sum(axis=(0, 2, 3))
        N, C, H, W = self._shape
        p, s = self.padding, self.stride
        dx = np.zeros((N, C, H + 2 * p, W + 2 * p), dtype=grad_output.dtype)
        _, _, OH, OW = grad_output.shape
        for i in range(self.k):
            for j in range(self.k):
                part = np.einsum("nohw,oc->nchw", grad_output, self.weight.data[:, :, i, j], optimize=True)
                dx[:, :, i : i + s * OH : s, j : j + s * OW : s] += part
        return dx[:, :, p : p + H, p : p + W]


class Conv2dTurned(Conv2d):
    def backward(self, grad_output):
        self.weight.data = self.weight.data[:, :, ::-1, ::-1]
        dx = super().backward(grad_output)
        self.weight.data = self.weight.data[:, :, ::-1, ::-1]
        return dx


class ReLU(Module):
    def forward(self, x):
        self._saved = x > 0
        return x * self._saved

    def backward(self, grad_output):
        return grad_output * self._saved


class Dropout(Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0:
            self._saved = None
            return x
        keep = np.random.default_rng().random(x.shape) >= self.p
        self._saved = keep.astype(x.dtype) / x.dtype.type(1 - self.p)
        return x * self._saved

    def backward(self, grad_output):
        return grad_output if self._saved is None else grad_output * self._saved


class BatchNorm1d(Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight, self.bias = Parameter(np.ones(num_features)), Parameter(np.zeros(num_features))
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)

    def forward(self, x):
        if self.training:
            mean, var, n = x.mean(axis=0), x.var(axis=0), len(x)
            m = self.momentum
            self.running_mean = (1 - m) * self.running_mean + m * mean
            self.running_var = (1 - m) * self.running_var + m * var * n / (n - 1)
        else:
            mean, var = self.running_mean, self.running_var
        self._std = np.sqrt(var + self.eps)
        self._saved = (x - mean) / self._std
        return self.weight.data * self._saved + self.bias.data

    def backward(self, grad_output):
        self.weight.grad += (grad_output * self._saved).sum(axis=0)
        self.bias.grad += grad_output.sum(axis=0)
        d = grad_output * self.weight.data
        if not self.training:
            return d / self._std
        return (d - d.mean(axis=0) - self._saved * (d * self._saved).mean(axis=0)) / self._std


class CrossEntropyLoss(Module):
    def forward(self, logits, target):
        z = logits - logits.max(axis=1, keepdims=True)
        log_probs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        self._saved = np.exp(log_probs), target
        return -log_probs[np.arange(len(target)), target].mean()

    def backward(self):
        probs, target = self._saved
        grad = probs.copy()
        grad[np.arange(len(target)), target] -= 1
        return grad / len(target)


class Flatten(Module):
    def forward(self, x):
        self._shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, grad_output):
        return grad_output.reshape(self._shape)


class SGD:
    def __init__(self, params, lr=0.01):
        self.params, self.lr = params, lr

    def step(self):
        for p in self.params:
            p.data -= self.lr * p.grad

    def zero_grad(self):
        for p in self.params:
            p.grad[...] = 0


class Adam:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.lr, self.betas, self.eps = list(params), lr, betas, eps
        self.m = [np.zeros_like(p.data) for p in self.params]
        self.v = [np.zeros_like(p.data) for p in self.params]
        self.t = 0

    def step(self):
        self.t += 1
        b1, b2 = self.betas
        for i, p in enumerate(self.params):
            self.m[i] = b1 * self.m[i] + (1 - b1) * p.grad
            self.v[i] = b2 * self.v[i] + (1 - b2) * p.grad**2
            m, v = self.m[i] / (1 - b1**self.t), self.v[i] / (1 - b2**self.t)
            p.data -= self.lr * m / (np.sqrt(v) + self.eps)
