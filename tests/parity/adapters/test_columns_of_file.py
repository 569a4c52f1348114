"""A softmax down the columns is right where the dense layers of its file take samples as columns."""

import pytest

from parity.verification.verify import verify
from parity.verification.whole import verify_all

SOFTMAX = """
import numpy as np

class Softmax:
    def forward(self, Z):
        e = np.exp(Z - Z.max(axis=0, keepdims=True))
        self.A = e / e.sum(axis=0, keepdims=True)
        return self.A

    def backward(self, dA):
        return self.A * (dA - {sum})
"""
SUM = "(dA * self.A).sum(axis=0, keepdims=True)"
IN_COLUMNS = """
class {name}:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.zeros((n_out, n_in)), np.zeros((n_out, 1))

    def forward(self, X):
        self.X = X
        return np.dot(self.W, X) + self.b

    def backward(self, dZ):
        self.dW, self.db = np.dot(dZ, self.X.T), dZ.sum(axis=1, keepdims=True)
        return np.dot(self.W.T, dZ)
"""
OF_ONE_COLUMN = """
class {name}:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.zeros((n_out, n_in)), np.zeros((n_out, 1))

    def forward(self, x):
        self.x = x
        return np.dot(self.W, x) + self.b

    def backward(self, dz):
        self.dW, self.db = np.dot(dz, self.x.T), dz
        return np.dot(self.W.T, dz)
"""
IN_ROWS = """
class {name}:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.zeros((n_in, n_out)), np.zeros((1, n_out))

    def forward(self, X):
        self.X = X
        return np.dot(X, self.W) + self.b

    def backward(self, dZ):
        self.dW, self.db = np.dot(self.X.T, dZ), dZ.sum(axis=0, keepdims=True)
        return np.dot(dZ, self.W.T)
"""
BROKEN = """
class {name}:
    def forward(self, X):
        raise RuntimeError("not yet")
"""


@pytest.fixture
def written(tmp_path):
    def path(*parts, sum=SUM):
        file = tmp_path / f"mine_{len(list(tmp_path.iterdir()))}.py"  # a module of its own
        names = ("Dense", "Linear", "FullyConnected")
        layers = [part.format(name=name) for part, name in zip(parts, names, strict=False)]
        file.write_text("".join([SOFTMAX.format(sum=sum), *layers]))
        return file

    return path


def ask(file):
    return verify(f"{file}:Softmax", "softmax", isolated=False)


def test_it_is_read_in_columns_and_that_is_said(written):
    file = written(IN_COLUMNS)
    verdict = ask(file)
    assert verdict.outcome == "right", str(verdict)
    assert "rows (F, N); columns, as the file's other layers (Dense)" in verdict.called
    sheet = verify_all(file, isolated=False)
    assert [(v.name, v.outcome) for v in sheet.verdicts] == [("Softmax", "right"), ("Dense", "right")]


def test_layers_of_one_column_take_columns(written):
    verdict = ask(written(OF_ONE_COLUMN))
    assert verdict.outcome == "right" and "(Dense)" in verdict.called, str(verdict)


def test_a_layer_that_cannot_be_called_says_nothing(written):
    verdict = ask(written(IN_COLUMNS, BROKEN))
    assert verdict.outcome == "right" and "(Dense)" in verdict.called, str(verdict)


@pytest.mark.parametrize("layers", [(IN_ROWS,), (IN_COLUMNS, IN_ROWS)])
def test_without_such_a_file_it_is_over_the_batch(written, layers):
    verdict = ask(written(*layers))
    assert verdict.outcome == "wrong" and "normalised down the batch" in str(verdict), str(verdict)


@pytest.mark.parametrize("layers", [(), (BROKEN,)])
def test_where_nothing_says_it_columns_are_assumed(written, layers):
    verdict = ask(written(*layers))
    assert verdict.outcome == "right" and "samples as rows" in verdict.not_checked, str(verdict)
    assert "nothing says what they are" in verdict.called


def test_of_one_that_goes_back_along_the_rows_nothing_is_assumed(written):
    verdict = ask(written(sum="(dA * self.A).sum(axis=1, keepdims=True)"))
    assert verdict.outcome == "wrong" and "normalised down the batch" in str(verdict), str(verdict)


def test_in_columns_its_gradient_is_held_to_them(written):
    verdict = ask(written(IN_COLUMNS, sum="dA.sum(axis=0, keepdims=True)"))
    assert verdict.outcome == "wrong" and "wrong: dx; right: out" in str(verdict), str(verdict)


def test_a_softmax_of_rows_is_one_of_rows(written):
    file = written(IN_COLUMNS)
    file.write_text(file.read_text().replace("(axis=0", "(axis=1").replace(", axis=0", ", axis=1"))
    assert "rows (F, N)" not in ask(file).called
