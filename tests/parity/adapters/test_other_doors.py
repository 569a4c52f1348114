"""Layers that are handed what they need in ways of their own: a generator of random numbers, their input by
`feed(x)`, an optimizer that takes weights and gradients at once, names in another language."""

import numpy as np
import pytest

from parity.adapters.layer_steps import RATE, RecordingOptimizer
from parity.verification.verify import verify

DENSE = """
import numpy as np

class FullyConnected:
    def __init__(self, input_size, output_size, random_generator):
        self.W = random_generator.normal(0, 0.1, (input_size, output_size))
        self.b = np.zeros(output_size)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T

class OfOldGenerators(FullyConnected):
    def __init__(self, n_in, n_out, random_state=None):
        self.W = random_state.randn(n_in, n_out) * 0.1
        self.b = np.zeros(n_out)

class Fed:
    def __init__(self, n_out):
        self.n_out = n_out

    def init(self, n_in):
        self.weights, self.biases = np.random.randn(n_in, self.n_out), np.zeros(self.n_out)

    def feed(self, x):
        self.x = x

    def forward(self):
        self.out = self.x @ self.weights + self.biases
        return self.out

    def backward(self, dout):
        self.grad_weights = self.x.T @ dout
        self.grad_biases = dout.sum(axis=0)
        return dout @ self.weights.T

class FedWrong(Fed):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grad_biases = dout.mean(axis=0)
        return dx

class Densa:
    def __init__(self, entradas, salidas):
        self.pesos = np.random.randn(entradas, salidas) * 0.1
        self.sesgo = np.zeros(salidas)

    def forward(self, entrada):
        self.entrada = entrada
        return entrada @ self.pesos + self.sesgo

    def backward(self, gradiente):
        self.gradiente_pesos = self.entrada.T @ gradiente
        self.gradiente_sesgo = gradiente.sum(axis=0)
        return gradiente @ self.pesos.T

class DensaWrong(Densa):
    def backward(self, gradiente):
        dx = super().backward(gradiente)
        self.gradiente_sesgo = gradiente.max(axis=0)
        return dx

class Stepping(FullyConnected):
    def __init__(self, n_in, n_out):
        self.W, self.b, self.optimizer = np.random.randn(n_in, n_out), np.zeros(n_out), None

    def set_optimizer(self, optimizer):
        self.optimizer = optimizer

    def backward(self, delta):
        dx = super().backward(delta)
        self.W, self.b = self.optimizer.update_params(self.W, self.b, self.dW, self.db)
        del self.dW, self.db
        return dx

def fc_forward(h, W, b):
    return h @ W + b

def fc_backward(dinput, h, W):
    return dinput @ W.T, h.T @ dinput, dinput.sum(axis=0)

class Dropout:
    def __init__(self, **kwargs):
        self.rate = kwargs.get("rate", 0.5)

    def forward(self, x, **kwargs):
        if not kwargs.get("training", True):
            return x
        self.mask = (np.random.rand(*x.shape) > self.rate) / (1 - self.rate)
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask

class DropoutWrong(Dropout):
    def backward(self, dout):
        return dout * (self.mask > 0)
"""
CASES = [
    ("FullyConnected", "affine", "right", "FullyConnected(input_size, output_size, random_generator)"),
    ("OfOldGenerators", "affine", "right", "OfOldGenerators(n_in, n_out, random_state)"),
    (
        "Fed",
        "affine",
        "right",
        "then init(n_in); weights in .weights (in, out), .biases (FN,); feed(x), then forward()",
    ),
    ("FedWrong", "affine", "wrong", "db"),
    ("Densa", "affine", "right", ".gradiente_sesgo"),
    ("DensaWrong", "affine", "wrong", "db"),
    ("Stepping", "affine", "right", "gradients read from the change of its weights"),
    ("fc_forward,fc_backward", "affine", "right", "fc_backward(dinput, h, W)"),
    ("Dropout", "dropout", "right", ""),
    ("DropoutWrong", "dropout", "wrong", "dx"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_the_verdict_and_how_it_was_called(tmp_path, name, kind, outcome, part):
    file = tmp_path / "layers.py"
    file.write_text(DENSE)
    verdict = verify(f"{file}:{name}", kind, isolated=False)
    found = "right" if verdict.ok else verdict.outcome
    assert found == outcome and part in str(verdict), str(verdict)


def test_the_optimizer_of_a_layer_makes_its_step_however_it_is_asked():
    W, dW, b, db = np.ones((2, 3)), np.full((2, 3), 2.0), np.ones(3), np.full(3, 4.0)
    optimizer, new_W, new_b = RecordingOptimizer(), W - RATE * dW, b - RATE * db
    assert np.array_equal(optimizer.update(W, dW), new_W)
    for found in (optimizer.update([W, b], [dW, db]), optimizer.update_params(W, b, dW, db)):
        assert np.array_equal(found[0], new_W) and np.array_equal(found[1], new_b)
    params = {"W": W.copy(), "b": b.copy()}
    optimizer.step(params, {"W": dW, "db": db})
    assert np.array_equal(params["W"], new_W) and np.array_equal(params["b"], new_b)
