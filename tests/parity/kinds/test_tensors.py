"""Arrays as tensors in the memory format of the day: other strides, the same shape and numbers."""

import numpy as np
import pytest
import torch
from helpers import draw

from parity.checks.layer import check_kind
from parity.checks.network import Case, check_network
from parity.kinds import tensors
from parity.kinds.kind import to_numpy
from parity.reference.model_pair import build_pair


@pytest.fixture
def channels_last():
    tensors.set_channels_last(True)
    yield
    tensors.set_channels_last(False)


def test_an_array_is_not_copied_unless_it_has_to_be():
    x = draw(2, 3, 4, 5)
    assert tensors.place(x, "cpu").data_ptr() == x.ctypes.data
    assert tensors.place(x, "cpu", torch.float32).dtype == torch.float32


def test_images_lie_channels_last_and_read_back_as_they_were(channels_last):
    x = draw(2, 3, 4, 5)
    placed = tensors.place(x, "cpu")
    assert placed.shape == (2, 3, 4, 5) and placed.stride() == (60, 1, 15, 3)
    assert np.array_equal(to_numpy(placed), x) and to_numpy(placed).flags.c_contiguous
    assert tensors.place(draw(2, 3), "cpu").stride() == (3, 1)


def test_a_network_has_its_filters_channels_last(channels_last):
    _, module = build_pair("lenet", np.float32, "cpu", 0)
    weight = next(p for p in module.parameters() if p.dim() == 4 and p.shape[1] > 1)
    assert weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", ["convolution", "max_pooling", "batch_norm", "lrn", "im2col"])
def test_layers_match_channels_last(kind, dtype, channels_last):
    assert [row for row in check_kind(kind, dtype, contracts=False) if not row.ok] == []


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_network_matches_channels_last(dtype, channels_last):
    rows = list(check_network(Case("lenet5", dtype, steps=2, batch_size=2)))
    assert {"forward", "alone", "step 2"} <= {row.phase for row in rows}
    assert [row for row in rows if not row.ok] == []
