"""Other shapes that people give their layers: channels last, gradients in a dict, forward only."""

import numpy as np
import right


def first(a):
    return a.transpose(0, 3, 1, 2)


def last(a):
    return a.transpose(0, 2, 3, 1)


class ConvolutionNHWC(right.Convolution):
    def forward(self, x):
        return last(super().forward(first(x)))

    def backward(self, dout):
        return last(super().backward(first(dout)))


class ConvolutionHWIO(ConvolutionNHWC):
    def __init__(self, W, b, stride=1, pad=0):
        super().__init__(W.transpose(3, 2, 0, 1), b, stride, pad)

    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW.transpose(2, 3, 1, 0)
        return dx


class ConvolutionNHWCWrong(ConvolutionNHWC):
    def backward(self, dout):
        return super().backward(dout[:, ::-1])


class AffineDict:
    def __init__(self, W, b):
        self.params, self.grads = {"w": W, "b": b}, {}

    def forward(self, x):
        self.shape, self.x = x.shape, x.reshape(len(x), -1).copy()
        return self.x @ self.params["w"] + self.params["b"]

    def backward(self, dout):
        self.grads["w"], self.grads["b"] = self.x.T @ dout, dout.sum(axis=0)
        return (dout @ self.params["w"].T).reshape(self.shape)


class AffineDictWrong(AffineDict):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["b"] = self.grads["b"] * 2
        return dx


class MaxPoolingForward(right.MaxPooling):
    backward = None


class MaxPoolingForwardWrong(MaxPoolingForward):
    border = 0.0


def convolve(x, kernel, bias, step, margin):
    """A function with names of its own, and no gradient."""
    return right.Convolution(kernel, bias, step, margin).forward(x)


class Conv(right.Convolution):
    """Other names for the book's arguments, in the book's order."""

    def __init__(self, weights, biases, S=1, P=0):
        super().__init__(weights, biases, S, P)


class KeptMaskDropout:
    """Uses the mask that was set before the call, once."""

    def __init__(self, p):
        self.p, self.mask = p, None

    def forward(self, x, training=True):
        self.scale = np.ones(x.shape, dtype=x.dtype)
        if training:
            kept = np.random.random(x.shape) >= self.p if self.mask is None else self.mask  # noqa: NPY002
            self.scale, self.mask = kept / x.dtype.type(1 - self.p), None
        return x * self.scale

    def backward(self, dout):
        return dout * self.scale


class PythonFloatLoss(right.SoftmaxWithLoss):
    def forward(self, x, t):
        return float(super().forward(x, t))
