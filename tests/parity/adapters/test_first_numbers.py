"""A loss whose source takes the first number of each row is one of one output per row."""

import pytest

from parity import verify
from parity.adapters.first_numbers import takes_first_numbers

LOOP = """
import numpy as np


def mse(y_pred, y_true):
    total = 0
    for p, t in zip(y_pred, y_true):
        total += (p[0] - t[0]) ** 2
    return total / {divisor}


def mse_grad(y_pred, y_true):
    return {dx}
"""
ONE = "several outputs per row"


def ask(tmp_path, text, name, kind="mean_squared_error"):
    path = tmp_path / "mine.py"
    path.write_text(text)
    return verify(f"{path}:{name}", kind, isolated=False)


@pytest.mark.parametrize(
    ("divisor", "dx", "outcome"),
    [
        ("len(y_pred)", "2 * (y_pred - y_true) / len(y_pred)", "right"),
        ("(2 * len(y_pred))", "(y_pred - y_true) / len(y_pred)", "right"),
        ("len(y_pred)", "2 * (y_pred - y_true)", "wrong"),
        ("len(y_pred)", "(y_pred - y_true) / len(y_pred)", "wrong"),
        ("3", "2 * (y_pred - y_true) / 3", "wrong"),
    ],
)
def test_a_loop_over_rows_of_one(divisor, dx, outcome, tmp_path):
    verdict = ask(tmp_path, LOOP.format(divisor=divisor, dx=dx), "mse,mse_grad")
    assert verdict.outcome == outcome, str(verdict)
    assert (ONE in verdict.not_checked) == (divisor != "3")


@pytest.mark.parametrize(
    ("loss", "outcome"),
    [
        ("sum(abs(y_pred[i][0] - y_true[i][0]) for i in range(len(y_pred))) / len(y_pred)", "right"),
        ("sum(abs(y_pred[i, 0] - y_true[i, 0]) for i in range(len(y_pred))) / len(y_pred)", "right"),
        ("sum(abs(y_pred[i][0] + y_true[i][0]) for i in range(len(y_pred))) / len(y_pred)", "wrong"),
        ("np.mean(np.abs(y_pred[:, 0] - y_true[:, 0]))", "wrong"),
        ("np.mean(np.abs(y_pred[0] - y_true[0]))", "wrong"),
    ],
)
def test_a_loss_alone(loss, outcome, tmp_path):
    text = f"import numpy as np\n\n\ndef mae(y_pred, y_true):\n    return {loss}\n"
    assert ask(tmp_path, text, "mae", "mean_absolute_error").outcome == outcome


def of_rows(a):
    return [row[0] for row in a]


def of_indices(a):
    return sum(a[i][0] for i in range(len(a)))


def of_the_first_row(a):
    return a[0] + len(a.shape[1:])


def test_what_takes_the_first_number_of_each_row():
    assert takes_first_numbers({"of_rows": of_rows}) and takes_first_numbers({"of_indices": of_indices})
    assert not takes_first_numbers({"of_the_first_row": of_the_first_row})
