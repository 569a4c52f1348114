"""`build(input_shape)` may be told (H, W, C) or (N, H, W, C): weights that it makes show which."""

from pathlib import Path

import numpy as np
import pytest

from parity.verification.verify import verify

FILE = Path(__file__).parent / "wild" / "built_on_shapes.py"


@pytest.mark.parametrize(("name", "outcome"), [("Conv2D", "right"), ("Conv2DOfTheLast", "wrong")])
def test_channels_last(name, outcome):
    verdict = verify(f"{FILE}:{name}", "convolution", isolated=False)
    assert verdict.outcome == outcome and "then build(input_shape)" in verdict.called, str(verdict)


def convolve_same(batch, filtr):
    """One filter (FH, FW, C) on images (N, H, W, C), as a strided view: no shape tells how it lies."""
    (h, w, _), size = filtr.shape, batch.shape
    padded = np.pad(batch, ((0, 0), (h // 2, h // 2), (w // 2, w // 2), (0, 0)))
    n, high, wide, deep = padded.strides
    strides = (n, high, wide, high, wide, deep)
    view = np.lib.stride_tricks.as_strided(padded, (*size[:3], *filtr.shape), strides, writeable=False)
    return np.einsum("klm,nijklm->nij", filtr, view)


def test_one_filter_lies_as_its_images():
    verdict = verify(convolve_same, "convolution", isolated=False, adapter="auto")
    assert verdict.outcome == "right" and "given W (FH, FW, C)" in verdict.called, str(verdict)
