"""More styles: no way to infer, images only, f'(x) called backward, a dx that a slice empties."""

import numpy as np

RNG = np.random.default_rng()


class DropoutAlways:
    """There is nothing to switch it off by."""

    def __init__(self, rate):
        self.keep = 1 - rate

    def forward(self, inputs):
        self.mask = (RNG.random(inputs.shape) < self.keep) / inputs.dtype.type(self.keep)
        self.output = (inputs * self.mask).astype(inputs.dtype)

    def backward(self, dvalues):
        self.dinputs = (dvalues * self.mask).astype(dvalues.dtype)


class BatchNorm2D:
    def __init__(self, num_features, momentum=0.1):
        self.gamma, self.beta = np.ones((1, num_features, 1, 1)), np.zeros((1, num_features, 1, 1))
        self.running_mean, self.running_var = np.zeros_like(self.gamma), np.ones_like(self.gamma)
        self.momentum, self.ddof = momentum, 1

    def forward(self, x, training=True):
        mean, var = self.running_mean, self.running_var
        if training:
            mean, var = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
            new = x.var((0, 2, 3), keepdims=True, ddof=self.ddof)
            m = x.dtype.type(self.momentum)
            self.running_mean = (m * mean + (1 - m) * self.running_mean).astype(x.dtype)
            self.running_var = (m * new + (1 - m) * self.running_var).astype(x.dtype)
        return (self.gamma * (x - mean) / np.sqrt(var + x.dtype.type(1e-5)) + self.beta).astype(x.dtype)


class BatchNorm2DBiased(BatchNorm2D):
    def __init__(self, num_features, momentum=0.1):
        super().__init__(num_features, momentum)
        self.ddof = 0


class Tanh:
    """What is called backward is the derivative at x."""

    def forward(self, x):
        return np.tanh(x)

    def backward(self, x):
        return 1 - np.tanh(x) ** 2


class TanhWrong(Tanh):
    def backward(self, x):
        return 1 - np.tanh(x)


class TanhOfGradient(Tanh):
    """x here is the gradient that comes in."""

    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, x):
        return x * (1 - self.out**2)


class JuggledReLU:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


class FullyConected:
    """The batch's size comes to backward."""

    def __init__(self, ins, outs, activation="relu"):
        self.weights, self.bias = RNG.standard_normal((ins, outs)), np.zeros((1, outs))
        self.activation = activation

    def forward(self, input):
        self.input = input
        self.z = input @ self.weights + self.bias
        return np.maximum(self.z, 0) if self.activation == "relu" else self.z

    def backward(self, dl, batch_size):
        dl = dl * (self.z > 0) if self.activation == "relu" else dl
        self.dw, self.db = self.input.T @ dl, dl.sum(axis=0)
        assert len(dl) == batch_size
        return dl @ self.weights.T


class LossWithProbabilities:
    def forward(self, logits, labels):
        y = np.exp(logits - logits.max(axis=1, keepdims=True))
        y /= y.sum(axis=1, keepdims=True)
        return -np.log(y[range(len(y)), labels]).mean(), y

    def backward(self, probs, labels):
        grad = probs.copy()
        grad[range(len(grad)), labels] -= 1
        return grad / grad.dtype.type(len(grad))


def columns(x, fh, fw, padding, stride):
    N, C, H, W = x.shape
    p = padding
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    OH, OW = (H + 2 * p - fh) // stride[0] + 1, (W + 2 * p - fw) // stride[1] + 1
    col = np.empty((C, fh, fw, OH, OW, N), x.dtype)
    for i in range(fh):
        for j in range(fw):
            part = x[:, :, i : i + stride[0] * OH : stride[0], j : j + stride[1] * OW : stride[1]]
            col[:, i, j] = part.transpose(1, 2, 3, 0)
    return col.reshape(C * fh * fw, -1)


def im2col_indices(x, fh, fw, padding=1, stride=(1, 1)):
    return columns(x, fh, fw, padding, stride)


class Conv2D:
    """A stride of two numbers, a pad of one."""

    def __init__(self, in_channels, out_channels, kernel_size, padding=0, stride=(1, 1)):
        self.w = RNG.standard_normal((out_channels, in_channels, *kernel_size))
        self.b = np.zeros(out_channels)
        self.padding, self.stride = padding, stride

    def forward(self, x):
        FN, _, FH, FW = self.w.shape
        p, (sh, sw) = self.padding, self.stride
        self.shape = x.shape
        OH, OW = (x.shape[2] + 2 * p - FH) // sh + 1, (x.shape[3] + 2 * p - FW) // sw + 1
        self.col = columns(x, FH, FW, p, self.stride)
        out = self.w.reshape(FN, -1) @ self.col + self.b[:, None]
        return out.reshape(FN, OH, OW, len(x)).transpose(3, 0, 1, 2)

    def backward(self, dout):
        FN, C, FH, FW = self.w.shape
        (N, _, H, W), (sh, sw), p = self.shape, self.stride, self.padding
        flat = dout.transpose(1, 2, 3, 0).reshape(FN, -1)
        self.dw, self.db = (flat @ self.col.T).reshape(self.w.shape), dout.sum((0, 2, 3))
        OH, OW = dout.shape[2:]
        col = (self.w.reshape(FN, -1).T @ flat).reshape(C, FH, FW, OH, OW, N)
        dx = np.zeros((N, C, H + 2 * p, W + 2 * p), dout.dtype)
        for i in range(FH):
            for j in range(FW):
                dx[:, :, i : i + sh * OH : sh, j : j + sw * OW : sw] += col[:, i, j].transpose(3, 0, 1, 2)
        self.dx = self.cut(dx, H, W)

    def cut(self, dx, H, W):
        p = self.padding
        return dx[:, :, p : p + H, p : p + W]


class Conv2DSliced(Conv2D):
    def cut(self, dx, H, W):
        p = self.padding
        return dx[:, :, p:-p, p:-p]


class DenseWithReLU:
    def __init__(self, n_in, n_out):
        self.W, self.b = RNG.standard_normal((n_in, n_out)), np.zeros(n_out)

    def forward(self, x):
        self.x, z = x, x @ self.W + self.b
        self.on = z > 0
        return z * self.on

    def backward(self, dout):
        dout = dout * self.on
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class DenseThatClips(DenseWithReLU):
    """It is no activation that is known."""

    def forward(self, x):
        return np.minimum(super().forward(x), 1)


class NotInverted:
    def __init__(self, ratio):
        self.ratio, self.training = ratio, True

    def forward(self, x):
        if not self.training:
            return x * x.dtype.type(1 - self.ratio)
        self.mask = RNG.random(x.shape) > self.ratio
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask if self.training else dout * dout.dtype.type(1 - self.ratio)


class NeverScaled(NotInverted):
    def forward(self, x):
        return super().forward(x) if self.training else x.copy()


class FCLayer:
    """Its sizes come in a dict."""

    def __init__(self, layer_info):
        self.n_in, self.n_out = layer_info["input_size"], layer_info["output_size"]
        self.activation = layer_info.get("activation_type", "relu")
        self.W, self.b = RNG.standard_normal((self.n_in, self.n_out)), np.zeros(self.n_out)

    def forward(self, x):
        self.x = x
        return np.maximum(x @ self.W + self.b, 0) if self.activation == "relu" else x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class FCLayerMean(FCLayer):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW / len(dout)
        return dx
