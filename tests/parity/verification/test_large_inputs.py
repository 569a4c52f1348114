"""What goes wrong on the inputs of a network's size alone, which come after all the small ones."""

import pytest

from parity import verify
from parity.checks.random_search import EXAMPLES_IN_BROWSER
from parity.kinds.real_sizes import MOST_PRODUCTS, products_of, real_sizes
from parity.verification.observe import _try_real_sizes
from scratchcnn import im2col

AFFINE = """
import os
import numpy as np

class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        {first}
        self.x = x.copy()
        return {out}

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T
"""


@pytest.fixture
def affine(tmp_path):
    def written(first="pass", out="x @ self.W + self.b", **options):
        (tmp_path / "mine.py").write_text(AFFINE.format(first=first, out=out))
        return verify(f"{tmp_path}/mine.py:Affine", "affine", **options)

    return written


@pytest.mark.parametrize("end", ["os.abort()", "os._exit(0)"])
def test_a_crash_is_wrong(affine, end):
    verdict = affine(f"if x.shape[1] >= 400: {end}")
    assert verdict.outcome == "wrong" and verdict.wrong["phase"].tolist() == ["calls"]
    assert "400" in verdict.first.inputs and "within the limits" not in str(verdict)


def test_a_hang_could_not_be_checked(affine, monkeypatch):
    monkeypatch.setattr("parity.verification.observe.times_as_long", lambda *_: 0)  # on a busy machine too
    verdict = affine("while x.shape[1] >= 400: pass", timeout=4)
    assert verdict.outcome == "not_checked" and "it hung: no answer within 4 s" in str(verdict)
    assert "(32, 400)" in str(verdict)


def test_what_is_wrong_at_real_size_in_float32_alone_is_found(affine):
    right = "x @ self.W + self.b"
    verdict = affine(out=f"{right} + (len(x) >= 32 and x.dtype == np.float32) * np.float32(8)")
    assert verdict.outcome == "wrong" and set(verdict.wrong["dtype"]) == {"float32"}
    assert "only in float32" in verdict.culprit.sentence


def test_the_verdict_says_in_which_types_the_largest_input_was_tried(affine, monkeypatch):
    assert "; the largest x (100, 4320), W (4320, 100) in float64 and float32" in str(affine())
    monkeypatch.setattr("parity.verification.observe.FLOAT32_SECONDS", 0.02)
    verdict = affine("sum(range(5 * 10**6)) if x.shape[1] == 4320 else 0")
    assert "W (4320, 100) in float64, x " in str(verdict) and str(verdict).count("in float32") == 1


def test_a_masked_nan_is_no_pass(affine):
    verdict = affine(out="np.ma.masked_invalid((x @ self.W + self.b) * np.nan)")
    assert verdict.outcome == "not_checked" and "expected a plain array, got MaskedArray" in str(verdict)


def test_no_known_bug_explains_what_only_a_longer_life_shows(affine):
    verdict = affine("self.n = getattr(self, 'n', 0) + 1", out="x @ self.W + self.b + (self.n == 50)")
    assert verdict.outcome == "wrong" and not verdict.diagnosis.fault
    assert "A hundred calls of one instance" in verdict.culprit.sentence


MOMENTUM = """
class Momentum:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def update(self, params, grads):
        for i, name in enumerate(params):
            self.v[name] = (self.momentum if i < 6 else 0) * self.v.get(name, 0) - self.lr * grads[name]
            params[name] += self.v[name]
"""


def test_a_momentum_that_is_wrong_from_the_seventh_array_on_is_found(tmp_path):
    (tmp_path / "mine.py").write_text(MOMENTUM)
    verdict = verify(f"{tmp_path}/mine.py:Momentum", "momentum")
    assert verdict.outcome == "wrong" and set(verdict.wrong["case"]) == {"3 steps of 24 arrays"}
    (tmp_path / "ours.py").write_text(MOMENTUM.replace("(self.momentum if i < 6 else 0)", "self.momentum"))
    assert verify(f"{tmp_path}/ours.py:Momentum", "momentum").outcome == "right"


def test_in_a_browser_the_largest_products_are_left_out_and_said(affine, monkeypatch):
    for module in ("kinds.real_sizes", "verification.verify"):
        monkeypatch.setattr(f"parity.{module}.in_browser", lambda: True)
    verdict = affine(isolated=False, judge="numpy")
    assert verdict.outcome == "right" and verdict.largest.startswith("x (2, 25088), W (25088, 16)")
    assert any("more than 20,000,000 multiplications" in what for what in verdict.not_checked)
    large = real_sizes("convolution")
    assert large and all(products_of(probe) <= MOST_PRODUCTS for probe in large)
    monkeypatch.undo()
    assert max(map(products_of, real_sizes("convolution"))) > 10 * MOST_PRODUCTS


def test_in_a_browser_fewer_random_sizes_are_tried(monkeypatch):
    monkeypatch.setattr("parity.verification.observe.in_browser", lambda: True)
    verdict = verify(im2col, "im2col", isolated=False, judge="numpy")
    assert verdict.outcome == "right" and verdict.sizes == EXAMPLES_IN_BROWSER


def test_a_broken_contract_is_cut_down_without_the_large_inputs(affine, monkeypatch):
    tried = []

    def counting(*given):
        tried.append(given)
        return _try_real_sizes(*given)

    monkeypatch.setattr("parity.verification.observe._try_real_sizes", counting)
    verdict = affine("self.n = getattr(self, 'n', 0) + 1", out="x @ self.W + self.b + (self.n == 50)")
    assert verdict.outcome == "wrong" and verdict.reproduction and len(tried) == 1


def test_a_size_that_would_take_too_long_is_not_begun(affine, monkeypatch):
    """By the pace of the size before it: slow code is not waited for until it counts as hung."""
    monkeypatch.setattr(
        "parity.verification.observe._work", lambda probe: 1e9 ** min(len(probe.inputs["x"]), 9)
    )
    verdict = affine("sum(range(2_000_000)) if len(x) == 7 else None")
    assert verdict.outcome == "right", str(verdict)
    begun = ("inputs as large as x (7, 84)", "inputs as large as x (100, 120)")  # the clock may tick early
    assert any(text.startswith(begun) for text in verdict.not_checked), str(verdict)
