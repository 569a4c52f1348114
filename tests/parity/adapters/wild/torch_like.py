"""The constructors of torch.nn; gradients in attributes or in a dict."""

import numpy as np


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


class Conv2d:
    """Takes an integer or a pair everywhere, and no bias if it is asked to."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        self.stride, self.padding = pair(stride), pair(padding)
        self.weight = np.zeros((out_channels, in_channels, *pair(kernel_size)))
        self.bias = np.zeros(out_channels) if bias else None
        self.grads = {}

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        (ph, pw), (sh, sw) = self.padding, self.stride
        _FN, _, FH, FW = self.weight.shape
        self.x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
        windows = np.lib.stride_tricks.sliding_window_view(self.x, (FH, FW), (2, 3))[:, :, ::sh, ::sw]
        out = np.einsum("ncyxij,fcij->nfyx", windows, self.weight)
        return out if self.bias is None else out + self.bias[:, None, None]

    def backward(self, grad_output):
        (ph, pw), (sh, sw) = self.padding, self.stride
        FH, FW = self.weight.shape[2:]
        dx, dW = np.zeros_like(self.x), np.zeros_like(self.weight)
        for i in range(FH):
            for j in range(FW):
                rows = slice(i, i + sh * (grad_output.shape[2] - 1) + 1, sh)
                columns = slice(j, j + sw * (grad_output.shape[3] - 1) + 1, sw)
                dW[:, :, i, j] = np.einsum("nfyx,ncyx->fc", grad_output, self.x[:, :, rows, columns])
                dx[:, :, rows, columns] += np.einsum("nfyx,fc->ncyx", grad_output, self.weight[:, :, i, j])
        self.grads = {"weight": dW}
        if self.bias is not None:
            self.grads["bias"] = grad_output.sum(axis=(0, 2, 3))
        return dx[:, :, ph : dx.shape[2] - ph, pw : dx.shape[3] - pw]


class Conv2dWrong(Conv2d):
    """Rows and columns of the stride are exchanged."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias)
        self.stride = self.stride[::-1]


class Linear:
    """y = x W^T + b."""

    def __init__(self, in_features, out_features, bias=True):
        self.weight, self.bias = np.zeros((out_features, in_features)), np.zeros(out_features)
        self.weight_grad = self.bias_grad = None

    def forward(self, x):
        self.x = x
        return x @ self.weight.T + self.bias

    def backward(self, grad):
        self.weight_grad, self.bias_grad = grad.T @ self.x, grad.sum(axis=0)
        return grad @ self.weight


class LinearWrong(Linear):
    def backward(self, grad):
        dx = super().backward(grad)
        self.bias_grad = grad.mean(axis=0)
        return dx


class MaxPool2d:
    """The stride is the window unless it is given."""

    def __init__(self, kernel_size, stride=None, padding=0):
        self.k, self.s, self.p = kernel_size, stride or kernel_size, padding

    def forward(self, x):
        k, s, p = self.k, self.s, self.p
        self.x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), constant_values=-np.inf)
        N, C, H, W = self.x.shape
        self.windows = {}
        out = np.empty((N, C, (H - k) // s + 1, (W - k) // s + 1), x.dtype)
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                out[:, :, i, j] = self.x[:, :, i * s : i * s + k, j * s : j * s + k].max(axis=(2, 3))
        return out

    def backward(self, grad):
        k, s, p = self.k, self.s, self.p
        N, C = grad.shape[:2]
        dx = np.zeros(self.x.shape, grad.dtype)
        for i in range(grad.shape[2]):
            for j in range(grad.shape[3]):
                window = self.x[:, :, i * s : i * s + k, j * s : j * s + k].reshape(N, C, -1)
                hot = np.eye(k * k, dtype=grad.dtype)[window.argmax(axis=2)].reshape(N, C, k, k)
                dx[:, :, i * s : i * s + k, j * s : j * s + k] += hot * grad[:, :, i, j, None, None]
        return dx[:, :, p : dx.shape[2] - p, p : dx.shape[3] - p]


class BatchNorm2d:
    """PyTorch's momentum (the share of what is new) and an unbiased running variance; images only."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.eps, self.momentum, self.training = eps, momentum, True

    def train(self):
        self.training = True

    def eval(self):
        self.training = False

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var, n = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3)), x.size // x.shape[1]
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * var * n / (n - 1)
        self.std = np.sqrt(var + self.eps)[:, None, None]
        self.y = (x - mean[:, None, None]) / self.std
        return self.gamma[:, None, None] * self.y + self.beta[:, None, None]

    def backward(self, dout):
        axes = (0, 2, 3)
        self.dgamma, self.dbeta = (dout * self.y).sum(axis=axes), dout.sum(axis=axes)
        dy = dout * self.gamma[:, None, None]
        if not self.training:
            return dy / self.std
        middle = dy.mean(axis=axes)[:, None, None] + self.y * (dy * self.y).mean(axis=axes)[:, None, None]
        return (dy - middle) / self.std
