"""Images that were not divided by 255, or twice, get a word; all others none."""

import warnings

import numpy as np
import pytest
from helpers import draw

from scratchcnn import PixelRangeWarning, SimpleConvNet, Trainer

BYTES = np.random.default_rng(0).integers(0, 256, (4, 1, 6, 6), dtype=np.uint8)
T = np.array([0, 1, 2, 0])


def network():
    return SimpleConvNet((1, 6, 6), {"filter_num": 2, "filter_size": 3}, 4, 3, rng=0)


CALLS = {
    "predict": lambda x: network().predict(x),
    "accuracy": lambda x: network().accuracy(x, T),
    "gradient": lambda x: network().gradient(x, T),
    "training": lambda x: Trainer(network(), x, T, x, T, epochs=1, evaluate=0).train(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_bytes_get_a_warning_at_the_callers_line(call):
    for x in (BYTES, BYTES.astype(np.float32)):
        with pytest.warns(PixelRangeWarning, match="bytes of 0 to 255; .* divide them by 255") as found:
            call(x)
        assert {warning.filename for warning in found} == {__file__}


def test_images_divided_twice_get_one():
    with pytest.warns(PixelRangeWarning, match="between 0 and 1/255; were they divided by 255 twice"):
        network().predict(BYTES / 255 / 255)


class Own:
    def __init__(self):
        self.params = dict(W=np.zeros(3))

    def loss(self, x, t=None):
        return 0.0

    predict = loss

    def gradient(self, x, t):
        return dict(W=np.zeros(3))


def test_a_network_of_ones_own_is_warned_of_by_the_trainer():
    with pytest.warns(PixelRangeWarning, match="Trainer: the images look like bytes"):
        Trainer(Own(), BYTES, T, BYTES, T, epochs=1, evaluate=0).train()


def test_python_shows_it_once_per_line():
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("default")
        for _ in range(3):
            network().predict(BYTES)
    assert len(found) == 1


@pytest.mark.parametrize(
    "x",
    [BYTES / 255, (BYTES / 255 - 0.13) / 0.31, BYTES > 127, np.zeros((2, 1, 6, 6)), BYTES[:0], BYTES - 128.0],
    ids=["0 to 1", "normalized", "black and white", "black", "none", "without the mean"],
)
def test_usual_images_get_none(x):
    network().predict(np.asarray(x))


def test_one_dark_image_among_others_gets_none():
    network().predict(np.concatenate([BYTES[:1] / 255 / 255, BYTES / 255]))
    network().predict(draw(2, 1, 6, 6) * 100)
