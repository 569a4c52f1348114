"""Layouts there and back, and those that are none: exchanged sides of an image or a window."""

import numpy as np
import pytest

from parity.adapters.convention import Convention, Place
from parity.adapters.layouts import (
    BATCH,
    BATCHES,
    STORED,
    WEIGHTS,
    batch_shape,
    joined,
    laid_out,
    pieces,
    restored,
    shape_in,
    tokens,
)
from parity.adapters.reach import described, got, parsed, put, spelled

SHAPES = {4: (2, 3, 4, 5), 2: (6, 4), 1: (5,)}


@pytest.mark.parametrize(("ndim", "layout"), [(n, layout) for n, found in STORED.items() for layout in found])
def test_weights_come_back_as_they_were(ndim, layout):
    shape = tuple(
        n if c in "".join(tokens(layout)) else 1 for c, n in zip(WEIGHTS[ndim], SHAPES[ndim], strict=True)
    )
    a = np.arange(float(np.prod(shape))).reshape(shape)
    laid = laid_out(a, WEIGHTS[ndim], layout)
    assert laid.shape == shape_in(shape, WEIGHTS[ndim], layout)
    assert np.array_equal(restored(laid, WEIGHTS[ndim], layout, shape), a)


@pytest.mark.parametrize(
    ("ndim", "layout"), [(n, layout) for n, found in BATCHES.items() for layout in found]
)
def test_batches_come_back_as_they_were(ndim, layout):
    shape = (2, 1, 4, 5) if layout in ("HW", "NHW") else SHAPES[ndim]
    a = np.arange(float(np.prod(shape))).reshape(shape)
    parts = pieces(a, layout)
    assert {part.shape for part in parts} == {batch_shape(shape, layout)}
    assert np.array_equal(joined(parts, layout, shape), a)


def test_no_layout_exchanges_the_sides_of_an_image_or_a_window():
    for layouts in (STORED[4], BATCHES[4]):
        for spelled_out in ("".join(tokens(layout)) for layout in layouts):
            assert spelled_out.index("H") < spelled_out.index("W"), spelled_out


def test_a_letter_that_is_left_out_has_one_size():
    with pytest.raises(NotImplementedError, match="HW has one C"):
        pieces(np.ones((2, 3, 4, 5)), "HW")
    assert batch_shape((2, 3, 4, 5), "HW") is None and BATCH[4] == "NCHW"


def test_an_array_of_a_wrong_shape_stays_as_it_is():
    wrong = np.ones((3, 4))
    assert restored(wrong, "OIHW", "O(IHW)", (2, 3, 4, 5)) is wrong
    assert restored(np.ones((2, 9, 8, 3)), "NCHW", "NHWC", (2, 3, 4, 5)).shape == (2, 3, 9, 8)


class Box:
    def __init__(self):
        self.grads, self.layers = {"W": np.ones((2, 3))}, [np.zeros(4), None]
        self.same = self.grads["W"]


def test_paths_are_spelled_and_read():
    path = ((".", "object"), (".", "grads"), ("[]", "W"), ("[]", 0))
    assert spelled(path) == '.object.grads["W"][0]' and parsed('object.grads["W"][0]') == path
    assert Place('object.grads["W"]').path == path[:3]


def test_arrays_are_found_read_and_set():
    box = Box()
    found = {spelled(entry["path"]): entry for entry in described(box)}
    assert found['.grads["W"]']["shape"] == [2, 3] and found[".layers[1]"]["shape"] is None
    assert sorted(entry["same"] >= 0 for entry in found.values()) == [False, False, False, True]
    put(box, parsed('grads["W"]'), np.zeros(1))
    assert got(box, parsed('grads["W"]')).shape == (1,) and got(box, parsed("nothing.there")) is None


def test_a_convention_is_data_and_source():
    given = Convention("affine", "Dense", stored={"W": [Place("object.w", "OI")]}, mean=True)
    again = Convention.of(given.data())
    space = {}
    exec(given.source(), space)
    for one in (again, space["Mine"].convention):
        assert one.stored["W"][0] == given.stored["W"][0] and one.mean and one.name == "Dense"
