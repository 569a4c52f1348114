"""The certificate: equality on whole numbers, and what excuses a difference."""

import numpy as np
import pytest

import scratchcnn as sc
from parity.adapters.subject import subject_here
from parity.explain.exact import COPIES, KINDS, MANTISSA, SUMS, bits, certify, geometries, whole
from parity.kinds import ALL_KINDS
from parity.kinds.probes import probes
from parity.verification.reproduction import replay
from parity.verification.verify import verify


def certified(factory, kind, seed=0, cases=None):
    return certify(subject_here(factory, kind), kind, cases or probes(kind), seed)


class OneWeightOff(sc.Convolution):
    """One number of dW is off by 2^-40 of itself."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["W"] = self.grads["W"] * np.where(
            np.arange(self.W.size).reshape(self.W.shape), 1, 1 + 2**-40
        )
        return dx


class ByFourier(sc.Convolution):
    """As right as a convolution by FFT, and as inexact."""

    def forward(self, x):
        return super().forward(np.fft.irfft(np.fft.rfft(x, axis=1), n=x.shape[1], axis=1))

    def backward(self, dout):
        return super().backward(np.fft.irfft(np.fft.rfft(dout, axis=1), n=dout.shape[1], axis=1))


class ByReciprocal(sc.Pooling):
    def forward(self, x):
        return super().forward(x) * 49 * (1 / 49)


@pytest.mark.parametrize("kind", KINDS)
def test_ours_equal_pytorchs_bit_for_bit(kind):
    certificate, wrong = certified(ALL_KINDS[kind].ours, kind)
    assert certificate.outcome == "exact" and not wrong, certificate.says
    assert certificate.probes == 3 * len(geometries(probes(kind)))
    assert certificate.passes < 1e-12 if kind in (*SUMS, *COPIES) else "branches" in certificate.says


@pytest.mark.parametrize("kind", KINDS)
def test_no_sum_of_whole_numbers_is_rounded(kind):
    for case in geometries(probes(kind)):
        (k, common), probe = bits(case), whole(case, np.random.default_rng(0))
        largest = max(np.abs(a).max() for a in probe.inputs.values() if a.dtype.kind == "f")
        terms = 1 + max(a.size for a in probe.inputs.values())
        assert largest <= common * 2**k and common * 2 ** (2 * k) * terms < 2**MANTISSA


def test_an_error_of_2_to_the_minus_40_in_one_weights_gradient_is_caught():
    verdict = verify(OneWeightOff, "convolution", isolated=False)
    assert verdict.outcome == "wrong" and verdict.culprit.tensor == "dW", str(verdict)
    assert "exact        dW differ from PyTorch's on whole numbers" in str(verdict)


def test_the_reproduction_shows_it_again(capsys):
    replay(OneWeightOff, "convolution", "2 groups", "float64", "whole numbers", "dW")
    assert "rounding does not explain it" in capsys.readouterr().out


@pytest.mark.parametrize("seed", range(3))
def test_a_convolution_by_fft_is_excused(seed):
    certificate, wrong = certified(ByFourier, "convolution", seed)
    assert certificate.outcome == "rounded" and not wrong
    assert "the tolerance stands" in certificate.says


def test_a_division_by_the_reciprocal_is_excused():
    def make(*args, **options):
        return ByReciprocal(*args, mode="average", **options)

    cases = [p for p in probes("average_pooling") if p.id == "2x3 window"]
    certificate, wrong = certified(make, "average_pooling", cases=cases)
    assert certificate.outcome == "rounded" and not wrong, certificate.says


def test_a_large_error_is_never_rounding():
    """It is not additive in dout, as rounding is not; but no rounding is of the size of the sum itself."""

    class NeedsBothSigns(ALL_KINDS["convolution"].ours):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads["b"] = self.db * (1 if (dout < 0).any() else 2)
            return dx

    certificate, wrong = certified(NeedsBothSigns, "convolution")
    assert certificate.outcome == "wrong" and {row.tensor for row in wrong} == {"db"}


def test_a_planted_error_is_caught_among_the_rounding_of_an_fft():
    class Both(ByFourier, OneWeightOff):
        pass

    certificate, wrong = certified(Both, "convolution")
    assert certificate.outcome == "wrong" and [row.tensor for row in wrong] == ["dW"]


def test_where_it_does_not_apply_the_verdict_says_so():
    verdict = verify(sc.Softmax, "softmax", isolated=False)
    assert verdict.certificate.outcome == "no" and "the tolerance stands" in str(verdict)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
def test_no_false_alarm_on_many_seeds(kind):
    cases = probes(kind)
    for seed in range(1000):
        turn = [cases[seed % len(cases)]]
        assert not certified(ALL_KINDS[kind].ours, kind, seed, turn)[1], seed
