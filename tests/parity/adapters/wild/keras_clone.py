"""A clone of Keras: units and activation by name, build(input_shape), call(inputs), channels last."""

import numpy as np


class Layer:
    def __init__(self):
        self.built = False

    def __call__(self, inputs):
        if not self.built:
            self.build(inputs.shape)
            self.built = True
        return self.call(inputs)


class Dense(Layer):
    def __init__(self, units, activation=None, use_bias=True):
        super().__init__()
        self.units, self.activation, self.use_bias = units, activation, use_bias

    def build(self, input_shape):
        self.kernel = np.random.default_rng(0).standard_normal((input_shape[-1], self.units)) * 0.05
        self.bias = np.zeros(self.units)

    def call(self, inputs):
        self.inputs = inputs
        return inputs @ self.kernel + self.bias

    def backward(self, grad):
        self.grad_kernel = self.inputs.T @ grad
        self.grad_bias = np.sum(grad, axis=0)
        return grad @ self.kernel.T


class DenseWrong(Dense):
    def backward(self, grad):
        super().backward(grad)
        self.grad_kernel = self.grad_kernel / len(grad)
        return grad @ self.kernel.T


class Conv2D(Layer):
    def __init__(self, filters, kernel_size, strides=(1, 1), padding="valid"):
        super().__init__()
        self.filters = filters
        self.kernel_size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        self.strides = (strides, strides) if isinstance(strides, int) else strides
        self.padding = padding

    def build(self, input_shape):
        h, w = self.kernel_size
        self.kernel = np.random.default_rng(0).standard_normal((h, w, input_shape[-1], self.filters))
        self.bias = np.zeros(self.filters)

    def _pads(self, size, k, s):
        if self.padding == "valid":
            return 0, 0
        total = max((-(-size // s) - 1) * s + k - size, 0)
        return total // 2, total - total // 2

    def call(self, inputs):
        (h, w), (sh, sw) = self.kernel_size, self.strides
        self.shape = inputs.shape
        self.pads = self._pads(inputs.shape[1], h, sh), self._pads(inputs.shape[2], w, sw)
        self.padded = np.pad(inputs, ((0, 0), *self.pads, (0, 0)))
        _, H, W, _ = self.padded.shape
        self.out = (H - h) // sh + 1, (W - w) // sw + 1
        y = np.zeros((inputs.shape[0], *self.out, self.filters), dtype=inputs.dtype)
        for i in range(self.out[0]):
            for j in range(self.out[1]):
                window = self.padded[:, i * sh : i * sh + h, j * sw : j * sw + w]
                y[:, i, j] = np.tensordot(window, self.kernel, axes=3) + self.bias
        return y

    def backward(self, grad):
        (h, w), (sh, sw) = self.kernel_size, self.strides
        self.grad_kernel, d = np.zeros_like(self.kernel), np.zeros_like(self.padded)
        self.grad_bias = grad.sum(axis=(0, 1, 2))
        for i in range(self.out[0]):
            for j in range(self.out[1]):
                rows, cols = slice(i * sh, i * sh + h), slice(j * sw, j * sw + w)
                self.grad_kernel += np.tensordot(self.padded[:, rows, cols], grad[:, i, j], axes=(0, 0))
                d[:, rows, cols] += np.tensordot(grad[:, i, j], self.kernel, axes=(1, 3))
        (top, _), (left, _) = self.pads
        _, H, W, _ = self.shape
        return d[:, top : top + H, left : left + W]


class MaxPooling2D(Layer):
    def __init__(self, pool_size=(2, 2), strides=None):
        super().__init__()
        self.pool_size = pool_size
        self.strides = pool_size if strides is None else strides

    def build(self, input_shape):
        pass

    def call(self, inputs):
        (h, w), (sh, sw) = self.pool_size, self.strides
        self.inputs = inputs
        N, H, W, C = inputs.shape
        self.out = (H - h) // sh + 1, (W - w) // sw + 1
        y = np.zeros((N, *self.out, C), dtype=inputs.dtype)
        for i in range(self.out[0]):
            for j in range(self.out[1]):
                y[:, i, j] = inputs[:, i * sh : i * sh + h, j * sw : j * sw + w].max(axis=(1, 2))
        return y

    def backward(self, grad):
        (h, w), (sh, sw) = self.pool_size, self.strides
        dx = np.zeros_like(self.inputs)
        N, _, _, C = grad.shape
        for i in range(self.out[0]):
            for j in range(self.out[1]):
                window = self.inputs[:, i * sh : i * sh + h, j * sw : j * sw + w].reshape(N, h * w, C)
                at = window.argmax(axis=1)
                hit = at[:, None, :] == np.arange(h * w)[None, :, None]
                part = (hit * grad[:, i, j][:, None, :]).reshape(N, h, w, C)
                dx[:, i * sh : i * sh + h, j * sw : j * sw + w] += part
        return dx


class GlobalAveragePooling2D(Layer):
    def build(self, input_shape):
        pass

    def call(self, inputs):
        self.shape = inputs.shape
        return inputs.mean(axis=(1, 2))

    def backward(self, grad):
        _, H, W, _ = self.shape
        return np.broadcast_to(grad[:, None, None, :], self.shape) / grad.dtype.type(H * W)
