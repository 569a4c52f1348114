"""A function that does not know the word 'same' is not held to it; one that has it in its code is."""

import numpy as np
import pytest

from parity.verification.verify import verify


def correlate2d(a, k, mode="valid"):
    if mode == "full":
        a = np.pad(a, ((k.shape[0] - 1,) * 2, (k.shape[1] - 1,) * 2))
    out = np.zeros((a.shape[0] - k.shape[0] + 1, a.shape[1] - k.shape[1] + 1), a.dtype)
    for i, j in np.ndindex(*out.shape):
        out[i, j] = np.sum(a[i : i + k.shape[0], j : j + k.shape[1]] * k)
    return out


def ignoring_same(a, k, mode="valid"):
    if mode not in ("valid", "same", "full"):
        raise ValueError(mode)
    return correlate2d(a, k)


def with_another_kernel(a, k, mode="valid"):
    return correlate2d(a, 2 * k, mode)


def test_valid_alone():
    verdict = verify(correlate2d, "convolution", isolated=False)
    assert verdict.outcome == "right", str(verdict)
    assert "padding other than 'valid'" in verdict.not_checked


@pytest.mark.parametrize("function", [ignoring_same, with_another_kernel])
def test_what_has_the_word_and_what_is_wrong_without_it_are_wrong(function):
    assert verify(function, "convolution", isolated=False).outcome == "wrong"
