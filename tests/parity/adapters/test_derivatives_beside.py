"""A derivative beside an activation, of any argument; one that a flag returns beside the output."""

import pytest

from parity.verification.verify import verify

SOURCE = """
import numpy as np

def straight(z, derivative=False):
    if derivative:
        return z, np.ones(z.shape, z.dtype)
    return z

def crooked(z, derivative=False):
    if derivative:
        return z, z
    return z

def tanh(z, derivative=False):
    a = np.tanh(z)
    return (a, (1 - a) * (1 + a)) if derivative else a

def tanh_turned(z, derivative=False):
    a = np.tanh(z)
    return (1 - a * a, a) if derivative else a

def tanh_wrong(z, derivative=False):
    a = np.tanh(z)
    return (a, 1 - a) if derivative else a

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def sigmoid_derivative(sigmoid_output):
    return sigmoid_output * (1 - sigmoid_output)

def sigmoid_derivative_of_x(sigmoid_output):
    return sigmoid(sigmoid_output) * (1 - sigmoid(sigmoid_output))

def sigmoid_derivative_of_input(sigmoid_input):
    return sigmoid_input * (1 - sigmoid_input)

def sigmoid_derivada(valor_ativacao):
    return valor_ativacao * (1 - valor_ativacao)

def sigmoid_derivada_wrong(valor_ativacao):
    return valor_ativacao * (1 + valor_ativacao)

def sigmoid_derivada_of_sum(soma):
    return sigmoid(soma) * (1 - sigmoid(soma))

def relu(x):
    return np.maximum(x, 0)

def relu_derivada(valor):
    return (valor > 0).astype(valor.dtype)

def relu_derivada_wrong(valor):
    return (valor < 0).astype(valor.dtype)
"""
VERDICTS = [
    ("straight", "identity", "right", "returned[1], times dout"),
    ("crooked", "identity", "wrong", "returned[0], times dout"),
    ("tanh", "tanh", "right", "returned[1], times dout"),
    ("tanh_turned", "tanh", "right", "returned[0], times dout"),
    ("tanh_wrong", "tanh", "wrong", "returned[1], times dout"),
    ("sigmoid,sigmoid_derivative", "sigmoid", "right", "sigmoid_output there is the output"),
    ("sigmoid,sigmoid_derivative_of_x", "sigmoid", "wrong", "sigmoid_output there is the output"),
    ("sigmoid,sigmoid_derivative_of_input", "sigmoid", "wrong", "(sigmoid_input)"),
    ("sigmoid,sigmoid_derivada", "sigmoid", "right", "valor_ativacao there is the output"),
    ("sigmoid,sigmoid_derivada_wrong", "sigmoid", "wrong", "valor_ativacao there is the output"),
    ("sigmoid,sigmoid_derivada_of_sum", "sigmoid", "right", "(soma), times dout"),
    ("relu,relu_derivada", "relu", "right", "(valor), times dout"),
    ("relu,relu_derivada_wrong", "relu", "wrong", "(valor), times dout"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "called"), VERDICTS, ids=lambda text: text)
def test_verdicts(name, kind, outcome, called, tmp_path):
    path = tmp_path / "activations.py"
    path.write_text(SOURCE)
    verdict = verify(f"{path}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome, str(verdict)
    assert called in verdict.called
