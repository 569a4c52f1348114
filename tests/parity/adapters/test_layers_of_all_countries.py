"""Layers of names in other languages, that turn a batch into columns, that make weights without a bias at the
first call, that take the shape of W as the size of a kernel, and activations that ask for a size."""

import pytest

from parity.verification.verify import verify

SOURCE = """
import numpy as np

class Columns:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_out, n_in), np.zeros((n_out, 1))

    def forward(self, x):
        self.shape = x.shape
        self.a = x.reshape(self.W.shape[1], -1)
        return np.dot(self.W, self.a) + self.b

    def backprop(self, d):
        self.dW, self.db = np.dot(d, self.a.T), np.sum(d, axis=1, keepdims=True)
        return np.dot(self.W.T, d).reshape(self.shape)

class ColumnsWrong(Columns):
    def backprop(self, d):
        return super().backprop(d) * 2

class RowsToColumns:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_out, n_in), np.zeros((n_out, 1))

    def forward(self, x):
        self.x = x
        return np.dot(self.W, x.T) + self.b

    def backprop(self, d):
        self.dW, self.db = np.dot(d, self.x), np.sum(d, axis=1, keepdims=True)
        return np.dot(self.W.T, d).T

class Sigmoide:
    def propaga(self, entrada):
        self.sortida = 1 / (1 + np.exp(-entrada))
        return self.sortida

    def retropropaga(self, delta, _):
        return delta * self.sortida * (1 - self.sortida)

class SigmoideWrong(Sigmoide):
    def retropropaga(self, delta, _):
        return delta * self.sortida

class CapaDensa:
    def __init__(self, n_entradas, n_neuronas, activacion):
        self.pesos, self.sesgo = np.random.randn(n_entradas, n_neuronas), np.zeros((1, n_neuronas))
        self.activacion = activacion

    def forward(self, entradas):
        self.entradas, self.z = entradas, entradas @ self.pesos + self.sesgo
        return np.maximum(0, self.z) if self.activacion == "relu" else self.z

    def backward(self, dvalores, tasa_aprendizaje):
        dz = dvalores * (self.z > 0) if self.activacion == "relu" else dvalores
        dx = dz @ self.pesos.T
        self.pesos -= tasa_aprendizaje * self.entradas.T @ dz
        self.sesgo -= tasa_aprendizaje * dz.sum(axis=0, keepdims=True)
        return dx

class CapaDensaWrong(CapaDensa):
    def backward(self, dvalores, tasa_aprendizaje):
        return super().backward(dvalores, tasa_aprendizaje) / len(dvalores)

class Sized:
    def __init__(self, n_inputs, output_shape):
        self.sizes = n_inputs, output_shape

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dout):
        return dout * (self.x > 0)

class Lazy:
    def __init__(self, num_filters):
        self.num_filters, self.filters = num_filters, None

    def forward(self, image):
        h, w, d = image.shape
        self.image = image
        if self.filters is None:
            self.filters = np.random.randn(self.num_filters, 3, 3, d) / 9
        out = np.zeros((h - 2, w - 2, self.num_filters))
        for i in range(h - 2):
            for j in range(w - 2):
                out[i, j] = np.sum(image[i : i + 3, j : j + 3] * self.filters, axis=(1, 2, 3))
        return out

    def backprop(self, dout, lr):
        slopes, dx = np.zeros(self.filters.shape), np.zeros(self.image.shape)
        for i in range(dout.shape[0]):
            for j in range(dout.shape[1]):
                slopes += dout[i, j][:, None, None, None] * self.image[i : i + 3, j : j + 3]
                dx[i : i + 3, j : j + 3] += np.tensordot(dout[i, j], self.filters, 1)
        self.filters -= lr * slopes
        return dx

class LazyWrong(Lazy):
    def backprop(self, dout, lr):
        return super().backprop(dout, 2 * lr)

class OfAShape:
    def __init__(self, kernel_size):
        self.W, self.b = np.random.randn(*kernel_size), np.random.randn(kernel_size[0], 1)

    def forward(self, x):
        n, _, fh, fw = self.W.shape
        out = np.zeros((n, x.shape[1] - fh + 1, x.shape[2] - fw + 1))
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                out[:, i, j] = np.tensordot(self.W, x[:, i : i + fh, j : j + fw], 3) + self.b[:, 0]
        return out
"""
CASES = [
    ("Columns", "affine", True, "rows (F, N)"),
    ("ColumnsWrong", "affine", False, "dx"),
    ("RowsToColumns", "affine", True, "rows (N, F), out (F, N)"),
    ("Sigmoide", "sigmoid", True, "retropropaga(delta, _)"),
    ("SigmoideWrong", "sigmoid", False, "dx"),
    ("CapaDensa", "affine", True, "CapaDensa(n_entradas, n_neuronas, activacion)"),
    ("CapaDensaWrong", "affine", False, "dx"),
    ("Sized", "relu", True, "Sized(n_inputs, output_shape)"),
    ("Lazy", "convolution", True, "bias"),
    ("LazyWrong", "convolution", False, "dW"),
    ("OfAShape", "convolution", True, "OfAShape(kernel_size)"),
]


@pytest.mark.parametrize(("name", "kind", "right", "part"), CASES, ids=[c[0] for c in CASES])
def test_the_verdict_and_how_it_was_called(tmp_path, name, kind, right, part):
    file = tmp_path / "layers.py"
    file.write_text(SOURCE)
    verdict = verify(f"{file}:{name}", kind, isolated=False)
    assert verdict.outcome in (("right", "right_but") if right else ("wrong",)), str(verdict)
    assert part in str(verdict), str(verdict)
