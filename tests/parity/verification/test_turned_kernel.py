"""A function for plain images may turn its kernel, as convolution is defined; a layer may not."""

import numpy as np
import pytest

from parity.verification.turned_kernel import SAYS
from parity.verification.verify import verify


def correlate(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("ijkl,kl->ij", windows, kernel)


def convolve2d(image, kernel):
    return correlate(image, kernel[::-1, ::-1])


def convolve_same(image, kernel):
    (h, w), f = kernel.shape, kernel[::-1, ::-1]
    return correlate(np.pad(image, ((h // 2, h // 2), (w // 2, w // 2))), f)


def turned_in_one_axis(image, kernel):
    return correlate(image, kernel[::-1])


def turned_and_doubled(image, kernel):
    return 2 * convolve2d(image, kernel)


def convolve_images(x, w, b):
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("nchwkl,fckl->nfhw", windows, w[:, :, ::-1, ::-1]) + b[:, None, None]


def asked(function, **options):
    return verify(function, "convolution", isolated=False, adapter="auto", **options)


@pytest.mark.parametrize("function", [convolve2d, convolve_same])
def test_a_true_convolution_of_plain_images_is_right_and_said(function):
    verdict = asked(function)
    assert verdict.outcome == "right_but" and verdict.buts == [SAYS], str(verdict)
    for name in ("true-convolution", "conv-flipped-kernel"):
        assert asked(function, allow=[name]).outcome == "right"


def test_the_cross_correlation_is_right():
    assert asked(correlate).outcome == "right"


@pytest.mark.parametrize("function", [turned_in_one_axis, turned_and_doubled, convolve_images])
def test_anything_else_is_wrong(function):
    assert asked(function).outcome == "wrong"
