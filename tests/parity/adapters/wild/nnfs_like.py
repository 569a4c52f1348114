"""Results and gradients in attributes; sizes to the constructor; biases as a row."""

import numpy as np


class LayerDense:
    def __init__(self, n_inputs, n_neurons):
        self.weights = 0.1 * np.random.default_rng(1).standard_normal((n_inputs, n_neurons))
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.weights + self.biases

    def backward(self, dvalues):
        self.dweights = self.inputs.T @ dvalues
        self.dbiases = dvalues.sum(axis=0, keepdims=True)
        self.dinputs = dvalues @ self.weights.T


class LayerDenseWrong(LayerDense):
    """The mean over the batch in the gradient of the weights."""

    def backward(self, dvalues):
        super().backward(dvalues)
        self.dweights = self.dweights / len(dvalues)


class ActivationReLU:
    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.maximum(0, inputs)

    def backward(self, dvalues):
        self.dinputs = dvalues.copy()
        self.dinputs[self.inputs <= 0] = 0


class ActivationReLUWrong(ActivationReLU):
    """Lets the gradient through where the input is negative."""

    def backward(self, dvalues):
        self.dinputs = dvalues.copy()
        self.dinputs[self.inputs >= 0] = 0


class ActivationSigmoid:
    def forward(self, inputs):
        self.output = 0.5 * (1 + np.tanh(inputs / 2))

    def backward(self, dvalues):
        self.dinputs = dvalues * self.output * (1 - self.output)


class ActivationSoftmax:
    def forward(self, inputs):
        e = np.exp(inputs - inputs.max(axis=1, keepdims=True))
        self.output = e / e.sum(axis=1, keepdims=True)

    def backward(self, dvalues):
        self.dinputs = np.empty_like(dvalues)
        for i, (y, d) in enumerate(zip(self.output, dvalues, strict=True)):
            y = y.reshape(-1, 1)
            self.dinputs[i] = (np.diagflat(y) - y @ y.T) @ d


class LayerDropout:
    def __init__(self, rate):
        self.rate = 1 - rate

    def forward(self, inputs, training=True):
        if not training:
            self.output = inputs.copy()
            return
        self.binary_mask = (np.random.binomial(1, self.rate, inputs.shape) / self.rate).astype(inputs.dtype)  # noqa: NPY002
        self.output = inputs * self.binary_mask

    def backward(self, dvalues):
        self.dinputs = dvalues * self.binary_mask
