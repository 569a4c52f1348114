"""Right steps pass and wrong ones fail, whatever the formula; arrays of integers may be refused."""

import numpy as np
import pytest

from parity import verify
from parity.checks.layer import check_kind

CENTRAL, FIVE_POINTS = {1: 1 / 2}, {1: 2 / 3, 2: -1 / 12}


def differences(h, weights=CENTRAL):
    """df/dx = sum over k of weights[k] * (f(x + k h) - f(x - k h)) / h, on a copy of x."""

    def numerical_gradient(f, x):
        x = x.astype(np.float64)
        grad = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            value = x[index]
            for k, weight in weights.items():
                for sign in (1, -1):
                    x[index] = value + sign * k * h
                    grad[index] += sign * weight * f(x) / h
            x[index] = value
        return grad

    return numerical_gradient


def wrong(factory, seed=0):
    rows = list(check_kind("numerical_gradient", seed=seed, factory=factory))
    assert rows
    return [row.case for row in rows if not row.ok]


@pytest.mark.parametrize("weights", [CENTRAL, FIVE_POINTS], ids=["central", "five points"])
@pytest.mark.parametrize("h", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8])
def test_the_usual_steps_are_right(h, weights):
    assert [wrong(differences(h, weights), seed) for seed in range(5)] == [[]] * 5


@pytest.mark.parametrize("weights", [CENTRAL, FIVE_POINTS], ids=["central", "five points"])
@pytest.mark.parametrize("h", [1, 100])
def test_large_steps_show_on_curved_functions_and_nowhere_else(h, weights):
    assert set(wrong(differences(h, weights))) == {"a curved function", "a curved function of a matrix"}


def test_whole_numbers_may_be_refused_and_nothing_else():
    def refuses(error, everything=False):
        def numerical_gradient(f, x):
            if everything or x.dtype.kind == "i":
                raise error("not this x")
            return differences(1e-4)(f, x)

        return numerical_gradient

    assert wrong(refuses(TypeError)) == wrong(refuses(ValueError)) == []
    assert wrong(refuses(IndexError)) == ["two whole numbers, as integers"]
    assert len(wrong(refuses(TypeError, everything=True))) > 6


def test_the_verdict_names_the_step_and_prints_lines_that_run():
    def numerical_gradient(f, x):
        return differences(1.0)(f, x)

    verdict = verify(numerical_gradient, "numerical_gradient")
    assert not verdict.ok and verdict.diagnosis.fault == "numerical-gradient-large-step"
    assert "out = numerical_gradient(lambda x: " in verdict.reproduction
    space = {"numerical_gradient": numerical_gradient}
    exec(verdict.reproduction.replace("print(", "pair = ("), space)
    assert space["pair"][0].shape == space["pair"][2].shape
