"""Of a function and its backward the report says which one is wrong."""

import pytest

from parity.verification.as_json import verdict_object
from parity.verification.verify import verify

SOURCE = """
import numpy as np

def mse(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)

def mse_prime(y_true, y_pred):
    return SLOPE * (y_pred - y_true) / y_true.size
"""


def written(tmp_path, slope, source=SOURCE):
    file = tmp_path / "losses.py"
    file.write_text(source.replace("SLOPE", slope))
    return file


def test_the_derivative_is_named_where_it_alone_is_wrong(tmp_path):
    file = written(tmp_path, "-2")
    verdict = verify(f"{file}:mse", "mean_squared_error")
    assert verdict.headline == "WRONG in mse_prime" and verdict.outcome == "wrong", str(verdict)
    assert "the numbers of mse are right, mse_prime is wrong" in str(verdict)
    assert verdict_object(verdict)["wrong_function"] == "mse_prime"


@pytest.mark.parametrize("slope", ["2", "-2"])
def test_nothing_is_said_for_a_function_that_is_wrong_itself(tmp_path, slope):
    verdict = verify(f"{written(tmp_path, slope, SOURCE.replace('** 2', '** 4'))}:mse", "mean_squared_error")
    assert verdict.outcome == "wrong" and not verdict.wrong_function, str(verdict)
    assert "are right" not in str(verdict)


def test_nothing_is_said_for_a_right_pair(tmp_path):
    verdict = verify(f"{written(tmp_path, '2')}:mse", "mean_squared_error")
    assert verdict.outcome == "right" and not verdict.wrong_function, str(verdict)
