"""A softmax's derivative that is written in terms of the output, under the name of the input."""

import pytest

from parity import verify

SOURCE = """
import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def of_output(da, z):
    return z * (da - (da * z).sum(axis=1, keepdims=True))


def of_output_wrong(da, z):
    return z * (da - da.sum(axis=1, keepdims=True))


def of_output_without_the_rest(da, z):
    return da * z * (1 - z)


def of_input(da, logits):
    s = softmax(logits)
    return s * (da - (da * s).sum(axis=1, keepdims=True))


def of_input_wrong(da, logits):
    s = softmax(logits)
    return s * (da - da.sum(axis=1, keepdims=True))


def of_both_wrong(da, z):
    s = softmax(z)
    return s * (da - (da * z).sum(axis=1, keepdims=True))
"""
VERDICTS = [
    ("of_output", "right", "of_output(da, z); z there is the output"),
    ("of_output_wrong", "wrong", "z there is the output"),
    ("of_output_without_the_rest", "wrong", "z there is the output"),
    ("of_input", "right", "of_input(da, logits)"),
    ("of_input_wrong", "wrong", "of_input_wrong(da, logits)"),
    ("of_both_wrong", "wrong", "of_both_wrong(da, z)"),
]


@pytest.mark.parametrize(("name", "outcome", "called"), VERDICTS, ids=lambda text: text)
def test_verdicts(name, outcome, called, tmp_path):
    path = tmp_path / "softmaxes.py"
    path.write_text(SOURCE)
    verdict = verify(f"{path}:softmax,{name}", "softmax", isolated=False)
    assert verdict.outcome == outcome, str(verdict)
    assert called in verdict.called
    assert "gradients" not in verdict.not_checked
