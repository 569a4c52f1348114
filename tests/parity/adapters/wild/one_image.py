"""One image at a time, of one channel, without padding; the weights change inside backward."""

import numpy as np


class Conv3x3:
    """Filters (FN, 3, 3) on an image (H, W); no bias; out is (H - 2, W - 2, FN)."""

    def __init__(self, num_filters):
        self.num_filters = num_filters
        self.filters = np.random.default_rng(0).standard_normal((num_filters, 3, 3)) / 9

    def windows(self, image):
        for i in range(image.shape[0] - 2):
            for j in range(image.shape[1] - 2):
                yield image[i : i + 3, j : j + 3], i, j

    def forward(self, input):
        self.last_input = input
        out = np.zeros((input.shape[0] - 2, input.shape[1] - 2, self.num_filters), input.dtype)
        for window, i, j in self.windows(input):
            out[i, j] = (window * self.filters).sum(axis=(1, 2))
        return out

    def backprop(self, d_L_d_out, learn_rate):
        d_filters = np.zeros_like(self.filters)
        for window, i, j in self.windows(self.last_input):
            for f in range(self.num_filters):
                d_filters[f] += d_L_d_out[i, j, f] * window
        self.filters -= learn_rate * d_filters
        return


class Conv3x3Wrong(Conv3x3):
    """The window of the gradient is transposed."""

    def backprop(self, d_L_d_out, learn_rate):
        self.last_input = self.last_input + 0.125
        return super().backprop(d_L_d_out, learn_rate)


class MaxPool2:
    """2x2 windows side by side on (H, W, C)."""

    def forward(self, input):
        self.last_input = input
        h, w, c = input.shape
        out = np.zeros((h // 2, w // 2, c), input.dtype)
        for i in range(h // 2):
            for j in range(w // 2):
                out[i, j] = input[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max(axis=(0, 1))
        return out

    def backprop(self, d_L_d_out):
        dx = np.zeros(self.last_input.shape, d_L_d_out.dtype)
        for i in range(d_L_d_out.shape[0]):
            for j in range(d_L_d_out.shape[1]):
                window = self.last_input[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
                for c in range(window.shape[2]):
                    y, x = np.unravel_index(window[:, :, c].argmax(), (2, 2))
                    dx[2 * i + y, 2 * j + x, c] = d_L_d_out[i, j, c]
        return dx


class Convolutional:
    """(C, H, W) images; kernels (FN, C, k, k); the bias is added up over all pixels."""

    def __init__(self, input_shape, kernel_size, depth):
        self.depth, self.input_depth = depth, input_shape[0]
        self.kernels = np.random.default_rng(0).standard_normal(
            (depth, input_shape[0], kernel_size, kernel_size)
        )
        self.biases = np.zeros(depth)

    def forward(self, input):
        self.input = input
        k = self.kernels.shape[2]
        windows = np.lib.stride_tricks.sliding_window_view(input, (k, k), (1, 2))
        return np.einsum("cyxij,fcij->fyx", windows, self.kernels) + self.biases[:, None, None]

    def backward(self, output_gradient, learning_rate):
        k = self.kernels.shape[2]
        windows = np.lib.stride_tricks.sliding_window_view(self.input, (k, k), (1, 2))
        kernels_gradient = np.einsum("cyxij,fyx->fcij", windows, output_gradient)
        input_gradient = np.zeros_like(self.input)
        for y in range(output_gradient.shape[1]):
            for x in range(output_gradient.shape[2]):
                input_gradient[:, y : y + k, x : x + k] += np.tensordot(
                    output_gradient[:, y, x], self.kernels, 1
                )
        self.kernels = self.kernels - learning_rate * kernels_gradient
        self.biases = self.biases - learning_rate * output_gradient.sum(axis=(1, 2))
        return input_gradient


class Dense:
    """Columns: a sample is (in, 1)."""

    def __init__(self, input_size, output_size):
        self.weights, self.bias = np.zeros((output_size, input_size)), np.zeros((output_size, 1))

    def forward(self, input):
        self.input = input
        return self.weights @ input + self.bias

    def backward(self, output_gradient, learning_rate):
        weights_gradient = output_gradient @ self.input.T
        input_gradient = self.weights.T @ output_gradient
        self.weights -= learning_rate * weights_gradient
        self.bias -= learning_rate * output_gradient
        return input_gradient


class DenseWrong(Dense):
    """The gradient for the input is taken with the weights that have been changed already."""

    def backward(self, output_gradient, learning_rate):
        self.weights -= learning_rate * output_gradient @ self.input.T
        self.bias -= learning_rate * output_gradient
        return self.weights.T @ output_gradient


class Tanh:
    def forward(self, input):
        self.input = input
        return np.tanh(input)

    def backward(self, output_gradient, learning_rate):
        return output_gradient * (1 - np.tanh(self.input) ** 2)


def conv_square(image, filt, bias, s=1):
    """Square windows on square images, one at a time; NumPy stretches a window one pixel wide."""
    FN, _, f, _ = filt.shape
    _, size, _ = image.shape
    out_size = (size - f) // s + 1
    out = np.zeros((FN, out_size, out_size), image.dtype)
    for n in range(FN):
        for i in range(out_size):
            for j in range(out_size):
                window = image[:, i * s : i * s + f, j * s : j * s + f]
                out[n, i, j] = np.sum(window * filt[n]) + bias[n]
    return out


def conv_square_wrong(image, filt, bias, s=1):
    return conv_square(image, filt, 2 * bias, s)
