"""Squared errors in the forms that people give them: each is held to the gradient of its own forward."""

from pathlib import Path

import numpy as np
import pytest

from parity.adapters.loss_arguments import meanings_of
from parity.faults import FAULTS
from parity.kinds.names import kind_by_words
from parity.verification.listing import listed
from parity.verification.verify import verify

FILE = Path(__file__).parent / "wild" / "squared_errors.py"
KIND = "mean_squared_error"
# name, outcome, a part of the verdict
CASES = [
    (
        "mse",
        "right",
        "as mse(y_true, y_pred), mse_prime(y_true, y_pred); the loss is the mean over all outputs",
    ),
    ("squared_error", "wrong", "mse-gradient-sign"),
    ("MSE", "right", "as MSE(); the loss is half the sum divided by N; forward(y, t), backward()"),
    ("MSELoss", "wrong", "dx not divided, though the loss is: the gradient of the sum"),
    ("SquareLoss", "right", "the loss is half that of each output; loss(y, y_pred), gradient(y, y_pred)"),
    ("Loss_MeanSquaredError", "right", "the mean over all outputs as one number per row; forward"),
    ("KerasMSE", "right", "as one number per row, each with its own gradient"),
    ("mean_squared_error", "right", "the loss is half the sum over all outputs"),
    ("mse_loss", "right", "a is taken for the output, b for the target: their names do not say"),
    ("MeanSquaredError", "right", "half the sum divided by the number of columns, the samples"),
    ("QuadraticCost", "right", "gradients"),
    ("SquaredErrorOfOne", "right", "one at a time"),
    ("MSEWithHalf", "wrong", "dx is PyTorch's multiplied by 2"),
    ("MSEOfRows", "wrong", "mse-gradient-divided-by-rows"),
    ("MeanSquaredErrorLoss", "right", "calculate(x, target) -> returned[0]; dx in returned[1]"),
    ("MSECriterion", "right", "execute(y_pred, y_true), derivative(y_pred, y_true)"),
    ("RootMSE", "wrong", "loss is the square root of PyTorch's"),
    ("MSEOfChoices", "right", "not checked: a reduction other than 'mean' and 'sum'"),
    ("MSEOfNoChoice", "wrong", "backward, dx; wrong: dx; right: loss; only with reduction"),
    ("MSEOfRowsOrSum", "right", "not checked: a reduction other than 'mean'"),
    ("mse_of_choices", "right", "not checked: a reduction other than its default"),
]


@pytest.mark.parametrize(("name", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_it_is_called_read_and_judged(name, outcome, part):
    verdict = verify(f"{FILE}:{name}", KIND, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)


def test_a_file_shows_them():
    found = {one.name: one.kind for one in listed(FILE)}
    named = {name for name, kind in found.items() if kind == KIND}
    assert {"mse", "MSE", "SquareLoss", "Loss_MeanSquaredError", "mean_squared_error"} <= named
    assert "RootMSE" not in named and not [name for name in named if name.endswith(("prime", "grad"))]
    assert found["mse_of_choices,mse_of_choices_grad"] == "own_layer"  # what it is is chosen by a word


def test_the_words_of_a_name():
    for name in ("MSELossFunction", "loss_mse", "mse_cost", "MeanSquareErrorLoss", "HalfMSE"):
        assert kind_by_words(name) == KIND, name
    for name in ("RMSE", "MSENetwork", "mean_squared_logarithmic_error", "test_mse", "MSEPlot"):
        assert kind_by_words(name) != KIND, name


@pytest.mark.parametrize(
    ("names", "meanings"),
    [
        (("y_true", "y_pred"), ["t", "x"]),
        (("y", "t"), ["x", "t"]),
        (("a", "y"), ["x", "t"]),
        (("y", "y_hat"), ["t", "x"]),
        (("output", "y"), ["x", "t"]),
        (("expected", "result"), ["t", "x"]),
        (("a", "b"), ["", ""]),
    ],
)
def test_names_tell_outputs_from_targets(names, meanings):
    assert meanings_of(names) == meanings


def test_no_known_bug_is_a_convention():
    """A sum divided by something else in forward and backward alike is none of the catalogue's."""
    x, t = np.arange(24.0).reshape(6, 4) ** 1.5 / 9, np.arange(24.0).reshape(6, 4)[::-1] / 7
    right = FAULTS["mse-gradient-sign"].make()
    loss, dx = right.forward(x, t), -right.backward()
    for fault in (f for f in FAULTS.values() if f.kind == KIND and f.shows == "values" and not f.needs):
        made = fault.make()
        ratio = made.forward(x, t) / loss
        same = np.allclose(made.backward(), ratio * dx)
        known = np.isclose(ratio, [k * f for k in (1, 4, 24, 6) for f in (1, 0.5)]).any()
        assert not (same and known), fault.name


def test_a_loss_of_each_output_is_no_gradient_of_its_own():
    def squared_error(output, target):
        return 0.5 * (output - target) ** 2

    verdict = verify(squared_error, "mean_squared_error", isolated=False)
    assert verdict.outcome == "right" and "gradients" in verdict.not_checked, str(verdict)
