"""Functions of one argument of any name, and methods in other languages."""

import pytest

from parity.verification.verify import verify
from parity.verification.whole import verify_all

SOURCE = """
import numpy as np

def softmax(vector):
    vector = vector - np.max(vector)
    return np.exp(vector) / np.sum(np.exp(vector))

def softmax_grad(vector):
    s = softmax(vector).reshape(-1, 1)
    return np.diagflat(s) - np.dot(s, s.T)

def softmax_grad_wrong(vector):
    s = softmax(vector).reshape(-1, 1)
    return np.diagflat(s) + np.dot(s, s.T)

def softmax_rows(eta):
    e = np.exp(eta - eta.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def softmax_rows_grad(eta):
    return np.array([np.diag(s) - np.outer(s, s) for s in softmax_rows(eta)])

def linear(W, b, x):
    return W @ x + b

def D_x_linear(W, b, x):
    return W
"""
OTHERS = """
import numpy as np

class Ativacao:
    def __init__(self, funcao, nome=None):
        self.funcao, self.nome = funcao, nome

    def frente(self, entrada):
        self.entrada = entrada
        return self.funcao.aplicar(entrada)

    def tras(self, gradiente_saida):
        return gradiente_saida * self.funcao.derivada(self.entrada)

class Tanh:
    def aplicar(self, x):
        return np.tanh(x)

    def derivada(self, x):
        return 1 - np.tanh(x) ** 2

class ELU:
    def __init__(self, alfa=1.0):
        self.alfa = alfa

    def aplicar(self, x):
        return np.where(x > 0, x, self.alfa * (np.exp(np.minimum(x, 0)) - 1))

    def derivada(self, x):
        return np.where(x > 0, 1.0, self.aplicar(x))

class CamadaTanh(Ativacao):
    def __init__(self, nome=None):
        super().__init__(Tanh(), nome)
"""


@pytest.mark.parametrize(
    ("name", "kind", "outcome"),
    [
        ("softmax,softmax_grad", "softmax", "right"),
        ("softmax,softmax_grad_wrong", "softmax", "wrong"),
        ("softmax_rows,softmax_rows_grad", "softmax", "right"),
        ("linear", "affine", "right"),
    ],
)
def test_functions(name, kind, outcome, tmp_path):
    path = tmp_path / "functions.py"
    path.write_text(SOURCE)
    verdict = verify(f"{path}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome, str(verdict)


def test_a_matrix_by_x_is_no_backward(tmp_path):
    path = tmp_path / "functions.py"
    path.write_text(SOURCE)
    assert "gradients" in verify(f"{path}:linear", "affine", isolated=False).not_checked


def test_methods_in_other_languages(tmp_path):
    path = tmp_path / "ativacoes.py"
    path.write_text(OTHERS)
    outcomes = {verdict.name: verdict.outcome for verdict in verify_all(path).verdicts}
    assert outcomes == {"Tanh": "right", "ELU": "wrong", "CamadaTanh": "right"}
