"""A convolution of one image and one filter (FH, FW, C) with a number as bias; its result is (OH, OW)."""

import numpy as np
import pytest

from parity.verification.verify import verify


def convolution(image, filter, bias=0, stride=1, padding=0):
    if padding:
        image = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    high, wide, channels = image.shape
    fh, fw, own = filter.shape
    if own != channels:
        raise ValueError("the filter has other channels than the image")
    out = np.zeros(((high - fh) // stride + 1, (wide - fw) // stride + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            part = image[i * stride : i * stride + fh, j * stride : j * stride + fw]
            out[i, j] = np.sum(part * filter) + bias
    return out


def turned(image, filter, bias=0, stride=1, padding=0):
    return convolution(image, filter[::-1, ::-1], bias, stride, padding)


def without_bias(image, filter, bias=0, stride=1, padding=0):
    return convolution(image, filter, 0, stride, padding)


@pytest.mark.parametrize(
    ("function", "outcome"), [(convolution, "right_but"), (turned, "wrong"), (without_bias, "wrong")]
)
def test_one_filter(function, outcome):
    verdict = verify(function, "convolution", isolated=False, adapter="auto")
    assert verdict.outcome == outcome and "(FH, FW, C)" in str(verdict), str(verdict)
