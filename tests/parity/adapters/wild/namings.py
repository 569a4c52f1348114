"""Dense layers whose names are their own: sizes as counts, gradients beside an optimizer's averages."""

import numpy as np


class FCLayer:
    """Sizes as counts; the results of forward and backward come with what was kept, and by name."""

    def __init__(self, input_count, output_count):
        limit = np.sqrt(6 / (input_count + output_count))
        self.weights = np.random.default_rng(0).uniform(-limit, limit, (output_count, input_count))
        self.biases = np.zeros(output_count)

    def forward_propagation(self, x):
        return x @ self.weights.T + self.biases, x

    def backward_propagation(self, output_grad, cache):
        return output_grad @ self.weights, {"w": output_grad.T @ cache, "b": output_grad.sum(axis=0)}


class FCLayerOfARow(FCLayer):
    """db is (1, FN), where b is (FN,)."""

    def backward_propagation(self, output_grad, cache):
        dx, gradients = super().backward_propagation(output_grad, cache)
        return dx, gradients | {"b": output_grad.sum(axis=0, keepdims=True)}


class FullyConnected:
    """An optimizer of its own, chosen by a name: its averages have the gradients' shapes, and are none."""

    def __init__(self, no_inputs, no_outputs, optimizer="adam"):
        if optimizer != "adam":
            raise ValueError("no such optimizer")
        self.weights = np.random.default_rng(0).normal(size=(no_inputs, no_outputs))
        self.biases = np.zeros(no_outputs)
        self.avg_weight_grads, self.avg_squared_weight_grads = np.zeros((2, no_inputs, no_outputs))
        self.avg_bias_grads, self.avg_squared_bias_grads = np.zeros((2, no_outputs))

    def forward(self, x):
        self.input = x
        return x @ self.weights + self.biases

    def backward(self, grad_output, learning_rate):
        dx = grad_output @ self.weights.T
        slopes = {"weight": self.input.T @ grad_output, "bias": grad_output.sum(axis=0)}
        for of, name in (("weight", "weights"), ("bias", "biases")):
            first, second = f"avg_{of}_grads", f"avg_squared_{of}_grads"
            setattr(self, first, 0.9 * getattr(self, first) + 0.1 * slopes[of])
            setattr(self, second, 0.99 * getattr(self, second) + 0.01 * slopes[of] ** 2)
            step = getattr(self, first) / 0.1 / (np.sqrt(getattr(self, second) / 0.01) + 1e-7)
            setattr(self, name, getattr(self, name) - learning_rate * step)
        return dx


class FullyConnectedWrong(FullyConnected):
    """dx by the weights after the step."""

    def backward(self, grad_output, learning_rate):
        super().backward(grad_output, learning_rate)
        return grad_output @ self.weights.T


class WithoutSetup:
    """Names that could be the book's, and a constructor that takes no arrays."""

    def __init__(self, units, factor):
        self.units, self.scale = units + 0, 1 / factor

    def forward(self, x):
        return x @ self.kernel_params + self.bias_params

    def backward(self, grad):
        return grad @ self.kernel_params.T


class LinearTransform:
    """W and b are handed over, b as a row; momentum's step Dw stands beside the gradient dldw."""

    def __init__(self, W, b):
        self.w, self.b = W, b
        self.Dw, self.Db = np.zeros_like(W), np.zeros_like(b)

    def forward(self, x):
        self.x = x
        return x @ self.w + self.b

    def backward(self, grad_output, learning_rate=0.0, momentum=0.0):
        dx = grad_output @ self.w.T
        self.dldw, self.dldb = self.x.T @ grad_output, grad_output.sum(axis=0, keepdims=True)
        self.Dw = momentum * self.Dw - learning_rate * self.dldw
        self.Db = momentum * self.Db - learning_rate * self.dldb
        self.w, self.b = self.w + self.Dw, self.b + self.Db
        return dx


class LinearTransformWrong(LinearTransform):
    """db is a mean."""

    def backward(self, grad_output, learning_rate=0.0, momentum=0.0):
        dx = super().backward(grad_output, learning_rate, momentum)
        self.dldb = self.dldb / len(grad_output)
        return dx


class Affine:
    """The book's names, but for a db that has lost its shape."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0, keepdims=True)
        return dout @ self.W.T


class MeanPool:
    """The image's shape comes first, of the batch; a window of its own stride."""

    def __init__(self, shape, ksize=2, stride=2):
        self.shape, self.ksize, self.stride = shape, ksize, stride
        if ksize != stride:
            raise ValueError("windows side by side only")

    def forward(self, x):
        k, (n, h, w, c), self.shape = self.ksize, x.shape, x.shape
        return x[:, : h // k * k, : w // k * k].reshape(n, h // k, k, w // k, k, c).mean((2, 4))

    def backward(self, eta):
        k, dx = self.ksize, np.zeros(self.shape, eta.dtype)
        wide = np.repeat(np.repeat(eta, k, axis=1), k, axis=2) / eta.dtype.type(k * k)
        dx[:, : wide.shape[1], : wide.shape[2]] = wide
        return dx


class MeanPoolWrong(MeanPool):
    """Not divided by the window."""

    def backward(self, eta):
        return super().backward(eta) * self.ksize


class SGDOfAState:
    """The state goes in and comes out."""

    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, param, grad, state):
        return param - self.lr * grad, state


class SGDOfAStateWrong(SGDOfAState):
    def update(self, param, grad, state):
        return param - self.lr * np.sign(grad), state


class SGDByName:
    def __init__(self, lr=0.01):
        self.lr = lr

    def step(self, named_params_and_grads):
        for param, grad in named_params_and_grads.values():
            param -= self.lr * grad


class Transform:
    """Methods whose names nobody knows."""

    def transmute(self, x):
        return x @ self.W

    def push(self, grad):
        return grad @ self.W.T
