"""Losses whose outputs are columns (C, N) while their targets are rows (N, C)."""

import numpy as np
import pytest

from parity.verification.verify import verify

SAYS = "rows (F, N); targets (N, F)"


def cross_entropy(p, t):
    losses = np.zeros(p.shape[1], p.dtype)
    for n in range(p.shape[1]):
        for c in range(p.shape[0]):
            losses[n] -= t[n][c] * np.log(p[:, n][c])
    return losses.mean()


def cross_entropy_prime(p, t):
    return -t.T / p / p.shape[1]


def summed(p, t):
    return -np.sum(t.T * np.log(p))


def summed_prime(p, t):
    return -t.T / p


def in_binary(p, t):
    return -np.sum(t.T * np.log2(p)) / p.shape[1]


def mse(p, t):
    return ((p - t.T) ** 2).sum() / p.shape[1]


def mse_prime(p, t):
    return 2 * (p - t.T) / p.shape[1]


def mse_prime_not_divided(p, t):
    return 2 * (p - t.T)


def of_one_vector(p, t):
    return np.sum(-np.dot(t, np.log(p)))


def ask(factory, kind="softmax_with_loss"):
    return verify(factory, kind, isolated=False)


@pytest.mark.parametrize("factory", [(cross_entropy, cross_entropy_prime), (summed, summed_prime)])
def test_cross_entropies(factory):
    verdict = ask(factory)
    assert verdict.outcome in ("right", "right_but") and SAYS in verdict.called, str(verdict)


def test_squared_errors():
    verdict = ask((mse, mse_prime), "mean_squared_error")
    assert verdict.outcome == "right" and SAYS in verdict.called, str(verdict)
    verdict = ask((mse, mse_prime_not_divided), "mean_squared_error")
    assert verdict.outcome == "wrong" and verdict.culprit.tensor == "dx", str(verdict)


def test_another_logarithm_is_wrong():
    verdict = ask((in_binary, cross_entropy_prime))
    assert verdict.outcome == "wrong" and verdict.culprit.tensor == "loss", str(verdict)


def test_a_product_of_all_pairs_is_no_such_layout():
    verdict = ask(of_one_vector)
    assert verdict.outcome == "right" and "rows (F), one at a time" in verdict.called, str(verdict)
