"""Derivatives that are matrices: of a row, of each row or column, or of all numbers together."""

import numpy as np
import pytest

from parity.adapters.jacobian import times_jacobian
from parity.verification.verify import verify

SOURCE = """
import numpy as np

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def slope(x):
    return sigmoid(x) * (1 - sigmoid(x))

def sigmoid_of_columns(x):
    return np.stack([np.diagflat(slope(column)) for column in x.T])

def sigmoid_of_columns_last(x):
    return np.apply_along_axis(lambda column: np.diag(slope(column)), 0, x)

def sigmoid_of_rows(x):
    return np.array([np.diag(slope(row)) for row in x])

def sigmoid_of_all(x):
    return np.diagflat(slope(x))

def sigmoid_of_all_wrong(x):
    return np.diagflat(sigmoid(x) * (1 + sigmoid(x)))

def sigmoid_of_columns_wrong(x):
    return np.stack([np.diagflat(slope(column)) + 0.5 for column in x.T])

def softmax(x):
    e = np.exp(x - x.max(axis=0))
    return e / e.sum(axis=0)

def softmax_derivative_of_columns(x):
    return np.array([np.diag(s) - np.outer(s, s) for s in softmax(x).T])

def softmax_derivative_of_columns_last(x):
    return np.stack([np.diag(s) - np.outer(s, s) for s in softmax(x).T], axis=2)

def softmax_derivative_of_columns_wrong(x):
    return np.array([np.diag(s) + np.outer(s, s) for s in softmax(x).T])

class Sigmoid:
    def activate(self, x):
        return sigmoid(x)

    def gradient(self, x):
        return np.diagflat(slope(x))
"""
VERDICTS = [
    *((f"sigmoid,sigmoid_of_{what}", "right") for what in ("columns", "columns_last", "rows", "all")),
    *((f"sigmoid,sigmoid_of_{what}_wrong", "wrong") for what in ("all", "columns")),
    *((f"softmax,softmax_derivative_of_columns{what}", "right") for what in ("", "_last")),
    ("softmax,softmax_derivative_of_columns_wrong", "wrong"),
    ("Sigmoid", "right"),
]


@pytest.mark.parametrize(("name", "outcome"), VERDICTS, ids=lambda text: text)
def test_verdicts(name, outcome, tmp_path):
    path = tmp_path / "activations.py"
    path.write_text(SOURCE)
    verdict = verify(f"{path}:{name}", name.partition(",")[0].lower(), isolated=False)
    assert verdict.outcome == outcome, verdict
    assert "the Jacobian, times dout" in verdict.called


def test_a_jacobian_times_dout():
    rows = np.arange(18.0).reshape(2, 3, 3)
    dout = np.array([[1.0, 2.0, 4.0], [0.5, 8.0, 1.0]])
    expected = np.stack([dout[0] @ rows[0], dout[1] @ rows[1]])
    assert np.array_equal(times_jacobian(dout, rows, "rows"), expected)
    assert np.array_equal(times_jacobian(dout.T, rows, "columns"), expected.T)
    assert np.array_equal(times_jacobian(dout.T, rows.transpose(1, 2, 0), "columns last"), expected.T)
    assert np.array_equal(times_jacobian(dout[:1].T, rows[0], "row"), expected[:1].T)
    whole = np.zeros((6, 6))
    whole[:3, :3], whole[3:, 3:] = rows
    assert np.array_equal(times_jacobian(dout, whole, "whole"), expected)
