"""The distributions, by their moments: bounds of five standard errors, seeds fixed."""

import math

import numpy as np
import pytest
import torch

from scratchcnn.init import fans, he, normal, xavier

CONV, AFFINE = (60, 20, 5, 4), (400, 150)  # fan_in 400 and 1200 out; 400 and 150

STDS = {
    "he, convolution": (lambda r: he(CONV, r), math.sqrt(2 / 400)),
    "he, affine": (lambda r: he(AFFINE, r), math.sqrt(2 / 400)),
    "he, fan_out": (lambda r: he(CONV, r, mode="fan_out"), math.sqrt(2 / 1200)),
    "xavier, convolution": (lambda r: xavier(CONV, r), math.sqrt(2 / 1600)),
    "xavier, affine": (lambda r: xavier(AFFINE, r), math.sqrt(2 / 550)),
    "xavier of the book": (lambda r: xavier(AFFINE, r, form="book"), math.sqrt(1 / 400)),
    "normal": (lambda r: normal(CONV, 0.01, r), 0.01),
    "normal in float64": (lambda r: normal(CONV, 0.01, r, np.float64), 0.01),
}


@pytest.mark.parametrize(("draw", "std"), STDS.values(), ids=STDS)
def test_moments(draw, std):
    z = draw(np.random.default_rng(0)).ravel() / std
    n = z.size
    assert abs(z.mean()) < 5 / math.sqrt(n)
    assert abs(z.var() - 1) < 5 * math.sqrt(2 / n)
    assert abs((z**3).mean()) < 5 * math.sqrt(15 / n)
    assert abs((z**4).mean() - 3) < 5 * math.sqrt(96 / n)


def test_standard_deviations_are_pytorchs():
    nn = torch.nn.init
    for W, ours in ((torch.empty(CONV), fans(CONV)), (torch.empty(AFFINE).T, fans(AFFINE))):
        assert nn._calculate_fan_in_and_fan_out(W) == ours


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_drawn_in_the_dtype_asked_for(dtype):
    W = normal((3, 4), 2.0, 7, dtype)
    assert W.dtype == dtype
    np.testing.assert_array_equal(W, np.random.default_rng(7).standard_normal((3, 4), dtype=dtype) * dtype(2))


def test_a_generator_moves_on_and_a_seed_repeats():
    rng = np.random.default_rng(0)
    assert not np.array_equal(he((2, 3), rng), he((2, 3), rng))
    np.testing.assert_array_equal(he((2, 3), 0), he((2, 3), 0))


ERRORS = {
    "rng": (
        lambda: he((2, 3), None),
        TypeError,
        "rng must be a numpy.random.Generator or a seed .* got None",
    ),
    "a number for the shape": (lambda: xavier(3, 0), TypeError, "of whole numbers, got 3"),
    "text in the shape": (lambda: he((2, "3"), 0), TypeError, r"of whole numbers, got \(2, '3'\)"),
    "legacy rng": (lambda: he((2, 3), np.random), TypeError, "rng must be a numpy.random.Generator"),
    "dtype": (lambda: he((2, 3), 0, np.float16), ValueError, "float32 or float64, got dtype float16"),
    "places": (
        lambda: he((2, 3), 100, np.random.default_rng(0)),
        TypeError,
        r"dtype must be float32 or float64, got Generator\(PCG64\).*; is it in rng's place\?",
    ),
    "shape": (lambda: he((3,), 0), ValueError, r"\(in, out\) or \(FN, C, FH, FW\), got \(3,\)"),
    "empty": (lambda: xavier((0, 3), 0), ValueError, r"got \(0, 3\)"),
    "std": (lambda: normal((3,), -1, 0), ValueError, "std must be at least 0 and finite, got -1"),
    "mode": (lambda: he((2, 3), 0, mode="fan"), ValueError, "got 'fan'"),
    "form": (lambda: xavier((2, 3), 0, form="x"), ValueError, '"paper" or "book", got \'x\''),
}


@pytest.mark.parametrize(("call", "error", "text"), ERRORS.values(), ids=ERRORS)
def test_bad_input_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
