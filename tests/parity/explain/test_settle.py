"""Rounding or bug: twelve pairs as people ask about them, and many pairs of correct implementations."""

import json

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import parity as package
from parity.explain.settle import rounded, settle


def normal(*shape, seed=0, dtype=np.float32, scale=1.0):
    return (scale * np.random.default_rng(seed).standard_normal(shape)).astype(dtype)


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def in_a_loop(x):
    total = np.zeros(x.shape[0], x.dtype)
    for i in range(x.shape[1]):
        total += x[:, i]
    return total


def standardized(eps=1e-5, ddof=0):
    return lambda x: (x - x.mean(0)) / np.sqrt(x.var(0, ddof=ddof) + eps)


def product_in(bits):
    """A matrix product on inputs that were rounded to so many bits, as tensor cores do it."""

    def product(x, W):
        return (rounded(x, bits) @ rounded(W, bits)).astype(x.dtype)

    return product


def product(x, W):
    return x @ W


def convolved(padding):
    return lambda x, W: F.conv2d(x, W, padding=padding)


def padded_behind(x, W):
    return F.conv2d(F.pad(x, (0, 2, 0, 2)), W)


X, W = normal(32, 64), normal(64, 16, seed=1)
IMAGES, FILTERS = normal(2, 3, 8, 9), normal(4, 3, 3, 3, seed=1)
PAIRS = {
    "a sum in a loop and by pairs": (in_a_loop, lambda x: x.sum(1), (normal(8, 5000),), "rounding", ""),
    "TF32 in one product": (product_in(10), product, (X, W), "rounding", "TF32"),
    "bfloat16 on one side": (
        lambda x, W: (x.bfloat16() @ W.bfloat16()).float(),
        lambda x, W: torch.matmul(x, W),
        (X, W),
        "rounding",
        "bfloat16",
    ),
    "half precision on one side": (
        lambda x, W: (x.astype(np.float16) @ W.astype(np.float16)).astype(x.dtype),
        product,
        (X, W),
        "rounding",
        "float16",
    ),
    "pixels divided by 255, or times its reciprocal": (
        lambda x: softmax(x / x.dtype.type(255)),
        lambda x: softmax(x * (1 / x.dtype.type(255))),
        (np.abs(normal(6, 10, scale=900)),),
        "rounding",
        "",
    ),
    "NumPy's product and PyTorch's": (product, torch.matmul, (X, W), "rounding", ""),
    "float32 inside a float64 program": (
        lambda x: x.astype(np.float32).astype(np.float64).sum(1),
        lambda x: x.sum(1),
        (normal(8, 50, dtype=np.float64),),
        "rounding",
        "float32",
    ),
    "the variance as E[x^2] - E[x]^2": (
        lambda x: (x**2).mean(0) - x.mean(0) ** 2,
        lambda x: x.var(0),
        (normal(200, 5) + np.float32(10),),
        "rounding",
        "",
    ),
    "an eps of 1e-3 for 1e-5": (standardized(1e-3), standardized(), (normal(20, 6),), "bug", ""),
    "padding behind the image": (padded_behind, convolved(1), (IMAGES, FILTERS), "bug", ""),
    "the unbiased standard deviation": (standardized(ddof=1), standardized(), (normal(20, 6),), "bug", ""),
    "GELU and its approximation": (
        lambda x: F.gelu(x),
        lambda x: F.gelu(x, approximate="tanh"),
        (normal(20, 6),),
        "bug",
        "",
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_that_people_ask_about(name):
    f, g, arrays, outcome, arithmetic = PAIRS[name]
    for one, other in ((f, g), (g, f)):
        found = settle(one, other, *arrays)
        assert found.outcome == outcome, str(found)
        assert found.arithmetic == arithmetic, str(found)


def test_a_bug_comes_with_the_smallest_input():
    found = settle(standardized(ddof=1), standardized(), normal(20, 6))
    assert found.status == 1 and [a.shape for a in found.inputs] == [(2, 1)], str(found)
    assert not np.allclose(found.f, found.g)


def test_a_map_between_the_results_is_named():
    assert "f's result is g's reversed along axis 1" in str(
        settle(lambda x: x[:, ::-1] * 2, lambda x: x * 2, X)
    )
    assert "f's result is g's multiplied by 2" in str(settle(lambda x: 2 * x, lambda x: 1 * x, X))
    assert "different shapes: (64, 32) and (32, 64)" in str(settle(lambda x: x.T, lambda x: x, X))


def test_what_cannot_be_decided_says_what_would_decide_it():
    rng = np.random.default_rng(0)
    found = settle(lambda x: x + rng.random(x.shape), lambda x: x, X)
    assert found.status == 2 and "with a fixed seed it could be decided" in found.says


def test_a_small_bug_behind_rounding_is_a_bug():
    """1e-6 of the result: within many tolerances, and not rounding."""
    found = settle(lambda x: x.sum(1) * x.dtype.type(1 + 2**-20), lambda x: x.sum(1), X)
    assert found.outcome == "bug" and "in float64 they still differ" in found.says


def test_functions_that_take_none_of_the_arrays_are_refused():
    with pytest.raises(ValueError, match="g takes none of the arrays: numpy: TypeError"):
        settle(lambda x: x, lambda: 0, X)
    with pytest.raises(ValueError, match="needs the arrays"):
        settle(product, product)


def test_it_is_a_name_of_the_package():
    assert package.settle is settle


# -- pairs of correct implementations -----------------------------------------------------------
def _pairs(rng):
    """A correct pair, and its inputs, drawn."""
    N, C, n = (int(k) for k in rng.integers(1, 24, 3))
    scale = float(2.0 ** rng.integers(-8, 9))
    x, W = normal(N, C, seed=rng.integers(1 << 30), scale=scale), normal(C, n, seed=rng.integers(1 << 30))
    images = normal(2, 3, 6, 5 + C % 3, seed=rng.integers(1 << 30), scale=scale)
    filters = normal(4, 3, 3, 2, seed=rng.integers(1 << 30))

    def by_rows(x, W):
        return np.stack([(x * W[:, i]).sum(1) for i in range(W.shape[1])], 1)

    def by_windows(x, W):
        view = np.lib.stride_tricks.sliding_window_view(x, W.shape[2:], (2, 3))
        return np.einsum("nchwij,fcij->nfhw", view, W)

    def log_sum(x):
        most = x.max(1)
        return most + np.log(np.exp(x - most[:, None]).sum(1))

    return [
        (product, by_rows, (x, W)),
        (product, torch.matmul, (x, W)),
        (softmax, lambda x: torch.softmax(x, 1), (x,)),
        (log_sum, lambda x: torch.logsumexp(x, 1), (x,)),
        (by_windows, lambda x, W: F.conv2d(x, W), (images, filters)),
        (lambda x: x.mean(1), lambda x: x.sum(1) / x.shape[1], (x,)),
        (lambda x: x.var(0), lambda x: ((x - x.mean(0)) ** 2).mean(0), (x,)),
        (lambda x: np.tanh(x), lambda x: torch.tanh(x), (x,)),
        (
            lambda x: 1 / (1 + np.exp(-np.clip(x, -80, 80))),
            lambda x: torch.sigmoid(x),
            (x / np.float32(scale),),
        ),
        (lambda x: np.sqrt((x * x).sum(1)), lambda x: np.linalg.norm(x, axis=1), (x,)),
    ][int(rng.integers(10))]


@pytest.mark.parametrize(
    "start, count", [(0, 60), pytest.param(1000, 1000, marks=pytest.mark.exhaustive)], ids=["60", "1,000"]
)
def test_no_correct_pair_is_accused(start, count):
    for seed in range(start, start + count):
        f, g, arrays = _pairs(np.random.default_rng(seed))
        found = settle(f, g, *arrays)
        assert found.outcome == "rounding", (seed, str(found))


# -- the command ----------------------------------------------------------------------------------
@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.py").write_text("import numpy as np\n\ndef f(x):\n    return x.sum(0)\n")
    (tmp_path / "b.py").write_text("import torch\n\ndef f(x):\n    return torch.sum(x, 0)\n")
    (tmp_path / "c.py").write_text("def f(x):\n    return x.mean(0)\n")
    np.savez(tmp_path / "x.npz", x=normal(50, 3))
    return tmp_path


def test_the_command_says_rounding(parity, files):
    ended = parity("settle", f"{files}/a.py:f", f"{files}/b.py:f", "--inputs", files / "x.npz")
    assert ended.status == 0 and ended.out.startswith("rounding: "), ended.out + ended.err


def test_the_command_says_bug_as_json(parity, files):
    ended = parity("settle", f"{files}/a.py:f", f"{files}/c.py:f", "--shapes", "8,3", "--json")
    found = json.loads(ended.out)
    assert ended.status == 1 and found["outcome"] == "bug" and found["shapes"] == [[2, 1]]


@pytest.mark.parametrize("arguments", [(), ("--shapes", "8,x"), ("--inputs", "nowhere.npz")])
def test_the_command_refuses(parity, files, arguments):
    ended = parity("settle", f"{files}/a.py:f", f"{files}/b.py:f", *arguments)
    assert ended.status == 2 and not ended.out
