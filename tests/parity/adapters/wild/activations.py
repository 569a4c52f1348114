"""Activations as people write them: with a constant that is given, fixed, or only a default."""

import math

import numpy as np


class LeakyReLU:
    """A derivative beside the call, and the slope for the constructor."""

    def __init__(self, alpha=0.2):
        self.alpha = alpha

    def __call__(self, x):
        return np.where(x >= 0, x, self.alpha * x)

    def gradient(self, x):
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(self.alpha))


class LeakyReLUOfOneAtZero(LeakyReLU):
    """x >= 0 for the positive side: PyTorch's gradient at 0 is the slope."""

    def gradient(self, x):
        return np.where(x >= 0, x.dtype.type(1), x.dtype.type(self.alpha))


class SlopeForgotten(LeakyReLU):
    def gradient(self, x):
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))


class LReLU:
    """The slope is a number in the code."""

    def forward(self, inputs):
        self.inputs = inputs
        return np.where(inputs > 0, inputs, 0.1 * inputs)

    def backward(self, dvalues):
        return np.where(self.inputs > 0, dvalues, 0.1 * dvalues)


class LReLUOfTwoMinds(LReLU):
    def backward(self, dvalues):
        return np.where(self.inputs > 0, dvalues, 0.01 * dvalues)


class LReLUThatIsNone(LReLU):
    """No number is its slope: it is a parabola there."""

    def forward(self, inputs):
        self.inputs = inputs
        return np.where(inputs > 0, inputs, 0.1 * inputs * inputs)


def leaky_relu(x, alpha=0.05):
    return np.maximum(alpha * x, x)


def leaky_relu_derivative(x, alpha=0.05):
    dx = np.ones_like(x)
    dx[x <= 0] = alpha
    return dx


def leaky_relu_derivative_of_one_at_zero(x, alpha=0.05):
    dx = np.ones_like(x)
    dx[x < 0] = alpha
    return dx


class ELUOfOneAtZero:
    """PyTorch's gradient at 0 is alpha."""

    def __init__(self, alpha=0.1):
        self.alpha = alpha

    def __call__(self, x):
        return np.where(x >= 0, x, self.alpha * (np.exp(np.minimum(x, 0)) - 1))

    def gradient(self, x):
        return np.where(x >= 0, x.dtype.type(1), self(x) + self.alpha)


SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772


class SELUOfScaleAtZero:
    """PyTorch's gradient at 0 is scale * alpha."""

    def forward(self, x):
        self.x = x
        return SCALE * np.where(x >= 0, x, ALPHA * (np.exp(np.minimum(x, 0)) - 1))

    def backward(self, dout):
        return dout * SCALE * np.where(self.x >= 0, 1, ALPHA * np.exp(self.x)).astype(dout.dtype)


class ReLU6:
    def forward(self, x):
        self.x = x
        return np.clip(x, 0, 6)

    def backward(self, dout):
        return dout * ((self.x > 0) & (self.x < 6))


class ReLU6OfOneAtSix(ReLU6):
    """PyTorch's gradient at 0 and at 6 is 0."""

    def backward(self, dout):
        return dout * ((self.x > 0) & (self.x <= 6))


def lrelu(x, slope=0.01):
    return np.where(x > 0, x, slope * x)


def lrelu_derivative(x, slope=0.1):
    """Its default is another than the function's."""
    return np.where(x > 0, x.dtype.type(1), x.dtype.type(slope))


def elu(z, deriv=False):
    if deriv:
        return np.where(z > 0, z.dtype.type(1), 1.5 * np.exp(z))
    return np.where(z > 0, z, 1.5 * (np.exp(z) - 1))


class ELU:
    """The derivative of the negative side is y + alpha."""

    def __init__(self, alpha=0.1):
        self.alpha = alpha

    def forward(self, x):
        self.out = np.where(x > 0, x, self.alpha * (np.exp(np.minimum(x, 0)) - 1))
        return self.out

    def backward(self, grad):
        return grad * np.where(self.out > 0, 1, self.out + self.alpha).astype(grad.dtype)


class ELUWithoutAlpha(ELU):
    def backward(self, grad):
        return grad * np.where(self.out > 0, 1, self.out + 1).astype(grad.dtype)


def elu_act(x):
    return np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)


def d_elu_act(a):
    """Takes the output."""
    return np.where(a > 0, a.dtype.type(1), a + 1)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + x.dtype.type(0.044715) * x**3)))


def d_gelu(x):
    t = np.tanh(0.7978845608028654 * (x + 0.044715 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.7978845608028654 * (1 + 0.134145 * x**2)


class GELU:
    """Its flag is a bool of its own; its backward is that of the other form."""

    def __init__(self, approximate=True):
        self.approximate = approximate

    def forward(self, x):
        self.x = x
        return gelu(x)

    def backward(self, dout):
        P = np.vectorize(math.erfc, otypes=[float])(-self.x / math.sqrt(2)) / 2
        density = np.exp(-self.x * self.x / 2) / math.sqrt(2 * math.pi)
        return dout * (P + self.x * density).astype(dout.dtype)


class SoftPlus:
    def __call__(self, x):
        return np.log(1 + np.exp(x))

    def gradient(self, x):
        return 1 / (1 + np.exp(-x))


class TanH:
    """By the sigmoid: near 0 it is rounded as 1 is."""

    def __call__(self, x):
        return 2 / (1 + np.exp(-2 * x)) - 1

    def gradient(self, x):
        return 1 - np.power(self.__call__(x), 2)


def linear(x, derivative=False):
    return np.ones_like(x) if derivative else x


class SoftplusOfBeta:
    def __init__(self, beta=1.0, threshold=20.0):
        self.beta, self.threshold = beta, threshold

    def forward(self, x):
        self.x = x
        bx = self.beta * x
        return np.where(bx > self.threshold, x, np.log1p(np.exp(np.minimum(bx, self.threshold))) / self.beta)

    def backward(self, dout):
        return dout / (1 + np.exp(-np.clip(self.beta * self.x, -500, 500)))


def relu_of_keras(x, alpha=0.0, max_value=None):
    return np.where(x > 0, x, alpha * x)


def selu_of_two(x, alpha=1.6732632423543772, scale=1.0507009873554805):
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


class ReluOfAlpha:
    def __init__(self, alpha=0.0):
        self.alpha = alpha

    def __call__(self, x):
        self.x = x
        return np.where(x > 0, x, self.alpha * x)

    def backward(self, dout, alpha=0.0):
        return np.where(self.x > 0, dout, alpha * dout)


class ReluActivator:
    """Its backward is a derivative, of the output."""

    def forward(self, weighted_input):
        return np.maximum(0, weighted_input)

    def backward(self, output):
        return (output > 0).astype(output.dtype)


class ReluActivatorWrong(ReluActivator):
    def backward(self, output):
        return (output >= 0).astype(output.dtype)


class TanhActivator:
    def forward(self, weighted_input):
        return np.tanh(weighted_input)

    def backward(self, output):
        return 1 - output * output


class TanhActivatorWrong(TanhActivator):
    def backward(self, output):
        return 1 - output


class SigmoidWhoseGradientIsCalledOutput:
    """Named for the output, and yet handed the gradient: twice as much gives twice as much."""

    def forward(self, x):
        self.kept = 1 / (1 + np.exp(-x))
        return self.kept

    def backward(self, output):
        return output * self.kept * (1 - self.kept)


def rectify(x):
    return np.maximum(0, x)


def rectify_backward(x):
    """Of x alone: the derivative."""
    return (x > 0).astype(x.dtype)


def rectify_backward_wrong(x):
    return (x <= 0).astype(x.dtype)


def straight(x, derivative=False):
    """Its derivative is a plain number."""
    return 1 if derivative else x


def crooked(x, derivative=False):
    return 2 if derivative else x


class OfAnyOptions:
    def __init__(self, **kwargs):
        super().__init__()


class TanhOfAnyOptions(OfAnyOptions):
    """What is given by name is swallowed unseen."""

    def __call__(self, z):
        return np.tanh(z)

    def grad(self, x):
        return 1 - np.tanh(x) ** 2


class TanhOfAnyOptionsWrong(TanhOfAnyOptions):
    def grad(self, x):
        return 1 - np.tanh(x)


class TanhOfAName(TanhOfAnyOptions):
    """What is given by name is looked at, for something else."""

    def __init__(self, **kwargs):
        self.name = kwargs.get("name", "tanh")


class SiLUCutBelow5:
    def forward(self, x):
        self.x = x
        self.s = np.where(x < -5, 0, 1 / (1 + np.exp(-np.maximum(x, -30)))).astype(x.dtype)
        return x * self.s

    def backward(self, dout):
        return dout * self.s * (1 + self.x * (1 - self.s))


class SoftplusLinearFrom10:
    threshold = 10

    def forward(self, x):
        self.x = x
        return np.where(x > self.threshold, x, np.log1p(np.exp(np.minimum(x, self.threshold))))

    def backward(self, dout):
        return dout / (1 + np.exp(-np.maximum(self.x, -80)))


class SoftplusLinearFrom5(SoftplusLinearFrom10):
    threshold = 5


class SoftplusLinearFrom20(SoftplusLinearFrom10):
    """PyTorch's own threshold."""

    threshold = 20


class SigmoidCutAt6:
    def forward(self, x):
        y = 1 / (1 + np.exp(-np.clip(x, -30, 30)))
        self.out = np.where(x > 6, 1, np.where(x < -6, 0, y)).astype(x.dtype)
        return self.out

    def backward(self, dout):
        return dout * self.out * (1 - self.out)


class ELUCutBelow6:
    alpha, scale = 1.0, 1.0

    def forward(self, x):
        self.x = x
        low = np.where(x < -6, -1, np.expm1(np.minimum(x, 0)))
        return (self.scale * np.where(x > 0, x, self.alpha * low)).astype(x.dtype)

    def backward(self, dout):
        slope = np.where(self.x > 0, 1, self.alpha * np.exp(np.minimum(self.x, 0)))
        return dout * (self.scale * slope).astype(dout.dtype)


class SELUCutBelow6(ELUCutBelow6):
    alpha, scale = 1.6732632423543772848, 1.0507009873554804934


class TanhCutAt5:
    def forward(self, x):
        self.out = np.where(np.abs(x) > 5, np.sign(x), np.tanh(x))
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class PlainSigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * self.out * (1 - self.out)
